// SPDX-License-Identifier: Apache-2.0
// Agents: how they come, go, and what they report. Losing one says nothing about its tasks but that
// nobody sees them.
#include <fmt/format.h>

#include <algorithm>

#include "local/master_core.h"

namespace mysos::local {

void MasterCore::tell(const AgentId& agent, AgentMessage message) {
  const auto found = agents_.find(agent);
  if (found == agents_.end() || found->second.link != Link::kConnected) return;
  out_.agents.push_back({agent, std::move(message)});
}

// An agent may know tasks of a framework that this master has not met: its registry was lost.
MasterCore::Framework& MasterCore::framework_or_placeholder(const FrameworkId& id,
                                                            const mesos::TaskInfo& task) {
  Framework& f = frameworks_[id];
  if (!f.info.id) {
    f.info.id = id;
    for (const Resource& r : task.resources.list()) f.info.role = r.allocation_role;
  }
  return f;
}

void MasterCore::on(const RegisterAgent& in) {
  const auto known = in.id ? agents_.find(*in.id) : agents_.end();
  if (known != agents_.end() && known->second.link == Link::kGone) {
    out_.agents.push_back({*in.id, ShutdownAgent{}});
    return;
  }
  std::string greeting;
  if (known == agents_.end()) {
    greeting = "Unknown agent reregistered";
  } else if (known->second.link == Link::kUnreachable) {
    greeting = "Unreachable agent re-reregistered";  // as Mesos spells it
  }
  const AgentId id =
      in.id ? *in.id : AgentId(fmt::format("{}-S{}", master_id_, registry_.next_agent++));
  withdraw_offers(id, true);
  Agent& agent = agents_[id];
  agent.info = in.info;
  agent.link = Link::kConnected;
  agent.lost_at = kNever;
  agent.total = in.total;
  agent.held.clear();
  agent.executors.clear();
  AgentRecord& record = registry_.agents[id];
  if (!greeting.empty() || record.info != in.info) {
    record = {in.info, AgentMark::kRegistered};
    persist();
  }
  out_.agents.push_back({id, Registered{in.link, id}});
  adopt_tasks(id, agent, in, greeting);
  adopt_operations(id, in);
  allocate_soon();
}

void MasterCore::adopt_tasks(const AgentId& id, Agent& agent, const RegisterAgent& in,
                             const std::string& greeting) {
  const auto removed = [&](const FrameworkId& framework) {
    const auto found = registry_.frameworks.find(framework);
    return found != registry_.frameworks.end() && found->second.removed;
  };
  std::vector<FrameworkId> to_end;
  for (const auto& executor : in.executors) {
    if (removed(executor.framework)) {
      to_end.push_back(executor.framework);
    } else {
      agent.executors[{executor.framework, executor.info.executor}] = executor.info;
    }
  }
  for (const auto& framework : to_end) tell(id, ShutdownFramework{framework});

  for (const AgentTask& reported : in.tasks) {
    if (removed(reported.framework)) continue;
    Framework& f = framework_or_placeholder(reported.framework, reported.info);
    Task& task = f.tasks[reported.info.id];
    task.info = reported.info;
    task.state = reported.state;
    task.unreachable = false;
    task.pending.assign(reported.pending.begin(), reported.pending.end());
    task.backoff = Duration::zero();
    task.resend_at = task.pending.empty() ? kNever : now_;
    if (is_terminal(task.state)) continue;
    agent.held[{reported.framework, reported.info.id}] = reported.info.resources.allocated_to("");
    if (greeting.empty()) continue;
    auto update =
        master_update(reported.info.id, reported.state, "REASON_AGENT_REREGISTERED", greeting);
    update.agent = id;
    update.executor = reported.info.executor;
    send(f, std::move(update));
  }

  const auto reported = [&](const FrameworkId& framework, const TaskId& task) {
    return std::ranges::any_of(in.tasks, [&](const AgentTask& t) {
      return t.framework == framework && t.info.id == task;
    });
  };
  for (auto& [framework, f] : frameworks_) {
    for (auto it = f.tasks.begin(); it != f.tasks.end();) {
      if (it->second.info.agent != id || reported(framework, it->first)) {
        ++it;
        continue;
      }
      if (!is_terminal(it->second.state)) {
        auto update = master_update(it->first, mesos::TaskState::kDropped, "REASON_RECONCILIATION",
                                    "Reconciliation: task unknown to the agent");
        update.source = "SOURCE_AGENT";
        update.agent = id;
        send(f, std::move(update));
      }
      it = f.tasks.erase(it);
    }
  }
}

void MasterCore::adopt_operations(const AgentId& id, const RegisterAgent& in) {
  const auto reported = [&](const FrameworkId& framework, const OperationId& operation) {
    return std::ranges::any_of(in.operations, [&](const AgentOperation& o) {
      return o.framework == framework && o.status.operation == operation;
    });
  };
  for (auto& [framework, f] : frameworks_) {
    for (auto it = f.operations.begin(); it != f.operations.end();) {
      if (it->second.status.agent != id || reported(framework, it->first)) {
        ++it;
        continue;
      }
      if (it->second.status.uuid.empty()) {
        send(f, mesos::UpdateOperation{it->first, mesos::OperationState::kDropped, "", id,
                                       "Reconciliation: operation unknown to the agent"});
      }
      it = f.operations.erase(it);
    }
  }
  for (const AgentOperation& operation : in.operations)
    on(AgentOperationUpdate{id, operation.framework, operation.status});
}

void MasterCore::on(const AgentDisconnected& in) {
  const auto found = agents_.find(in.agent);
  if (found == agents_.end() || found->second.link != Link::kConnected) return;
  withdraw_offers(in.agent, true);
  found->second.link = Link::kDisconnected;
  found->second.lost_at = now_ + options_.agent_timeout;
}

void MasterCore::agent_unreachable(const AgentId& id, Agent& agent) {
  agent.link = Link::kUnreachable;
  agent.lost_at = kNever;
  registry_.agents[id].mark = AgentMark::kUnreachable;
  persist();
  drop_agent(id, agent, mesos::TaskState::kUnreachable);
}

void MasterCore::on(const MarkAgentGone& in) {
  const auto found = agents_.find(in.agent);
  if (found == agents_.end() || found->second.link == Link::kGone) return;
  tell(in.agent, ShutdownAgent{});
  withdraw_offers(in.agent, true);
  found->second.link = Link::kGone;
  found->second.lost_at = kNever;
  registry_.agents[in.agent] = {found->second.info, AgentMark::kGone};
  persist();
  drop_agent(in.agent, found->second, mesos::TaskState::kGoneByOperator);
}

// Tells the frameworks what became of its tasks, then that the agent is no more.
void MasterCore::drop_agent(const AgentId& id, Agent& agent, mesos::TaskState state) {
  const bool gone = state == mesos::TaskState::kGoneByOperator;
  agent.held.clear();
  agent.executors.clear();
  for (auto& [framework, f] : frameworks_) {
    for (auto it = f.tasks.begin(); it != f.tasks.end();) {
      Task& task = it->second;
      if (task.info.agent != id) {
        ++it;
        continue;
      }
      if (!is_terminal(task.state)) {
        auto update = master_update(
            it->first, state, gone ? "REASON_AGENT_REMOVED_BY_OPERATOR" : "REASON_AGENT_REMOVED",
            gone ? "Agent has been marked gone" : "health check timed out");
        update.agent = id;
        update.executor = task.info.executor;
        send(f, std::move(update));
      }
      task.unreachable = true;
      task.pending.clear();
      task.resend_at = kNever;
      it = gone || is_terminal(task.state) ? f.tasks.erase(it) : std::next(it);
    }
    send(f, mesos::Failure{id, std::nullopt, std::nullopt});
  }
}

void MasterCore::on(const AgentUpdate& in) {
  const auto agent = agents_.find(in.agent);
  if (agent == agents_.end() || agent->second.link != Link::kConnected) return;
  const auto found = frameworks_.find(in.framework);
  if (found == frameworks_.end()) {
    return tell(in.agent, AcknowledgeUpdate{in.framework, in.update.task, in.update.uuid});
  }
  Framework& f = found->second;
  Task& task = f.tasks[in.update.task];
  if (task.info.id.empty()) {  // one the master has given up already
    task.info.id = in.update.task;
    task.info.agent = in.agent;
    task.info.executor = in.update.executor.value_or(ExecutorId());
  }
  const auto same = [&](const mesos::Update& u) { return u.uuid == in.update.uuid; };
  if (std::ranges::any_of(task.pending, same)) return;
  task.state = in.update.state;
  task.pending.push_back(in.update);
  task.pending.back().agent = in.agent;
  if (is_terminal(task.state)) {
    agent->second.held.erase({in.framework, in.update.task});
    allocate_soon();
  }
  if (task.pending.size() == 1) send_front(f, task);
}

// Sends the oldest unacknowledged update, and again later.
void MasterCore::send_front(Framework& f, Task& task) {
  task.resend_at = kNever;
  if (task.pending.empty()) return;
  send(f, task.pending.front());
  task.backoff = std::clamp(task.backoff * 2, options_.resend_first, options_.resend_most);
  task.resend_at = now_ + task.backoff;
}

void MasterCore::on(const AgentOperationUpdate& in) {
  const auto agent = agents_.find(in.agent);
  const auto found = frameworks_.find(in.framework);
  if (agent == agents_.end() || agent->second.link != Link::kConnected) return;
  if (found == frameworks_.end())
    return tell(in.agent, ForgetOperation{in.framework, in.status.operation});
  OperationEntry& entry = found->second.operations[in.status.operation];
  entry.status = in.status;
  entry.status.agent = in.agent;
  entry.backoff = options_.resend_first;
  entry.resend_at = now_ + entry.backoff;
  send(found->second, entry.status);
  allocate_soon();
}

void MasterCore::on(const ExecutorEnded& in) {
  const auto agent = agents_.find(in.agent);
  if (agent == agents_.end() || agent->second.link != Link::kConnected) return;
  agent->second.executors.erase({in.framework, in.executor});
  allocate_soon();
  const auto found = frameworks_.find(in.framework);
  if (found != frameworks_.end())
    send(found->second, mesos::Failure{in.agent, in.executor, in.status});
}

void MasterCore::on(const ExecutorSaid& in) {
  const auto found = frameworks_.find(in.framework);
  if (found != frameworks_.end())
    send(found->second, mesos::ExecutorMessage{in.agent, in.executor, in.data});
}

}  // namespace mysos::local
