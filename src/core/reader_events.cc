// SPDX-License-Identifier: Apache-2.0
#include "core/reader_events.h"

namespace mysos {

void tell_readers(Ledger& ledger, const Cluster& cluster, const MemberRow& row, const MemberReport& now) {
  if (!row.report) return;
  const bool same = row.report->executor == now.executor;
  const std::uint64_t told = same && !row.report->readers_ended.empty() ? row.report->readers_ended.back().seq : 0;
  for (const EndedReaders& ended : now.readers_ended) {
    if (ended.seq > told) ledger.event(cluster, now.member, {"reader_ended", ended.why});
  }
}

}  // namespace mysos
