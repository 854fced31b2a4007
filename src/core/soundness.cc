// SPDX-License-Identifier: Apache-2.0
#include "core/soundness.h"

#include "core/standstill.h"

namespace mysos {

GtidSet errant_while_following(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica) {
  const bool opened = primary.role == MemberRole::kPrimary && primary.writable && !primary.gtid_source.empty() &&
                      primary.promised.epoch == record.pair.epoch;
  const bool follows = replica.role == MemberRole::kReplica && replica.source == primary.member && !replica.busy &&
                       replica.promised.epoch == record.pair.epoch;
  if (!opened || !follows || record.electing || primary.executed.contains(replica.received)) return {};
  GtidSet out;
  const GtidSet extra = replica.received.minus(primary.executed).minus(primary.in_flight);
  for (const auto& [source, intervals] : extra.sources()) {
    // MySQL adds a tag to the name of the server.
    if (source == primary.gtid_source || source.starts_with(primary.gtid_source + ":")) continue;
    for (const GtidSet::Interval& i : intervals) out.add(source, i.first, i.last);
  }
  return out;
}

bool applier_failed(const MemberReport& replica) {
  return replica.role == MemberRole::kReplica && (replica.applier_restarts > 0 || stuck_for_good(replica));
}

bool sound(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica) {
  return replica.applier_running && replica.applier_restarts == 0 && !stands_still(replica) &&
         errant_while_following(record, primary, replica).empty();
}

std::string why_failed(const MemberReport& replica) {
  if (stuck_for_good(replica)) return standstill_text(replica);
  return "its applier has stopped, and stopped again: " + why_stopped(replica);
}

std::string why_stopped(const MemberReport& replica) {
  const ReplicationError& error = replica.applier_error;
  if (!error.any()) return "the server shows no error: somebody stopped it";
  return "error " + std::to_string(error.number) + ": " + error.text;
}

}  // namespace mysos
