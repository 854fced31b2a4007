// SPDX-License-Identifier: Apache-2.0
// What the master says of tasks, operations and agents.
#include "base/assert.h"
#include "core/provisioning/launching.h"
#include "core/provisioning/provisioner.h"
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

struct OperationName {
  std::string kind;
  std::string resource_id;
};
// "<kind>.<resource id>.<tag>"
std::optional<OperationName> parse_operation(const OperationId& id) {
  const auto first = id.value.find('.');
  const auto last = id.value.rfind('.');
  if (first == std::string::npos || last <= first) return std::nullopt;
  return OperationName{id.value.substr(0, first), id.value.substr(first + 1, last - first - 1)};
}

}  // namespace

void Provisioner::on(const mesos::Update& in, Instant now) {
  if (!in.uuid.empty() && in.agent) ledger_.call(mesos::Acknowledge{*in.agent, in.task, in.uuid});
  const auto found = placed_.by_task(in.task);
  if (!found) {
    if (!later_launch(in, now)) stray(in, now);
    return;
  }
  const Owner owner = *found;
  if (row_of(owner).task.ended && !mesos::is_terminal(in.state)) return;  // an older update, sent again
  // That what runs is running comes for every task after each subscription, and makes nothing due.
  if (in.state != TaskState::kRunning || get(owner).stage != MemberStage::kRunning) wake(now);
  ledger_.touch(owner.cluster);
  if (mesos::is_terminal(in.state)) {
    ended(owner, in, now);
  } else if (in.state == TaskState::kUnreachable || in.state == TaskState::kLost || in.state == TaskState::kUnknown) {
    doubtful(owner, in, now);
  } else {
    alive(owner, in, now);
  }
}

void Provisioner::alive(const Owner& owner, const mesos::Update& in, Instant now) {
  reconciler_.settled(in.task);
  MemberRow& row = row_of(owner);
  row.task.told = in.state;
  row.task.why = words_of(in);
  row.task.accepted.reset();
  const bool executor_lives = in.state != TaskState::kStaging;
  if (executor_lives && !get(owner).holds_data) edit(owner).holds_data = true;
  switch (get(owner).stage) {
    case MemberStage::kWanted:
      MYSOS_ASSERT(false, "what has a task has a place");
    case MemberStage::kLaunching:
      if (in.state == TaskState::kRunning) to_running(owner, now);
      return;
    case MemberStage::kRunning:
      return;
    case MemberStage::kDown:  // the answer that it was gone came too early
      if (in.state == TaskState::kRunning) return to_running(owner, now);
      return to_launching(owner, now);
    case MemberStage::kKilling:
      if (in.state != TaskState::kKilling) {
        Instant& kill_at = row.in<stage::Killing>().kill_at;
        kill_at = std::min(kill_at, now + kReconcileMin);
      }
      return;
    case MemberStage::kReleasing:
      return to_killing(owner, now);
  }
}

void Provisioner::ended(const Owner& owner, const mesos::Update& in, Instant now) {
  reconciler_.settled(in.task);
  MemberRow& row = row_of(owner);
  row.task.told = in.state;
  row.task.why = words_of(in);
  if (had_container(in.state)) {
    row.task.ended = true;
    if (!get(owner).holds_data) edit(owner).holds_data = true;
    // An executor whose task has ended stays until it is told to go; it has nothing left to do.
    ledger_.call(mesos::Shutdown{ExecutorId(in.task.value), get(owner).place().agent});
  }
  const bool agent_gone = in.state == TaskState::kGoneByOperator;
  if (agent_gone) agents_.gone(get(owner).place().agent);
  switch (get(owner).stage) {
    case MemberStage::kWanted:
      MYSOS_ASSERT(false, "what has a task has a place");
    case MemberStage::kLaunching:
    case MemberStage::kRunning:
      to_down(owner, row.task.why, now);
      row.in<stage::Down>().port_taken = row.task.why.find(kPortTaken) != std::string::npos;
      [[fallthrough]];
    case MemberStage::kDown:
      if (agent_gone) row.in<stage::Down>().agent_gone = true;
      if (row.in<stage::Down>().agent_gone && !get(owner).holds_data) abandon_place(owner, "its agent is gone", now);
      return;
    case MemberStage::kKilling:
      tell(owner, {EventKind::kMemberStopped, "task " + in.task.value + ": " + row.task.why});
      if (!agent_gone) return to_releasing(owner, now);
      return finish(owner, "its agent is gone for good, and all of it with it");
    case MemberStage::kReleasing:
      if (agent_gone) finish(owner, "its agent is gone for good, and all of it with it");
      return;
  }
}

// Says nothing about whether it lives: it is kept, and asked about again.
void Provisioner::doubtful(const Owner& owner, const mesos::Update& in, Instant now) {
  MemberRow& row = row_of(owner);
  const bool news = row.task.told != in.state;
  row.task.told = in.state;
  row.task.why = words_of(in);
  reconciler_.keep_asking(in.task, get(owner).place().agent, now + kReconcileMin);
  if (news && in.state != TaskState::kUnknown) {
    tell(owner, {EventKind::kMemberUnreachable, "task " + in.task.value + " may still be running: " + row.task.why});
  }
}

