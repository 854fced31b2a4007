// SPDX-License-Identifier: Apache-2.0
#include "core/switchover.h"

#include <algorithm>
#include <tuple>

#include "core/epochs/soundness.h"
#include "model/stalled_applier.h"

namespace mysos {
namespace {

// "" = it can take over.
std::string why_not(const Cluster& cluster, const MemberView& view) {
  if (!view.in_sight()) return "it is unreachable";
  const MemberReport& report = *view.report;
  if (report.role == MemberRole::kErrant) return "it holds transactions that the primary lacks";
  if (report.role != MemberRole::kReplica || report.source != cluster.epoch.primary) return "it does not follow the primary";
  if (!report.receiver_connected) return "it does not receive from the primary";
  if (!report.applier_running) return "its applier has stopped: " + why_stopped(report);
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
    return fail(Errc::kConflict, cluster.spec.name + " has one member, so there is no other to switch to");
  }
  if (cluster.doubt) {
    return fail(Errc::kConflict, "the record of " + cluster.spec.name + " may be old (" + cluster.doubt->why +
                                     "): a switchover waits until its members have said what they hold");
  }
  if (epoch.mode == EpochMode::kVirgin || !epoch.primary) {
    return fail(Errc::kConflict, cluster.spec.name + " has no primary yet");
  }
  if (epoch.electing) return fail(Errc::kConflict, "a primary of " + cluster.spec.name + " is being elected already");
  if (to == epoch.primary) return fail(Errc::kConflict, to->value + " is the primary already", "to");

