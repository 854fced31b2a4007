// SPDX-License-Identifier: Apache-2.0
#include "core/reporting/notices.h"

namespace mysos {
namespace {

void tell(Ledger& ledger, const Cluster& cluster, const MemberId& member, const Notice& notice) {
  switch (notice.kind) {
    case NoticeKind::kReaderEnded: return ledger.event(cluster, member, {EventKind::kReaderEnded, notice.text});
    case NoticeKind::kBinlogsChanged: return ledger.event(cluster, member, {EventKind::kBinlogsChanged, notice.text});
    case NoticeKind::kEventsStarted: return ledger.event(cluster, member, {EventKind::kEventsStarted, notice.text});
    case NoticeKind::kEventsStopped: return ledger.event(cluster, member, {EventKind::kEventsStopped, notice.text});
    case NoticeKind::kEventsFailed: return ledger.event(cluster, member, {EventKind::kEventsFailed, notice.text});
  }
}

}  // namespace

// Of an executor that this scheduler sees for the first time the notices are old: another scheduler has told them.
void tell_notices(Ledger& ledger, const Cluster& cluster, const MemberRow& row, const MemberReport& now) {
  if (!row.report) return;
  const bool same = row.report->executor == now.executor;
  const std::uint64_t told = same && !row.report->notices.empty() ? row.report->notices.back().seq : 0;
  for (const Notice& notice : now.notices) {
    if (notice.seq > told) tell(ledger, cluster, now.member, notice);
  }
}

}  // namespace mysos
