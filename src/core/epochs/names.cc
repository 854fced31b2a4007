// SPDX-License-Identifier: Apache-2.0
// The names of transactions after a reset of binary logs (RESET MASTER, RESET BINARY LOGS AND GTIDS). A server that was reset
// has all its data and has forgotten what their transactions are called, and it gives the same names to others. While another
// member can take over, that one does. Where the primary's data are the only complete ones they are kept: the record says from
// which pair on its names count, and the data of all others, which were made before, are rebuilt from it. No comparison of
// sets finds that: what a replica holds may be contained in the new names by chance.
#include <algorithm>

#include "core/epochs/planning.h"
#include "core/epochs/soundness.h"

namespace mysos {

bool EpochPlanning::outdated(const MemberView& v) const {
  return v.report && !is_primary(v) && v.report->made_at < record.names_from;
}

// Such a replica goes on acknowledging while its connection lasts, and what it acknowledges is durable. But no election can
// count it, and it can neither relieve another acker nor end a solo. Once its connection breaks, its source sends again what
// it has. So the planner treats it like a replica that does not acknowledge: the primary goes solo if there is no
// other acker, and the replica is rebuilt.
bool EpochPlanning::nameless(const MemberView& v) const {
  if (!v.report || !record.primary || is_primary(v)) return false;
  if (v.report->logs_reset) return true;
  const MemberView* primary = view(*record.primary);
  return follows(v) && primary != nullptr && primary->report && forgot_names(*v.report, *primary->report);
}

bool renew_names(EpochPlanning& p, const MemberView& primary) {
  if (!primary.report->logs_reset) return false;
  EpochRecord next = p.next_config();
  next.names_from = next.pair;
  next.floor = primary.report->executed;
  go_solo(next);
  p.persist(std::move(next), EventKind::kNamesRenewed,
            "somebody reset the binary logs of " + primary.id.value + ", and no replica can take over: its data are kept, " +
                "and it goes solo. Its transactions have new GTIDs from now on, "
                "so all other members are rebuilt from it");
  return true;
}

Pair names_under(const EpochPlanning& p, const MemberView& chosen, const Pair& pair) {
  return chosen.report->logs_reset || made_before_names(p, chosen) ? pair : names_heard_of(p);
}

// A member hears of new names when it becomes the primary. The executors of version 0.1 do not store that. But the data of a
// primary are never rebuilt in the epoch that it leads, so data that are said to be of that epoch were given other names in it.
Pair names_heard_of(const EpochPlanning& p) {
  Pair names = p.record.names_from;
  if (!p.cluster.doubt) return names;
  for (const MemberView& v : p.members) {
    if (!v.report) continue;
    names = std::max(names, v.report->names_from);
    if (v.report->led == v.report->made_at.epoch) names = std::max(names, v.report->made_at);
  }
  return names;
}

bool renamed_since(const EpochPlanning& p) { return names_heard_of(p) > p.record.names_from; }

bool made_before_names(const EpochPlanning& p, const MemberView& v) {
  return p.outdated(v) || (renamed_since(p) && v.report->made_at < names_heard_of(p));
}

bool forgot_its_writes(const EpochPlanning& p, const MemberView& v) {
  return std::ranges::any_of(p.members, [&](const MemberView& other) {
    return other.id != v.id && other.report && forgot_names(*v.report, *other.report);
  });
}

const MemberView* complete_without_names(const EpochPlanning& p) {
  const auto it = std::ranges::find_if(p.members, [&](const MemberView& v) {
    return p.is_primary(v) && v.connected && p.fenced(v) && v.report->logs_reset;
  });
  return it == p.members.end() ? nullptr : &*it;
}

}  // namespace mysos
