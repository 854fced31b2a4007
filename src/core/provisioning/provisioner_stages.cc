// SPDX-License-Identifier: Apache-2.0
// From one stage of a member to another.
#include <algorithm>

#include "base/assert.h"
#include "core/provisioning/provisioner.h"

namespace mysos {

Duration Provisioner::backoff(std::uint32_t failures) {
  Duration wait = config_.relaunch_min;
  for (std::uint32_t i = 1; i < failures && wait < config_.relaunch_max; ++i) wait *= 2;
  wait = std::min(wait, config_.relaunch_max);
  return wait + Duration(static_cast<Duration::rep>(ledger_.prng().below(static_cast<std::uint64_t>(wait.count()) / 10 + 1)));
}

// All stages are entered here. Who is to be watched follows from them.
void Provisioner::enter(const Owner& owner, stage::Any next) {
  table_.enter(edit(owner), std::move(next));
  ledger_.watches_changed();
}

void Provisioner::to_launching(const Owner& owner, Instant now) { enter(owner, stage::Launching{now + kLaunchPatience}); }

void Provisioner::to_running(const Owner& owner, Instant now) {
  enter(owner, stage::Running{now});
  Member& m = edit(owner);
  m.holds_data = true;
  ask_for_secrets(owner, now);
  tell(owner, {EventKind::kMemberRunning, "task " + m.task.value + " runs on " + m.place().hostname});
}

void Provisioner::to_down(const Owner& owner, const std::string& why, Instant now) {
  const Member& m = get(owner);
  introductions_.settled(m.task);
  MemberRow& row = row_of(owner);
  const auto* running = std::get_if<stage::Running>(&row.stage());
  const bool lasted = running != nullptr && running->since != kNever && now - running->since >= config_.relaunch_max;
  row.failures = lasted ? 1 : row.failures + 1;
  row.failed_why = why;
  row.connected = false;
  enter(owner, stage::Down{.not_before = now + backoff(row.failures)});
  // If its ACCEPT never arrived, the master still thinks that we are looking at the offer.
  if (row.task.accepted) ledger_.call(mesos::Decline{{*row.task.accepted}, Duration::zero()});
  row.task.accepted.reset();
  tell(owner, {EventKind::kMemberDown, "task " + m.task.value + ": " + why});
}

void Provisioner::to_killing(const Owner& owner, Instant now) {
  MYSOS_ASSERT(get(owner).leaves, "only the task of a member that leaves is ended");
  enter(owner, stage::Killing{.since = now, .kill_at = now, .backoff = kKillAgainMin});
}

void Provisioner::to_releasing(const Owner& owner, Instant now) {
  MYSOS_ASSERT(get(owner).leaves, "only the volume of a member that leaves is given back");
  enter(owner, stage::Releasing{.since = now, .not_before = now});
}

// A member that is down. Nothing of it holds data: it may live anywhere. What was reserved for it, if anything, is an orphan
// from now on.
void Provisioner::abandon_place(const Owner& owner, const std::string& why, Instant now) {
  if (cluster_of(owner).doubt) return;  // a record that may be old does not know who holds data
  Member& m = edit(owner);
  MYSOS_ASSERT(!m.holds_data, "a member that has held data keeps its place");
  tell(owner, {EventKind::kPlacementAbandoned, "the place on " + m.place().hostname + " is given up: " + why});
  orphan_unused(m, now);
  reconciler_.settled(m.task);
  unindex(owner);
  enter(owner, stage::Wanted{row_of(owner).in<stage::Down>().not_before});
  m.granted.reset();
  m.task = TaskId();
  m.volume_name.clear();
  m.volume_lost = false;
  m.server_id = 0;
  table_.forget_task(owner.member);
}

void Provisioner::finish(const Owner& owner, const std::string& why) {
  const Member& m = get(owner);
  tell(owner, {EventKind::kMemberReleased, why});
  reconciler_.settled(m.task);
  unindex(owner);
  table_.remove(owner.member);
  ledger_.watches_changed();
  Cluster& cluster = ledger_.edit(owner.cluster);
  std::erase_if(cluster.members, [&](const Member& member) { return member.id == owner.member; });
  if (!cluster.members.empty()) return;
  ledger_.event(cluster, {EventKind::kClusterDeleted, "all of it has been given back"});
  ledger_.erase(owner.cluster);
}

// It leaves, from whatever stage it is in.
void Provisioner::send_away(const Owner& owner, Instant now) {
  edit(owner).leaves = true;
  switch (get(owner).stage) {
    case MemberStage::kWanted:
      return finish(owner, "it never had a place");
    case MemberStage::kLaunching:
    case MemberStage::kRunning:
      return to_killing(owner, now);
    case MemberStage::kDown:
      if (row_of(owner).in<stage::Down>().agent_gone) return finish(owner, "its agent is gone for good");
      return to_releasing(owner, now);
    case MemberStage::kKilling:
    case MemberStage::kReleasing:
      return;
  }
}

void Provisioner::begin_delete(const ClusterId& id, Instant now) {
  wake(now);
  Cluster& cluster = ledger_.edit(id);
  cluster.deleting = true;
  cluster.switchover_to.reset();
  ledger_.event(cluster, {EventKind::kClusterDeleting, "a user asked for it"});
  std::vector<Owner> owners;
  for (const Member& m : cluster.members) owners.push_back({id, m.id});
  for (const Owner& owner : owners) send_away(owner, now);
}

}  // namespace mysos
