// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/stage_changes.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace mysos {

StageChanges::StageChanges(Ledger& ledger, MemberTable& table, Members& members, Reconciler& reconciler,
                           Introductions& introductions, OrphanHandling& orphans, const SchedulerConfig& config)
    : ledger_(ledger),
      table_(table),
      members_(members),
      reconciler_(reconciler),
      introductions_(introductions),
      orphans_(orphans),
      config_(config) {}

Duration StageChanges::backoff(std::uint32_t failures) {
  Duration wait = config_.relaunch_min;
  for (std::uint32_t i = 1; i < failures && wait < config_.relaunch_max; ++i) wait *= 2;
  wait = std::min(wait, config_.relaunch_max);
  return wait + Duration(static_cast<Duration::rep>(ledger_.prng().below(static_cast<std::uint64_t>(wait.count()) / 10 + 1)));
}

// All stages are entered here. Who is to be watched follows from them.
void StageChanges::enter(const Owner& owner, stage::Any next) {
  table_.enter(members_.edit(owner), std::move(next));
  ledger_.watches_changed();
}

void StageChanges::leave_task(const Owner& owner) {
  const TaskId& task = members_.get(owner).task;
  reconciler_.settled(task);
  introductions_.settled(task);
}

void StageChanges::to_launching(const Owner& owner, Instant now) { enter(owner, stage::Launching{now + kLaunchPatience}); }

void StageChanges::to_running(const Owner& owner, Instant now) {
  enter(owner, stage::Running{now});
  Member& m = members_.edit(owner);
  m.holds_data = true;
  introductions_.ask_for_secrets(owner, now);
  members_.tell(owner, {EventKind::kMemberRunning, "task " + m.task.value + " runs on " + m.place().hostname});
}

void StageChanges::to_down(const Owner& owner, const std::string& why, Instant now) {
  const Member& m = members_.get(owner);
  introductions_.settled(m.task);
  MemberRow& row = members_.row(owner);
  const auto* running = std::get_if<stage::Running>(&row.stage());
  const bool lasted = running != nullptr && running->since != kNever && now - running->since >= config_.relaunch_max;
  row.failures = lasted ? 1 : row.failures + 1;
  row.failed_why = why;
  row.connected = false;
  enter(owner, stage::Down{.not_before = now + backoff(row.failures)});
  // If its ACCEPT never arrived, the master still thinks that we are looking at the offer.
  if (row.task.accepted) ledger_.call(mesos::Decline{{*row.task.accepted}, Duration::zero()});
  row.task.accepted.reset();
  members_.tell(owner, {EventKind::kMemberDown, "task " + m.task.value + ": " + why});
}

void StageChanges::to_down_as_found(const Owner& owner, Instant now) { enter(owner, stage::Down{.not_before = now}); }

void StageChanges::to_killing(const Owner& owner, Instant now) {
  MYSOS_ASSERT(members_.get(owner).leaves, "only the task of a member that leaves is ended");
  enter(owner, stage::Killing{.since = now, .kill_at = now, .backoff = kKillAgainMin});
}

void StageChanges::to_releasing(const Owner& owner, Instant now) {
  MYSOS_ASSERT(members_.get(owner).leaves, "only the volume of a member that leaves is given back");
  enter(owner, stage::Releasing{.since = now, .not_before = now});
}

void StageChanges::abandon_place(const Owner& owner, const std::string& why, Instant now) {
  if (members_.cluster_of(owner).doubt) return;
  const Member& m = members_.get(owner);
  MYSOS_ASSERT(!m.holds_data, "a member that has held data keeps its place");
  members_.tell(owner, {EventKind::kPlacementAbandoned, "the place on " + m.place().hostname + " is given up: " + why});
  orphans_.unused(m, now);
  leave_task(owner);
  enter(owner, stage::Wanted{members_.in<stage::Down>(owner).not_before});
  members_.change_place(owner, [](Member& gives_up) {
    gives_up.granted.reset();
    gives_up.task = TaskId();
    gives_up.volume_name.clear();
    gives_up.volume_lost = false;
    gives_up.server_id = 0;
  });
  table_.forget_task(owner.member);
}

void StageChanges::finish(const Owner& owner, const std::string& why) {
  members_.tell(owner, {EventKind::kMemberReleased, why});
  leave_task(owner);
  members_.forget(owner);
  ledger_.watches_changed();
  Cluster& cluster = ledger_.edit(owner.cluster);
  std::erase_if(cluster.members, [&](const Member& member) { return member.id == owner.member; });
  if (!cluster.members.empty()) return;
  ledger_.event(cluster, {EventKind::kClusterDeleted, "all of it has been given back"});
  ledger_.erase(owner.cluster);
}

void StageChanges::send_away(const Owner& owner, Instant now) {
  members_.edit(owner).leaves = true;
  switch (members_.get(owner).stage) {
    case MemberStage::kWanted:
      return finish(owner, "it never had a place");
    case MemberStage::kLaunching:
    case MemberStage::kRunning:
      return to_killing(owner, now);
    case MemberStage::kDown:
      if (members_.in<stage::Down>(owner).agent_gone) return finish(owner, "its agent is gone for good");
      return to_releasing(owner, now);
    case MemberStage::kKilling:
    case MemberStage::kReleasing:
      return;
  }
}

}  // namespace mysos
