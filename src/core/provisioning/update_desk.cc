// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/update_desk.h"

#include <algorithm>
#include <optional>

#include "core/provisioning/launching.h"
#include "core/state/doubt.h"

namespace mysos {
namespace {

using mesos::TaskState;

std::string words_of(const mesos::Update& in) {
  std::string out(enum_text(in.state));
  if (!in.reason.empty()) out += ", " + in.reason;
  if (!in.message.empty()) out += ": " + in.message;
  return out;
}

// "<kind>.<resource id>.<tag>"
std::optional<OperationName> parse_operation(const OperationId& id) {
  const auto first = id.value.find('.');
  const auto last = id.value.rfind('.');
  if (first == std::string::npos || last <= first) return std::nullopt;
  return OperationName{id.value.substr(0, first), id.value.substr(first + 1, last - first - 1)};
}

}  // namespace

UpdateDesk::UpdateDesk(Ledger& ledger, MemberTable& table, Members& members, const LifeParts& life, StageChanges& stages,
                       Reconciler& reconciler, OrphanHandling& orphans, AgentTable& agents, Alarm& alarm)
    : ledger_(ledger),
      table_(table),
      members_(members),
      life_(life),
      stages_(stages),
      reconciler_(reconciler),
      orphans_(orphans),
      agents_(agents),
      alarm_(alarm) {}

// ---- tasks ----
void UpdateDesk::take(const mesos::Update& in, Instant now) {
  if (!in.uuid.empty() && in.agent) ledger_.call(mesos::Acknowledge{*in.agent, in.task, in.uuid});
  const auto found = members_.placed().by_task(in.task);
  if (!found) {
    if (!later_launch(in, now)) orphans_.stray(in, now);
    return;
  }
  const Owner owner = *found;
  if (members_.row(owner).task.ended && !mesos::is_terminal(in.state)) return;  // an older update, sent again
  // That what runs is running comes for every task after each subscription, and makes nothing due.
  if (in.state != TaskState::kRunning || members_.get(owner).stage != MemberStage::kRunning) alarm_.wake(now);
  ledger_.touch(owner.cluster);
  if (mesos::is_terminal(in.state)) {
    ended(owner, in, now);
  } else if (in.state == TaskState::kUnreachable || in.state == TaskState::kLost || in.state == TaskState::kUnknown) {
    doubtful(owner, in, now);
  } else {
    alive(owner, in, now);
  }
}

void UpdateDesk::alive(const Owner& owner, const mesos::Update& in, Instant now) {
  reconciler_.settled(in.task);
  MemberRow& row = members_.row(owner);
  row.task.told = in.state;
  row.task.why = words_of(in);
  row.task.accepted.reset();
  const bool executor_lives = in.state != TaskState::kStaging;
  if (executor_lives && !members_.get(owner).holds_data) members_.edit(owner).holds_data = true;
  life_.of(members_.get(owner).stage).alive(owner, in.state, now);
}

void UpdateDesk::ended(const Owner& owner, const mesos::Update& in, Instant now) {
  reconciler_.settled(in.task);
  MemberRow& row = members_.row(owner);
  row.task.told = in.state;
  row.task.why = words_of(in);
  if (had_container(in.state)) {
    row.task.ended = true;
    if (!members_.get(owner).holds_data) members_.edit(owner).holds_data = true;
    // An executor whose task has ended stays until it is told to go; it has nothing left to do.
    ledger_.call(mesos::Shutdown{ExecutorId(in.task.value), members_.get(owner).place().agent});
  }
  if (in.state == TaskState::kGoneByOperator) agents_.gone(members_.get(owner).place().agent);
  life_.of(members_.get(owner).stage).ended(owner, in.state, now);
}

// Says nothing about whether it lives: it is kept, and asked about again.
void UpdateDesk::doubtful(const Owner& owner, const mesos::Update& in, Instant now) {
  MemberRow& row = members_.row(owner);
  const bool news = row.task.told != in.state;
  row.task.told = in.state;
  row.task.why = words_of(in);
  reconciler_.keep_asking(in.task, members_.get(owner).place().agent, now + kReconcileMin);
  if (news && in.state != TaskState::kUnknown) {
    members_.tell(owner,
                  {EventKind::kMemberUnreachable, "task " + in.task.value + " may still be running: " + row.task.why});
  }
}

// Each launch is recorded before it is sent, so a task of a later launch than the recorded one proves that the record is old.
// Such a task is the member: it is taken over where its place is known, and otherwise left alone. It is never killed, unless
// the member leaves.
bool UpdateDesk::later_launch(const mesos::Update& in, Instant now) {
  const auto name = parse_task_id(in.task);
  const Cluster* cluster = name ? ledger_.find(name->cluster) : nullptr;
  if (cluster == nullptr) return false;
  const auto member = std::ranges::find(cluster->members, name->index, &Member::index);
  if (member == cluster->members.end() || name->launches <= member->launches) return false;
  const Owner owner{cluster->id, member->id};
  if (member->leaves) return later_launch_of_leaving(owner, in, name->launches, now);
  doubt_record(ledger_, owner.cluster, "task " + in.task.value + " is of a later launch than the record knows");
  const bool lives = !mesos::is_terminal(in.state) && in.state != TaskState::kUnknown;
  const bool in_its_place = member->granted && in.agent == member->place().agent;
  const MemberStage stage = member->stage;
  const bool placed = stage == MemberStage::kLaunching || stage == MemberStage::kRunning || stage == MemberStage::kDown;
  if (!placed || !in_its_place) {
    if (lives && orphans_.left_alone(in, *name, now)) {
      members_.tell(owner, {EventKind::kTaskUnknown,
                            "task " + in.task.value +
                                " of this member runs in a place that the record does not know; it is left alone"});
    }
    return lives;
  }
  if (!lives) {
    members_.edit(owner).launches = name->launches;  // no task id is used twice
    return false;
  }
  take_over(owner, in.task, name->launches);
  stages_.to_launching(owner, now);
  alarm_.wake(now);
  members_.tell(owner,
                {EventKind::kTaskFound, "task " + in.task.value + " of this member runs, which the record did not know"});
  take(in, now);
  return true;
}

// Its place is given back only once that task has ended.
bool UpdateDesk::later_launch_of_leaving(const Owner& owner, const mesos::Update& in, std::uint64_t launches, Instant now) {
  const Member& m = members_.get(owner);
  const bool lives = !mesos::is_terminal(in.state) && in.state != TaskState::kUnknown;
  const bool going = m.stage == MemberStage::kKilling || m.stage == MemberStage::kReleasing;
  if (!lives || !going || in.agent != m.place().agent) return false;
  take_over(owner, in.task, launches);
  stages_.to_killing(owner, now);
  alarm_.wake(now);
  return true;
}

void UpdateDesk::take_over(const Owner& owner, const TaskId& task, std::uint64_t launches) {
  stages_.leave_task(owner);
  members_.change_place(owner, [&](Member& m) {
    m.task = task;
    m.launches = launches;
  });
  table_.forget_task(owner.member);
}

// ---- operations ----
void UpdateDesk::take(const mesos::UpdateOperation& in, Instant now) {
  if (!in.uuid.empty()) ledger_.call(mesos::AcknowledgeOperation{in.operation, in.uuid, in.agent});
  const auto name = parse_operation(in.operation);
  if (!name) return;
  alarm_.wake(now);
  const auto owner = members_.placed().by_resource(name->resource_id);
  if (!owner) return orphans_.answered(*name, in);
  ledger_.touch(owner->cluster);
  if (has_failed(in.state)) {
    members_.tell(*owner, {EventKind::kOperationFailed, name->kind + " of " + name->resource_id + ": " + words_of(in)});
  }
  life_.of(members_.get(*owner).stage).answered(*owner, *name, in, now);
}

// ---- offers and agents ----
void UpdateDesk::take(const mesos::Rescind& in, Instant now) {
  alarm_.wake(now);
  for (const auto& [task, owner] : members_.placed().all()) {
    MemberRow& row = members_.row(owner);
    if (row.task.accepted != in.offer) continue;
    row.task.accepted.reset();
    reconciler_.ask(task, members_.get(owner).place().agent, now + kReconcileMin);
  }
}

void UpdateDesk::take(const mesos::Failure& in, Instant now) {
  alarm_.wake(now);
  for (const auto& [task, owner] : members_.placed().all()) {
    const Member& m = members_.get(owner);
    if (in.executor) {
      // The update of its task follows by itself, as a rule.
      if (in.executor->value == task.value) reconciler_.ask(task, m.place().agent, now + 2 * kReconcileMin);
    } else if (in.agent && m.place().agent == *in.agent) {
      reconciler_.ask(task, m.place().agent, now);
    }
  }
}

}  // namespace mysos