// Each launch is recorded before it is sent, so a task of a later launch than the recorded one proves that the record is old.
// Such a task is the member: it is taken over where its place is known, and otherwise left alone. It is never killed, unless
// the member leaves: then its place is given back only once it has ended.
bool Provisioner::later_launch(const mesos::Update& in, Instant now) {
  const auto name = parse_task_id(in.task);
  const Cluster* cluster = name ? ledger_.find(name->cluster) : nullptr;
  if (cluster == nullptr) return false;
  const auto member = std::ranges::find(cluster->members, name->index, &Member::index);
  if (member == cluster->members.end() || name->launches <= member->launches) return false;
  const Owner owner{cluster->id, member->id};
  const bool lives = !mesos::is_terminal(in.state) && in.state != TaskState::kUnknown;
  const bool in_its_place = member->granted && in.agent == member->place().agent;
  if (member->leaves) {
    const bool going = member->stage == MemberStage::kKilling || member->stage == MemberStage::kReleasing;
    if (!lives || !going || !in_its_place) return false;
    take_over(owner, in.task, name->launches);
    to_killing(owner, now);
    wake(now);
    return true;
  }
  doubt_record(ledger_, owner.cluster, "task " + in.task.value + " is of a later launch than the record knows");
  const MemberStage stage = member->stage;
  const bool placed = stage == MemberStage::kLaunching || stage == MemberStage::kRunning || stage == MemberStage::kDown;
  if (!placed || !in_its_place) {
    if (lives && left_alone(in, *name, now)) {
      tell(owner, {EventKind::kTaskUnknown, "task " + in.task.value +
                                       " of this member runs in a place that the record does not know; it is left alone"});
    }
    return lives;
  }
  if (!lives) {
    edit(owner).launches = name->launches;  // no task id is used twice
    return false;
  }
  take_over(owner, in.task, name->launches);
  to_launching(owner, now);
  wake(now);
  tell(owner, {EventKind::kTaskFound, "task " + in.task.value + " of this member runs, which the record did not know"});
  on(in, now);
  return true;
}

void Provisioner::take_over(const Owner& owner, const TaskId& task, std::uint64_t launches) {
  reconciler_.settled(get(owner).task);
  unindex(owner);
  Member& m = edit(owner);
  m.task = task;
  m.launches = launches;
  index(owner);
  table_.forget_task(owner.member);
}

void Provisioner::on(const mesos::UpdateOperation& in, Instant now) {
  if (!in.uuid.empty()) ledger_.call(mesos::AcknowledgeOperation{in.operation, in.uuid, in.agent});
  const auto name = parse_operation(in.operation);
  if (!name) return;
  const auto owner = placed_.by_resource(name->resource_id);
  wake(now);
  if (!owner) return orphan_operation(name->kind, name->resource_id, in);
  ledger_.touch(owner->cluster);
  using mesos::OperationState;
  const bool failed = in.state == OperationState::kFailed || in.state == OperationState::kError ||
                      in.state == OperationState::kDropped;
  if (failed) {
    tell(*owner, {EventKind::kOperationFailed,
                  name->kind + " of " + name->resource_id + ": " + std::string(enum_text(in.state)) +
                                          (in.message.empty() ? "" : ", " + in.message)});
  }
  if (get(*owner).stage != MemberStage::kReleasing) return;
  if (name->kind == "unreserve") return unreserve_answered(*owner, in, failed, now);
  const bool destroyed = name->kind == "destroy" && in.state == OperationState::kFinished;
  if (destroyed && !get(*owner).released_volume) edit(*owner).released_volume = true;
}

// Of a member that is being released.
void Provisioner::unreserve_answered(const Owner& owner, const mesos::UpdateOperation& in, bool failed, Instant now) {
  using mesos::OperationState;
  auto& releasing = row_of(owner).in<stage::Releasing>();
  if (in.state == OperationState::kFinished) {
    finish(owner, "its volume is destroyed and its reservation on " + get(owner).place().hostname + " given back");
  } else if (in.state == OperationState::kGoneByOperator) {
    finish(owner, "its agent is gone for good, and all of it with it");
  } else if ((failed || in.state == OperationState::kUnknown) && in.operation == releasing.unreserve) {
    releasing.answer_by = kNever;
    releasing.since = now;  // only now is it on its way back
    releasing.unreserve = OperationId();
    releasing.not_before = now + backoff(++releasing.failures);
  }
}

void Provisioner::on(const mesos::Failure& in, Instant now) {
  wake(now);
  for (const auto& [task, owner] : placed_.all()) {
    const Member& m = get(owner);
    if (in.executor) {
      // The update of its task follows by itself, as a rule.
      if (in.executor->value == task.value) reconciler_.ask(task, m.place().agent, now + 2 * kReconcileMin);
    } else if (in.agent && m.place().agent == *in.agent) {
      reconciler_.ask(task, m.place().agent, now);
    }
  }
}

}  // namespace mysos
