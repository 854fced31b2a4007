// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/upkeep.h"

#include "core/state/server_ids.h"

namespace mysos {

Upkeep::Upkeep(Ledger& ledger, Members& members, StageChanges& stages, Launcher& launcher, Reconciler& reconciler,
               const SchedulerConfig& config)
    : ledger_(ledger),
      members_(members),
      stages_(stages),
      launcher_(launcher),
      ports_(ledger, members),
      reconciler_(reconciler),
      config_(config) {}

void Upkeep::subscribed(const Owner& owner, Instant now) {
  if (members_.get(owner).stage == MemberStage::kLaunching) members_.in<stage::Launching>(owner).ask_at = now + kLaunchPatience;
}

// ---- offers ----
void Upkeep::offered(const Owner& owner, const Holding& holding, AgentUse& use, Instant now) {
  if (members_.get(owner).stage == MemberStage::kDown) return launch_on(owner, holding, use, now);
  members_.row(owner).task.accepted.reset();
  stages_.to_down(owner, "its resources are offered, so it is over or never began", now);
}

// Of a member that is down.
void Upkeep::launch_on(const Owner& owner, const Holding& offered, AgentUse& use, Instant now) {
  if (now < members_.in<stage::Down>(owner).not_before) return;
  Holding holding = offered;
  holding.reserved += ports_.lacking(owner, offered, use);
  const Member& m = members_.get(owner);
  const Resources granted =
      granted_resources(*m.granted).reserved_as(holding.reservation).allocated_to(use.offer.allocation_role);
  const bool own_volume = holding.volumes.list().size() == 1 && holding.volumes.list().front().volume->id == m.place().volume;
  const bool complete = (holding.reserved + without_volumes(holding.volumes)).contains(granted) &&
                        (own_volume || holding.volumes.empty());
  if (complete && own_volume) return launcher_.launch(owner, holding.reserved + holding.volumes, use, now);
  if (m.holds_data) return say_stuck(owner, holding);
  if (!complete || members_.cluster_of(owner).doubt) {
    return stages_.abandon_place(owner, "its reservation is incomplete", now);
  }
  const Resources volumes = as_volume(holding.reserved, {m.place().volume, config_.principal, kVolumePath});
  Member& changed = members_.edit(owner);
  changed.server_id = grant_server_id(ledger_.edit(owner.cluster));  // nobody knows what became of the volume before
  changed.volume_name.clear();
  use.operations.push_back(
      {mesos::Create{volumes}, OperationId("create." + m.place().resource_id + "." + ledger_.prng().name(4))});
  launcher_.launch(owner, holding.reserved - without_volumes(volumes) + volumes, use, now);
}

void Upkeep::say_stuck(const Owner& owner, const Holding& offered) {
  auto& down = members_.in<stage::Down>(owner);
  if (!down.stuck.empty()) return;
  down.stuck = "its reservation on " + members_.get(owner).place().hostname + " came back " +
               (offered.volumes.empty() ? "without the volume that held its data" : "changed");
  members_.tell(owner,
                {EventKind::kVolumeMissing, down.stuck + "; offered: " + describe(offered.reserved + offered.volumes)});
}

void Upkeep::absent(const Owner& owner, AgentUse& use, Instant now) {
  const Member& m = members_.get(owner);
  if (m.stage != MemberStage::kDown) return;
  if (!m.holds_data && now >= members_.in<stage::Down>(owner).not_before) {
    stages_.abandon_place(owner, "nothing was reserved for it there", now);
  } else {
    use.awaited = true;
  }
}

// ---- updates ----
void Upkeep::alive(const Owner& owner, mesos::TaskState state, Instant now) {
  const MemberStage stage = members_.get(owner).stage;
  if (stage == MemberStage::kRunning) return;
  if (state == mesos::TaskState::kRunning) return stages_.to_running(owner, now);
  if (stage == MemberStage::kDown) stages_.to_launching(owner, now);  // the answer that it was gone came too early
}

void Upkeep::ended(const Owner& owner, mesos::TaskState state, Instant now) {
  MemberRow& row = members_.row(owner);
  if (members_.get(owner).stage != MemberStage::kDown) {
    stages_.to_down(owner, row.task.why, now);
    row.in<stage::Down>().port_taken = row.task.why.find(kPortTaken) != std::string::npos;
  }
  auto& down = row.in<stage::Down>();
  if (state == mesos::TaskState::kGoneByOperator) down.agent_gone = true;
  if (down.agent_gone && !members_.get(owner).holds_data) stages_.abandon_place(owner, "its agent is gone", now);
}

// ---- time ----
bool Upkeep::overdue(const Owner& owner, Instant now) {
  const Member& m = members_.get(owner);
  if (m.stage == MemberStage::kLaunching) {
    launch_overdue(owner, members_.in<stage::Launching>(owner), now);
  } else if (m.stage == MemberStage::kDown) {
    if (!m.holds_data && now >= members_.in<stage::Down>(owner).not_before + kAbandonAfter) {
      stages_.abandon_place(owner, "its agent offers nothing", now);
    }
  }
  return true;
}

void Upkeep::launch_overdue(const Owner& owner, stage::Launching& launching, Instant now) {
  if (now < launching.ask_at) return;
  launching.ask_at = now + kLaunchPatience;
  const Member& m = members_.get(owner);
  if (members_.row(owner).task.told == mesos::TaskState::kUnknown && !m.holds_data) {
    stages_.to_down(owner, "nothing was heard of its launch, and the master does not know it", now);
  } else {
    reconciler_.ask(m.task, m.place().agent, now);
  }
}

void Upkeep::await(const Owner& owner, Wants& wants) {
  const Member& m = members_.get(owner);
  if (m.stage == MemberStage::kLaunching) return wants.alarm.wake(members_.in<stage::Launching>(owner).ask_at);
  if (m.stage != MemberStage::kDown) return;
  const auto& down = members_.in<stage::Down>(owner);
  if (down.agent_gone || !down.stuck.empty()) return;
  wants.add("volume:" + owner.member.value, down.not_before);
  // A record that may be old does not know who holds data: no place is given up before the doubt ends.
  const bool abandons = !m.holds_data && !members_.cluster_of(owner).doubt;
  if (wants.now >= down.not_before && abandons) wants.alarm.wake(down.not_before + kAbandonAfter);
}

std::string Upkeep::waiting_for(const Member& m, const MemberRow& row) const {
  const std::string who = "member " + m.id.value;
  std::string before;
  if (row.failures > 0) before = "; " + std::to_string(row.failures) + " before did not last: " + row.failed_why;
  if (m.stage == MemberStage::kLaunching) return "the task of " + who + " to start on " + agent_of(m, row) + before;
  if (m.stage == MemberStage::kRunning) {
    return is_unreachable(row) ? "agent " + m.place().hostname + " of " + who + " to be reachable again" : "";
  }
  const auto& down = row.in<stage::Down>();
  if (down.agent_gone) return who + ": agent " + m.place().hostname + " was marked gone, its volume will not return" + before;
  if (!down.stuck.empty()) return who + ": " + down.stuck + before;
  return "the volume of " + who + " to be offered by " + agent_of(m, row) + " for its next launch" + before;
}

}  // namespace mysos