  const auto primary = std::ranges::find(members, *epoch.primary, &MemberView::id);
  const auto written_on = [&](const MemberView& v) {
    const bool known = primary != members.end() && primary->report;
    return known && !errant_while_following(epoch, *primary->report, *v.report).empty();
  };
  const MemberView* best = nullptr;
  const auto rank = [&](const MemberView& v) {
    const bool unknown_lag = v.report->lag_ms < 0;
    return std::tuple(written_on(v), !epoch.ackers.contains(v.id), v.report->applier_stalled_ms, unknown_lag, v.report->lag_ms);
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

namespace {

// The members that could prove to an election that begins now what was acknowledged.
struct Witnesses {
  bool primary = false;
  std::size_t ackers = 0;
  bool untouched = false;  // one of those ackers holds nothing of its own
  GtidSet held;  // by the reachable members
  GtidSet executed;        // by the one of them that has executed most, or will have
  std::string stopped;     // "the applier of x has stopped: ...", or "x: its applier is stalled: ..."; "" = all of them work
};

Witnesses witnesses_of(const Cluster& cluster, const std::vector<MemberView>& members) {
  Witnesses found;
  for (const MemberView& v : members) {
    if (!v.connected || !v.report || v.report->server != ServerState::kRunning) continue;
    found.held = found.held.united(v.report->received);
    if (cluster.epoch.primary == v.id) found.primary = true;
    const bool stops = !v.report->applier_running && v.report->applier_error.any();
    const bool will = drains(*v.report) || (!stops && !is_stalled(*v.report));
    const GtidSet& comes_to = will ? v.report->received : v.report->executed;
    if (comes_to.count() > found.executed.count()) found.executed = comes_to;
    if (!will) {
      found.stopped = stops ? "the applier of " + v.id.value + " has stopped: " + why_stopped(*v.report)
                            : v.id.value + ": " + stall_text(*v.report);
    }
    const bool can_tell = v.report->remembers() && v.can_write();  // as an election wants it
    if (!cluster.epoch.ackers.contains(v.id) || !can_tell) continue;
    ++found.ackers;
    found.untouched = found.untouched || own_writes(*v.report, cluster.epoch.floor).empty();
  }
  return found;
}

// An election that asks every member begins by itself. An operator can only give up the unreachable members.
Status check_failover_in_doubt(const Cluster& cluster, const std::vector<MemberView>& members,
                               const FailoverRequest& wanted) {
  std::string out;
  std::size_t there = 0;
  for (const MemberView& v : members) {
    const bool up = v.connected && v.report && v.report->server == ServerState::kRunning;
    if (up) ++there;
    if (!up) out += (out.empty() ? "" : ", ") + v.id.value;
  }
  if (there == 0) return fail(Errc::kConflict, "no member of " + cluster.spec.name + " is reachable");
  if (wanted.accept_loss) return {};
  const std::string lost = out.empty() ? "all its members are reachable, so this needs no command"
                                       : "accept_loss gives up what only these unreachable members hold: " + out;
  return fail(Errc::kConflict,
              "the record of " + cluster.spec.name + " may be old (" + cluster.doubt->why +
                  "), so a primary is chosen once every member has said what it holds; " + lost,
              "accept_loss");
}

}  // namespace

Status check_failover(const Cluster& cluster, const std::vector<MemberView>& members, const FailoverRequest& wanted) {
  const EpochRecord& epoch = cluster.epoch;
  if (wanted.to && cluster.find(*wanted.to) == nullptr) {
    return fail(Errc::kInvalid, "'" + wanted.to->value + "' is no member of " + cluster.spec.name, "to");
  }
  if (cluster.doubt) return check_failover_in_doubt(cluster, members, wanted);
  if (epoch.mode == EpochMode::kVirgin || !epoch.primary) {
    return fail(Errc::kConflict, cluster.spec.name + " has no primary yet");
  }
  const Witnesses found = witnesses_of(cluster, members);
  const std::size_t needed = epoch.ackers.empty() ? 0 : epoch.ackers.size() - epoch.d + 1;
  const bool quorum = epoch.mode == EpochMode::kNormal && !epoch.ackers.empty() && found.ackers >= needed;
  if (wanted.accept_loss) return {};
  const GtidSet never = found.stopped.empty() ? GtidSet{} : found.held.minus(found.executed);
  if (!found.primary && quorum && !never.empty()) {
    return fail(Errc::kConflict,
                "no reachable member can execute all that was received: " + found.stopped + ". " +
                    std::to_string(never.count()) +
                    " transaction(s) would be given up: " + never.to_string() +
                    ". accept_loss accepts that loss; the relay logs are kept on the volume of the new primary",
                "accept_loss");
  }
  if (!found.primary && quorum && !found.untouched && cluster.spec.flavour == Flavour::kMysql) {
    return fail(Errc::kConflict,
                "somebody wrote on each reachable acker, and may have ended an XA transaction there that was acknowledged as "
                "prepared, so none of them is chosen before the old primary is back. accept_loss chooses one of them",
                "accept_loss");
  }
  if (found.primary || quorum) return {};
  GtidSet seen = epoch.floor;
  for (const MemberView& v : members) {
    if (v.report) seen = seen.united(v.report->received);
  }
  const std::uint64_t missing = seen.minus(found.held).count();
  const std::string why = epoch.mode == EpochMode::kSolo
                              ? "the primary was solo, so only its own log is complete"
                              : std::to_string(found.ackers) + " of " + std::to_string(needed) +
                                    " needed ackers are reachable, remember what they acknowledged, and can write";
  return fail(Errc::kConflict,
              "a failover now may lose acknowledged writes: " + why + "; " + std::to_string(missing) +
                  " known transaction(s) are on no reachable member, and there may be later ones. accept_loss accepts that "
                  "loss",
              "accept_loss");
}

namespace {

// As far as it is known before it is begun.
std::string known_loss(const Cluster& cluster, const std::vector<MemberView>& members) {
  GtidSet seen = cluster.epoch.floor;
  for (const MemberView& v : members) {
    if (v.report) seen = seen.united(v.report->received);
  }
  const Witnesses found = witnesses_of(cluster, members);
  const GtidSet lost = seen.minus(found.executed);
  std::string out = lost.empty() ? "; none is known of" : "; as far as is known now: " + std::to_string(lost.count()) +
                                                              " transaction(s) of " + lost.to_string();
  if (!found.stopped.empty()) out += "; " + found.stopped;
  return out;
}

}  // namespace

Result<ClusterId> begin_failover(Ledger& ledger, const Cluster& cluster, const std::vector<MemberView>& members,
                                 const FailoverRequest& wanted) {
  MYSOS_TRY_VOID(check_failover(cluster, members, wanted));
  Cluster& edited = ledger.edit(cluster.id);
  edited.failover = wanted;
  give_up_switchover(ledger, edited, "an operator asked for a failover instead");
  std::string why = "an operator asked for it";
  if (wanted.accept_loss) why += ", and accepts that writes are lost" + known_loss(cluster, members);
  ledger.event(edited, {EventKind::kFailoverRequested, std::move(why)});
  return edited.id;
}

void give_up_switchover(Ledger& ledger, Cluster& cluster, std::string why) {
  if (!cluster.switchover_to) return;
  ledger.event(cluster, *cluster.switchover_to, {EventKind::kSwitchoverFailed, std::move(why)});
  cluster.switchover_to.reset();
}

Result<ClusterId> set_promotion(Ledger& ledger, const Cluster& cluster, const MemberId& member, Promotion promotion) {
  if (cluster.find(member) == nullptr) {
    return fail(Errc::kNotFound, "'" + member.value + "' is no member of " + cluster.spec.name);
  }
  Cluster& edited = ledger.edit(cluster.id);
  edited.find(member)->promotion = promotion;
  ledger.event(edited, member, {EventKind::kPromotionSet, "elections now treat it as: " + std::string(enum_text(promotion))});
  return edited.id;
}

}  // namespace mysos
