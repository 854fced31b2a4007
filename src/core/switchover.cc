// SPDX-License-Identifier: Apache-2.0
#include "core/switchover.h"

#include <tuple>

namespace mysos {
namespace {

// "" = it can take over.
std::string why_not(const Cluster& cluster, const MemberView& view) {
  if (!view.connected || !view.report) return "it is out of reach";
  const MemberReport& report = *view.report;
  if (report.role == MemberRole::kErrant) return "it holds transactions that the primary lacks";
  if (report.role != MemberRole::kReplica || report.source != cluster.epoch.primary) return "it does not follow the primary";
  if (!report.receiver_connected) return "it does not receive from the primary";
  return "";
}

}  // namespace

Result<MemberId> switchover_target(const Cluster& cluster, const std::vector<MemberView>& members,
                                   const std::optional<MemberId>& to) {
  const EpochRecord& epoch = cluster.epoch;
  if (to && cluster.find(*to) == nullptr) {
    std::string all;
    for (const Member& m : cluster.members) all += (all.empty() ? "" : ", ") + m.id.value;
    return fail(Errc::kInvalid, "'" + to->value + "' is no member of " + cluster.spec.name + "; its members: " + all, "to");
  }
  if (cluster.members.size() < 2) {
    return fail(Errc::kConflict, cluster.spec.name + " has one member: there is nobody to switch to");
  }
  if (epoch.mode == EpochMode::kVirgin || !epoch.primary) {
    return fail(Errc::kConflict, cluster.spec.name + " has no primary yet");
  }
  if (epoch.electing) return fail(Errc::kConflict, "a primary of " + cluster.spec.name + " is being elected already");
  if (to == epoch.primary) return fail(Errc::kConflict, to->value + " is the primary already", "to");

  const MemberView* best = nullptr;
  const auto rank = [&](const MemberView& v) {
    const bool unknown_lag = v.report->lag_ms < 0;
    return std::tuple(!epoch.ackers.contains(v.id), unknown_lag, v.report->lag_ms);
  };
  for (const MemberView& view : members) {
    if (view.id == epoch.primary || (to && view.id != *to)) continue;
    const std::string reason = why_not(cluster, view);
    if (to && !reason.empty()) return fail(Errc::kConflict, to->value + " cannot take over now: " + reason, "to");
    if (reason.empty() && (best == nullptr || rank(view) < rank(*best))) best = &view;
  }
  if (best == nullptr) return fail(Errc::kConflict, "no replica of " + cluster.spec.name + " is ready to take over");
  return best->id;
}

}  // namespace mysos
