// SPDX-License-Identifier: Apache-2.0
// What time makes due, in each stage of a member and besides.
#include <algorithm>
#include <utility>

#include "core/provisioning/provisioner.h"

namespace mysos {

void Provisioner::advance(Instant now) {
  next_ = kNever;
  std::set<std::string> wants;
  for (const Owner& owner : unsettled([](MemberStage) { return true; })) {
    if (overdue(owner, now)) await(owner, wants, now);
  }
  add_orphans_wanted(wants, now);
  wake(orphans_.next(now));
  if (in_doubt()) reconciler_.ask_for_all(now + kReconcileInDoubt);
  for (mesos::Call& call : reconciler_.due(now)) ledger_.call(std::move(call));
  wake(reconciler_.next());
  for (auto& [task, agent] : introductions_.due(now)) {
    ledger_.call(mesos::Message{std::move(agent), ExecutorId(task.value), std::string(kIdentify)});
  }
  wake(introductions_.next());
  if (auto call = tap_.pace(std::move(wants), now)) ledger_.call(*std::move(call));
  wake(tap_.next());
}

// What has waited long enough goes on. False: the member is no more.
bool Provisioner::overdue(const Owner& owner, Instant now) {
  const Member& m = get(owner);
  MemberRow& row = row_of(owner);
  if (m.stage == MemberStage::kLaunching) {
    launch_overdue(owner, row.in<stage::Launching>(), now);
  } else if (m.stage == MemberStage::kDown) {
    if (!m.holds_data && now >= row.in<stage::Down>().not_before + kAbandonAfter) {
      abandon_place(owner, "its agent offers nothing", now);
    }
  } else if (m.stage == MemberStage::kReleasing) {
    const auto& releasing = row.in<stage::Releasing>();
    if (!m.holds_data && releasing.answer_by == kNever && now >= releasing.since + kForgetAfter) {
      orphan_unused(m, now);
      finish(owner, "its agent offers nothing, and nothing of it was ever seen there");
      return false;
    }
  }
  return true;
}

void Provisioner::launch_overdue(const Owner& owner, stage::Launching& launching, Instant now) {
  if (now < launching.ask_at) return;
  launching.ask_at = now + kLaunchPatience;
  const Member& m = get(owner);
  if (row_of(owner).task.told == mesos::TaskState::kUnknown && !m.holds_data) {
    to_down(owner, "nothing was heard of its launch, and the master does not know it", now);
  } else {
    reconciler_.ask(m.task, m.place().agent, now);
  }
}

// What it needs of the next offers, or when it is looked at again.
void Provisioner::await(const Owner& owner, std::set<std::string>& wants, Instant now) {
  MemberRow& row = row_of(owner);
  switch (get(owner).stage) {
    case MemberStage::kWanted:
      return want(wants, "place:" + owner.member.value, row.in<stage::Wanted>().not_before, now);
    case MemberStage::kLaunching:
      return wake(row.in<stage::Launching>().ask_at);
    case MemberStage::kRunning:
      return;
    case MemberStage::kDown:
      return await_volume(owner, row.in<stage::Down>(), wants, now);
    case MemberStage::kKilling:
      return kill(owner, row.in<stage::Killing>(), now);
    case MemberStage::kReleasing:
      return await_release(owner, row.in<stage::Releasing>(), wants, now);
  }
}

void Provisioner::want(std::set<std::string>& wants, std::string what, Instant not_before, Instant now) {
  if (now < not_before) return wake(not_before);
  wants.insert(std::move(what));
}

void Provisioner::await_volume(const Owner& owner, const stage::Down& down, std::set<std::string>& wants, Instant now) {
  if (down.agent_gone || !down.stuck.empty()) return;
  want(wants, "volume:" + owner.member.value, down.not_before, now);
  // A record that may be old does not know who holds data: no place is given up before the doubt ends.
  const bool abandons = !get(owner).holds_data && !cluster_of(owner).doubt;
  if (now >= down.not_before && abandons) wake(down.not_before + kAbandonAfter);
}

void Provisioner::kill(const Owner& owner, stage::Killing& killing, Instant now) {
  const Member& m = get(owner);
  if (now >= killing.kill_at) {
    ledger_.call(mesos::Kill{m.task, m.place().agent, config_.kill_grace});
    // It does not obey, or does not hear: its agent ends the container.
    if (now >= killing.since + config_.kill_grace + kShutdownAfter) {
      ledger_.call(mesos::Shutdown{ExecutorId(m.task.value), m.place().agent});
    }
    killing.kill_at = now + killing.backoff;
    killing.backoff = std::min(killing.backoff * 2, kKillAgainMax);
  }
  wake(killing.kill_at);
}

void Provisioner::await_release(const Owner& owner, stage::Releasing& releasing, std::set<std::string>& wants, Instant now) {
  const Member& m = get(owner);
  if (releasing.answer_by != kNever && now >= releasing.answer_by) {
    ledger_.call(mesos::ReconcileOperations{{{releasing.unreserve, m.place().agent}}});
    releasing.answer_by = kNever;
  }
  if (releasing.answer_by != kNever) return wake(releasing.answer_by);
  if (!m.holds_data) wake(releasing.since + kForgetAfter);
  want(wants, "release:" + owner.member.value, releasing.not_before, now);
}

}  // namespace mysos
