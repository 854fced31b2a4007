// SPDX-License-Identifier: Apache-2.0
#include "core/epochs/soundness.h"

#include <algorithm>

#include "model/stalled_applier.h"

namespace mysos {

bool tells_what_it_holds(const MemberReport& report) {
  return report.server == ServerState::kRunning && !(report.busy && report.executed.empty());
}

GtidSet own_writes(const MemberReport& report, const GtidSet& floor) {
  GtidSet own;
  if (report.gtid_source.empty()) return own;
  for (const auto& [source, intervals] : report.received.minus(floor).sources()) {
    if (source != report.gtid_source && !source.starts_with(report.gtid_source + ":")) continue;
    for (const GtidSet::Interval& i : intervals) own.add(source, i.first, i.last);
  }
  return own;
}

GtidSet foreign_to_primary(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica) {
  const bool opened = primary.role == MemberRole::kPrimary && primary.writable && !primary.gtid_source.empty() &&
                      primary.promised.epoch == record.pair.epoch && !primary.logs_reset;
  const bool follows = replica.role == MemberRole::kReplica && replica.source == primary.member;
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

GtidSet errant_while_following(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica) {
  if (replica.busy || replica.promised.epoch != record.pair.epoch) return {};
  return foreign_to_primary(record, primary, replica);
}

bool forgot_names(const MemberReport& report, const MemberReport& other) {
  if (report.gtid_source.empty() || !tells_what_it_holds(report)) return false;
  const GtidSet extra = other.received.minus(report.received).minus(report.in_flight);
  return std::ranges::any_of(extra.sources(), [&](const auto& entry) {
    return entry.first == report.gtid_source || entry.first.starts_with(report.gtid_source + ":");
  });
}

std::optional<Flaw> flaw_of(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica) {
  if (replica.logs_reset) {
    return Flaw{.text = "somebody reset its binary logs: it no longer knows which transactions its data hold", .lasts = true};
  }
  if (forgot_names(replica, primary)) {
    return Flaw{.text = "it does not know transactions that it wrote itself: somebody reset its binary logs", .lasts = true};
  }
  GtidSet extra = errant_while_following(record, primary, replica);
  if (!extra.empty()) {
    std::string text = "somebody wrote on it: only it holds " + extra.to_string();
    return Flaw{.text = std::move(text), .lasts = true, .errant = std::move(extra)};
  }
  const bool again = replica.applier_restarts > 0;
  if (!replica.applier_running) {
    return Flaw{.text = "its applier has stopped" + std::string(again ? ", and stopped again: " : ": ") + why_stopped(replica),
                .lasts = again};
  }
  if (is_stalled(replica)) return Flaw{.text = stall_text(replica), .lasts = again || stuck_for_good(replica)};
  if (again) {
    return Flaw{.text = "its applier has been started again, and has yet to execute where it had stopped", .lasts = true};
  }
  return std::nullopt;
}

std::string why_stopped(const MemberReport& replica) {
  const ReplicationError& error = replica.applier_error;
  if (!error.any()) return "the server shows no error: somebody stopped it";
  return "error " + std::to_string(error.number) + ": " + error.text;
}

}  // namespace mysos
