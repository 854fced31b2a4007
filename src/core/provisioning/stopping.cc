// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/stopping.h"

#include <algorithm>

namespace mysos {

Stopping::Stopping(Ledger& ledger, Members& members, StageChanges& stages, LifePart& next, const SchedulerConfig& config)
    : ledger_(ledger), members_(members), stages_(stages), next_(next), config_(config) {}

void Stopping::subscribed(const Owner& owner, Instant now) {
  auto& killing = members_.in<stage::Killing>(owner);
  killing.kill_at = now;
  killing.backoff = kKillAgainMin;
}

// No task of it is left.
void Stopping::over(const Owner& owner, Instant now) { stages_.to_releasing(owner, now); }

void Stopping::offered(const Owner& owner, const Holding& holding, AgentUse& use, Instant now) {
  over(owner, now);
  next_.offered(owner, holding, use, now);
}

void Stopping::alive(const Owner& owner, mesos::TaskState state, Instant now) {
  if (state == mesos::TaskState::kKilling) return;
  Instant& kill_at = members_.in<stage::Killing>(owner).kill_at;
  kill_at = std::min(kill_at, now + kReconcileMin);
}

void Stopping::ended(const Owner& owner, mesos::TaskState state, Instant now) {
  members_.tell(owner, {EventKind::kMemberStopped,
                        "task " + members_.get(owner).task.value + ": " + members_.row(owner).task.why});
  if (state != mesos::TaskState::kGoneByOperator) return over(owner, now);
  stages_.finish(owner, kAllGone);
}

void Stopping::await(const Owner& owner, Wants& wants) {
  const Member& m = members_.get(owner);
  auto& killing = members_.in<stage::Killing>(owner);
  if (wants.now >= killing.kill_at) {
    ledger_.call(mesos::Kill{m.task, m.place().agent, config_.kill_grace});
    // It does not obey, or does not hear: its agent ends the container.
    if (wants.now >= killing.since + config_.kill_grace + kShutdownAfter) {
      ledger_.call(mesos::Shutdown{ExecutorId(m.task.value), m.place().agent});
    }
    killing.kill_at = wants.now + killing.backoff;
    killing.backoff = std::min(killing.backoff * 2, kKillAgainMax);
  }
  wants.alarm.wake(killing.kill_at);
}

std::string Stopping::waiting_for(const Member& m, const MemberRow& row) const {
  return "the task of member " + m.id.value + " to end on " + agent_of(m, row);
}

}  // namespace mysos
