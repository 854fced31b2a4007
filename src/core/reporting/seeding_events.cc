// SPDX-License-Identifier: Apache-2.0
#include "core/reporting/seeding_events.h"

#include "core/epochs/soundness.h"

namespace mysos {
namespace {

void tell_errant(Ledger& ledger, const MemberTable& table, const Cluster& cluster, const MemberReport& before,
                 const MemberReport& now) {
  if (now.role != MemberRole::kErrant || before.role == MemberRole::kErrant) return;
  const MemberRow* primary = cluster.epoch.primary ? table.find(*cluster.epoch.primary) : nullptr;
  if (primary == nullptr || !primary->report || !tells_what_it_holds(*primary->report)) return;
  const GtidSet extra = now.received.minus(primary->report->executed);
  if (extra.count() == 0) return;
  ledger.event(cluster, now.member,
               {EventKind::kMemberErrant, "only it holds " + extra.to_string() + ": these were never acknowledged"});
}

std::string size_and_time(const Seeding& s) {
  return std::to_string(s.bytes.mib()) + " MB in " + std::to_string(s.took_ms) + " ms";
}

// A copy that was under way when this scheduler started makes its event again; a copy that had ended does not.
void tell_copy(Ledger& ledger, const Cluster& cluster, const MemberRow& row, const MemberReport& now) {
  const Seeding& s = *now.seeding;
  const bool known = row.seeding && row.seeding->generation == s.generation;
  if (known && row.seeding->state == s.state) return;
  switch (s.state) {
    case SeedState::kCopying:
      return ledger.event(cluster, now.member, {EventKind::kSeedingStarted,
                                                "it is rebuilt as a copy of " + s.donor.value});
    case SeedState::kFailed:
      if (!known) return;
      return ledger.event(cluster, now.member,
                          {EventKind::kSeedingFailed, "the copy of " + row.seeding->donor.value + " was cut off after " +
                                                 size_and_time(*row.seeding) + ": " + s.why});
    case SeedState::kDone:
      if (!known) return;
      return ledger.event(cluster, now.member,
                          {EventKind::kSeedingDone, "it has the data of " + s.donor.value + ": " + size_and_time(s), {},
                           {{"total", s.took_ms}}});
  }
}

// A server that ends by itself; it is started again.
void tell_end(Ledger& ledger, const Cluster& cluster, const MemberReport& before, const MemberReport& now) {
  const bool again = before.crashed && before.problem == now.problem;
  if (!now.crashed || again || now.problem.empty()) return;
  ledger.event(cluster, now.member, {EventKind::kServerEnded, now.problem});
}

}  // namespace

void tell_seeding(Ledger& ledger, const MemberTable& table, const Cluster& cluster, MemberRow& row, const MemberReport& now) {
  if (row.report) {
    tell_errant(ledger, table, cluster, *row.report, now);
    tell_end(ledger, cluster, *row.report, now);
    if (!now.errant_kept.empty() && now.errant_kept != row.report->errant_kept) {
      ledger.event(cluster, now.member,
                   {EventKind::kErrantKept, "logs with what only it held are on its volume, in " + now.errant_kept});
    }
  }
  if (!now.seeding) return;
  tell_copy(ledger, cluster, row, now);
  row.seeding = now.seeding;
}

}  // namespace mysos
