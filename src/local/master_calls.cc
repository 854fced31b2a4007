// SPDX-License-Identifier: Apache-2.0
// The calls of a framework, but ACCEPT.
#include <algorithm>

#include "local/master_core.h"

namespace mysos::local {

void MasterCore::on_call(Framework& f, const mesos::Decline& call) {
  for (const OfferId& id : call.offers) {
    const auto found = offers_.find(id);
    if (found == offers_.end() || found->second.framework != *f.info.id) continue;
    add_filter(f, found->second.agent, found->second.resources, call.refuse);
    offers_.erase(found);
  }
}

void MasterCore::on_call(Framework& f, const mesos::Revive&) {
  f.suppressed = false;
  f.filters.clear();
  allocate_soon();
}

void MasterCore::on_call(Framework& f, const mesos::Kill& call) {
  const auto found = f.tasks.find(call.task);
  if (found == f.tasks.end()) return reconcile_task(f, call.task, call.agent);
  const AgentId& id = found->second.info.agent;
  const auto agent = agents_.find(id);
  if (agent == agents_.end() || agent->second.link == Link::kUnreachable)
    return reconcile_task(f, call.task, id);
  if (agent->second.link == Link::kConnected)
    tell(id, KillAgentTask{*f.info.id, call.task, call.grace});
}

void MasterCore::on_call(Framework& f, const mesos::Shutdown& call) {
  const auto agent = agents_.find(call.agent);
  if (agent == agents_.end() || agent->second.link != Link::kConnected) return;
  if (!agent->second.executors.contains({*f.info.id, call.executor})) return;
  tell(call.agent, ShutdownExecutor{*f.info.id, call.executor});
}

void MasterCore::on_call(Framework& f, const mesos::Acknowledge& call) {
  const auto found = f.tasks.find(call.task);
  if (found == f.tasks.end()) return;
  Task& task = found->second;
  if (task.pending.empty() || task.pending.front().uuid != call.uuid) return;
  const bool ended = is_terminal(task.pending.front().state);
  task.pending.pop_front();
  tell(call.agent, AcknowledgeUpdate{*f.info.id, call.task, call.uuid});
  task.resend_at = kNever;
  task.backoff = Duration::zero();
  if (!task.pending.empty()) {
    send_front(f, task);
  } else if (ended) {
    f.tasks.erase(found);
  }
}

void MasterCore::on_call(Framework& f, const mesos::AcknowledgeOperation& call) {
  const auto found = f.operations.find(call.operation);
  if (found == f.operations.end() || found->second.status.uuid != call.uuid) return;
  tell(found->second.status.agent.value_or(AgentId()), ForgetOperation{*f.info.id, call.operation});
  f.operations.erase(found);
}

void MasterCore::on_call(Framework& f, const mesos::Reconcile& call) {
  for (const auto& [task, agent] : call.tasks) reconcile_task(f, task, agent);
  if (!call.tasks.empty()) return;
  for (const auto& [id, task] : f.tasks) {
    if (!task.unreachable && !is_terminal(task.state)) reconcile_task(f, id, task.info.agent);
  }
}

// Explicit reconciliation of one task; also the answer to a KILL of a task that is not there.
void MasterCore::reconcile_task(Framework& f, const TaskId& id,
                                const std::optional<AgentId>& agent_id) {
  using enum mesos::TaskState;
  const auto reply = [&](mesos::TaskState state, const char* message,
                         const std::optional<AgentId>& where,
                         const std::optional<ExecutorId>& executor) {
    auto update = master_update(id, state, "REASON_RECONCILIATION",
                                std::string("Reconciliation: ") + message);
    update.agent = where;
    update.executor = executor;
    send(f, std::move(update));
  };
  const auto known = f.tasks.find(id);
  const auto where = known != f.tasks.end() ? std::optional(known->second.info.agent) : agent_id;
  if (known != f.tasks.end() && !known->second.unreachable) {
    return reply(known->second.state, "Latest task state", where, known->second.info.executor);
  }
  const auto agent = where ? agents_.find(*where) : agents_.end();
  if (agent != agents_.end()) {
    switch (agent->second.link) {
      case Link::kRecovered:
        return;  // it may run there: silence until the agent is back
      case Link::kConnected:
      case Link::kDisconnected:
        return reply(kGone, "Task is unknown to the agent", where, std::nullopt);
      case Link::kUnreachable:
        return reply(kUnreachable, "Task is unreachable", where, std::nullopt);
      case Link::kGone:
        return reply(kGoneByOperator, "Task is gone", where, std::nullopt);
    }
  }
  const auto recovering = [](const auto& entry) { return entry.second.link == Link::kRecovered; };
  if (!where && std::ranges::any_of(agents_, recovering)) return;
  reply(kUnknown, "Task is unknown", where, std::nullopt);
}

mesos::UpdateOperation MasterCore::reconciled_operation(
    const Framework& f, const OperationId& operation,
    const std::optional<AgentId>& agent_id) const {
  using enum mesos::OperationState;
  mesos::UpdateOperation status;
  status.operation = operation;
  status.agent = agent_id;
  status.state = kUnknown;
  const auto known = f.operations.find(operation);
  const auto agent = agent_id ? agents_.find(*agent_id) : agents_.end();
  const Link link = agent == agents_.end() ? Link::kConnected : agent->second.link;
  if (known != f.operations.end()) {
    status.state = known->second.status.state;
    status.agent = known->second.status.agent;
    status.message = "Reconciliation: Latest operation status";
  } else if (!agent_id) {
    status.message = "Reconciliation: Operation is unknown and no 'agent_id' was provided";
  } else if (link == Link::kRecovered) {
    status.state = kRecovering;
    status.message = "Reconciliation: Agent is recovering";
  } else if (link == Link::kUnreachable) {
    status.state = kUnreachable;
    status.message = "Reconciliation: Agent is unreachable";
  } else if (link == Link::kGone) {
    status.state = kGoneByOperator;
    status.message = "Reconciliation: Agent marked gone by operator";
  } else {
    status.message = "Reconciliation: Operation is unknown";
  }
  return status;
}

void MasterCore::on_call(Framework& f, const mesos::ReconcileOperations& call) {
  for (const auto& [operation, agent] : call.operations)
    send(f, reconciled_operation(f, operation, agent));
  if (!call.operations.empty()) return;
  for (const auto& [operation, entry] : f.operations) {
    send(f, reconciled_operation(f, operation, entry.status.agent));
  }
}

void MasterCore::on_call(Framework& f, const mesos::Message& call) {
  const auto agent = agents_.find(call.agent);
  if (agent == agents_.end() || agent->second.link != Link::kConnected) return;
  tell(call.agent, TellExecutor{*f.info.id, call.executor, call.data});
}

}  // namespace mysos::local
