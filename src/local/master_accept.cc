// SPDX-License-Identifier: Apache-2.0
// ACCEPT: the operations of one acceptance are judged and done in order, each on what the earlier
// ones left.
#include <fmt/format.h>

#include <algorithm>

#include "local/master_core.h"
#include "local/operations.h"

namespace mysos::local {

struct MasterCore::Acceptance {
  AgentId agent_id;
  Agent& agent;
  std::string role;
  Resources pool;  // allocated to role

  [[nodiscard]] std::string agent_text() const {
    return fmt::format("{} at slave(1)@{}:{} ({})", agent_id.value, agent.info.ip, agent.info.port,
                       agent.info.hostname);
  }
};

void MasterCore::on_call(Framework& f, const mesos::Accept& call) {
  std::string invalid;
  std::optional<AgentId> agent_id;
  std::optional<std::string> role;
  Resources pool;
  for (const OfferId& id : call.offers) {
    const auto found = offers_.find(id);
    if (found == offers_.end() || found->second.framework != *f.info.id) {
      invalid = "Offer " + id.value + " is no longer valid";
      continue;
    }
    const OutstandingOffer& offer = found->second;
    if (agent_id && *agent_id != offer.agent) {
      invalid = "Aggregated offers must belong to one single agent";
    } else if (role && *role != offer.role) {
      invalid = "Aggregated offers must be allocated to the same role";
    }
    agent_id = offer.agent;
    role = offer.role;
    pool += offer.resources;
    offers_.erase(found);
  }
  if (call.offers.empty()) invalid = "No offers specified";
  if (!invalid.empty()) return drop_invalid(f, call, invalid);

  Acceptance acceptance{*agent_id, agents_.at(*agent_id), *role, std::move(pool)};
  for (const auto& operation : call.operations)
    run_operation(f, acceptance, allocated(operation, *role));
  add_filter(f, *agent_id, acceptance.pool, call.refuse);
}

void MasterCore::drop_invalid(Framework& f, const mesos::Accept& call, const std::string& why) {
  for (const auto& operation : call.operations) {
    if (const auto* tasks = std::get_if<mesos::Launch>(&operation.what)) {
      for (const auto& task : tasks->tasks) {
        auto update = master_update(task.id, mesos::TaskState::kDropped, "REASON_INVALID_OFFERS",
                                    "Task launched with invalid offers: " + why);
        update.agent = task.agent;
        send(f, std::move(update));
      }
    } else if (!operation.id.empty()) {
      send(f, mesos::UpdateOperation{operation.id, mesos::OperationState::kError, "", std::nullopt,
                                     "Operation attempted with invalid offers: " + why});
    }
  }
  allocate_at_interval(now_);
}

void MasterCore::run_operation(Framework& f, Acceptance& a, const mesos::Operation& operation) {
  if (const auto* tasks = std::get_if<mesos::Launch>(&operation.what)) {
    for (const auto& task : tasks->tasks) launch(f, a, task);
    return;
  }
  const OperationContext context{a.pool, a.agent.total, f.info.principal, a.role, a.agent_text()};
  auto why = refusal(operation, context);
  if (!why && !operation.id.empty() && f.operations.contains(operation.id)) {
    why = "Operation ID '" + operation.id.value + "' is already in use";
  }
  if (why) {
    if (operation.id.empty()) return;
    return send(f, mesos::UpdateOperation{operation.id, mesos::OperationState::kError, "",
                                          std::nullopt, *why});
  }
  a.pool = converted(a.pool, operation);
  mesos::Operation unallocated = allocated(operation, "");
  a.agent.total = converted(a.agent.total, unallocated);
  if (!operation.id.empty()) {
    f.operations[operation.id].status = {operation.id, mesos::OperationState::kPending, "",
                                         a.agent_id, ""};
  }
  tell(a.agent_id, ApplyOperation{*f.info.id, std::move(unallocated)});
}

namespace {
bool same_executor(const mesos::TaskInfo& a, const mesos::TaskInfo& b) {
  return a.executor_command == b.executor_command && a.executor_user == b.executor_user && a.executor_env == b.executor_env &&
         a.executor_resources == b.executor_resources && a.shutdown_grace == b.shutdown_grace;
}
}  // namespace

std::optional<std::string> MasterCore::task_refusal(const Framework& f, const Acceptance& a,
                                                    const mesos::TaskInfo& task) const {
  if (!is_valid_id(task.id.value)) return "'" + task.id.value + "' contains invalid characters";
  if (f.tasks.contains(task.id)) return "Task has duplicate ID: " + task.id.value;
  if (task.agent != a.agent_id) {
    return "Task uses invalid agent " + task.agent.value + " while agent " + a.agent_id.value +
           " is expected";
  }
  if (task.executor.empty() || task.executor_command.empty()) {
    return "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present";
  }
  if (!is_valid_id(task.executor.value))
    return "'" + task.executor.value + "' contains invalid characters";
  if (task.resources.empty()) return "Task uses no resources";
  const auto running = a.agent.executors.find({*f.info.id, task.executor});
  Resources wanted = task.resources;
  if (running == a.agent.executors.end()) {
    wanted += task.executor_resources;
  } else if (!same_executor(running->second, task)) {
    return "ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.";
  }
  if (!a.pool.contains(wanted)) {
    return "Total resources " + mesos_text(wanted) +
           " required by task and its executor is more than available " + mesos_text(a.pool);
  }
  return std::nullopt;
}

void MasterCore::launch(Framework& f, Acceptance& a, const mesos::TaskInfo& task) {
  if (const auto why = task_refusal(f, a, task)) {
    auto update = master_update(task.id, mesos::TaskState::kError, "REASON_TASK_INVALID", *why);
    update.agent = task.agent;
    return send(f, std::move(update));
  }
  const std::pair executor_key{*f.info.id, task.executor};
  a.pool -= task.resources;
  if (!a.agent.executors.contains(executor_key)) {
    a.pool -= task.executor_resources;
    a.agent.executors[executor_key] = task;
  }
  a.agent.held[{*f.info.id, task.id}] = task.resources.allocated_to("");
  f.tasks[task.id].info = task;
  tell(a.agent_id, RunTask{*f.info.id, f.info, task});
}

}  // namespace mysos::local
