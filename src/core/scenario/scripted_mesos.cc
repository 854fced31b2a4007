// SPDX-License-Identifier: Apache-2.0
#include "core/scenario/scripted_mesos.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mysos::scenario {
namespace {

Resources unvolumed(const Resources& volumes) {
  Resources out;
  for (Resource r : volumes.list()) {
    r.volume.reset();
    out += Resources{r};
  }
  return out;
}

}  // namespace

void ScriptedMesos::add_agent(const std::string& name, std::int64_t cpus, std::int64_t mem_mib, std::int64_t disk_mib) {
  Agent agent;
  agent.total = Resources{scalar("cpus", cpus * 1000), scalar("mem", mem_mib * 1000), scalar("disk", disk_mib * 1000),
                          ports({{31000, 31009}})}
                    .allocated_to(kRole);
  agent.free = agent.total;
  agents[AgentId(name)] = agent;
}

void ScriptedMesos::post(mesos::Event event) {
  if (subscribed_) events_.push_back(std::move(event));
}

void ScriptedMesos::subscribe() {
  disconnect();
  subscribed_ = true;
  suppressed = false;
  for (auto& [id, agent] : agents) agent.declined = false;
  post(mesos::Subscribed{framework, 15, "master-1"});
  for (const auto& [uuid, event] : pending_) post(event);
}

void ScriptedMesos::disconnect() {
  subscribed_ = false;
  events_.clear();
  for (const auto& [id, offer] : offers_) agents[offer.agent].free += offer.resources;
  offers_.clear();
}

std::optional<mesos::Event> ScriptedMesos::next_event() {
  if (!subscribed_) return std::nullopt;
  if (events_.empty() && !suppressed) {
    mesos::Offers offers;
    for (auto& [id, agent] : agents) {
      if (agent.free.empty() || agent.declined || agent.unreachable) continue;
      const OfferId offer("offer-" + std::to_string(1000 + next_id_++));
      offers.offers.push_back({offer, id, "host-" + id.value, "10.0.0." + id.value, 5051, kRole, {}, agent.free});
      offers_[offer] = {id, std::exchange(agent.free, Resources{})};
    }
    if (!offers.offers.empty()) post(std::move(offers));
  }
  if (events_.empty()) return std::nullopt;
  mesos::Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void ScriptedMesos::call(const mesos::Call& call) {
  if (!subscribed_) return;
  calls.push_back(call);
  std::visit([&](const auto& c) { on(c); }, call);
}

void ScriptedMesos::update(const TaskId& task, const AgentId& agent, mesos::TaskState state, const std::string& reason,
                           bool reliable) {
  mesos::Update update;
  update.task = task;
  update.state = state;
  update.agent = agent;
  update.reason = reason;
  if (reliable) {
    update.uuid = "uuid-" + std::to_string(1000000 + next_id_++);
    pending_[update.uuid] = update;
  }
  post(update);
}

void ScriptedMesos::on(const mesos::Accept& c) {
  std::optional<AgentId> agent;
  Resources pool;
  bool valid = !c.offers.empty();
  for (const OfferId& id : c.offers) {
    const auto found = offers_.find(id);
    if (found == offers_.end()) {
      valid = false;
      continue;
    }
    agent = found->second.agent;
    pool += found->second.resources;
    offers_.erase(found);
  }
  for (const mesos::Operation& operation : c.operations) {
    const auto* tasks_in = std::get_if<mesos::Launch>(&operation.what);
    if (valid) {
      run(operation, *agent, pool);
    } else if (tasks_in != nullptr) {
      update(tasks_in->tasks.front().id, tasks_in->tasks.front().agent, mesos::TaskState::kDropped,
             "REASON_INVALID_OFFERS", false);
    }
  }
  if (!agent) return;
  agents[*agent].free += pool;
  agents[*agent].declined = true;
}

void ScriptedMesos::run(const mesos::Operation& operation, const AgentId& agent, Resources& pool) {
  std::string kind;
  Resources takes;
  Resources gives;
  if (const auto* reserve = std::get_if<mesos::Reserve>(&operation.what)) {
    kind = "reserve";
    gives = reserve->resources;
    takes = gives.popped();
  } else if (const auto* unreserve = std::get_if<mesos::Unreserve>(&operation.what)) {
    kind = "unreserve";
    takes = unreserve->resources;
    gives = takes.popped();
  } else if (const auto* create = std::get_if<mesos::Create>(&operation.what)) {
    kind = "create";
    gives = create->volumes;
    takes = unvolumed(gives);
  } else if (const auto* destroy = std::get_if<mesos::Destroy>(&operation.what)) {
    kind = "destroy";
    takes = destroy->volumes;
    gives = unvolumed(takes);
  } else {
    return launch(std::get<mesos::Launch>(operation.what).tasks.front(), pool);
  }
  ASSERT_FALSE(operation.id.empty()) << "feedback is wanted for each " << kind;
  mesos::UpdateOperation update{operation.id, mesos::OperationState::kError, "", std::nullopt, "refused"};
  if (pool.contains(takes) && !refused_operations.contains(kind)) {
    pool -= takes;
    pool += gives;
    update = {operation.id, mesos::OperationState::kFinished, "op-" + std::to_string(1000000 + next_id_++), agent, ""};
    if (silent_operations) return;
    pending_[update.uuid] = update;
  }
  post(update);
}

void ScriptedMesos::launch(const mesos::TaskInfo& task, Resources& pool) {
  if (tasks.contains(task.id) || !pool.contains(task.resources)) {
    return update(task.id, task.agent, mesos::TaskState::kError, "REASON_TASK_INVALID", false);
  }
  pool -= task.resources;
  tasks[task.id] = {task, mesos::TaskState::kRunning};
  update(task.id, task.agent, mesos::TaskState::kStarting, "", true);
  update(task.id, task.agent, mesos::TaskState::kRunning, "", true);
}

void ScriptedMesos::on(const mesos::Decline& c) {
  for (const OfferId& id : c.offers) {
    const auto found = offers_.find(id);
    if (found == offers_.end()) continue;
    Agent& agent = agents[found->second.agent];
    agent.free += found->second.resources;
    agent.declined = c.refuse > Duration::zero();
    offers_.erase(found);
  }
}

void ScriptedMesos::on(const mesos::Revive&) {
  suppressed = false;
  for (auto& [id, agent] : agents) agent.declined = false;
}

void ScriptedMesos::on(const mesos::Kill& c) {
  if (deaf) return;
  const auto found = tasks.find(c.task);
  if (found != tasks.end() && !mesos::is_terminal(found->second.state) &&
      !agents[found->second.info.agent].unreachable) {
    return end_task(c.task, mesos::TaskState::kKilled, "");
  }
  update(c.task, c.agent.value_or(AgentId()), answer(c.task, c.agent), "REASON_RECONCILIATION", false);
}

mesos::TaskState ScriptedMesos::answer(const TaskId& task, const std::optional<AgentId>& agent) const {
  const auto known = agent ? agents.find(*agent) : agents.end();
  if (known == agents.end()) return mesos::TaskState::kUnknown;
  if (known->second.unreachable) return mesos::TaskState::kUnreachable;
  if (known->second.total.empty()) return mesos::TaskState::kGoneByOperator;
  const auto found = tasks.find(task);
  return found == tasks.end() ? mesos::TaskState::kGone : found->second.state;
}

void ScriptedMesos::on(const mesos::Reconcile& c) {
  if (!answers_reconcile) return;
  for (const auto& [task, agent] : c.tasks) {
    update(task, agent.value_or(AgentId()), answer(task, agent), "REASON_RECONCILIATION", false);
  }
  if (!c.tasks.empty()) return;
  for (const auto& [id, task] : tasks) {
    if (mesos::is_terminal(task.state) || agents[task.info.agent].unreachable) continue;
    update(id, task.info.agent, task.state, "REASON_RECONCILIATION", false);
  }
}

void ScriptedMesos::on(const mesos::ReconcileOperations& c) {
  for (const auto& [operation, agent] : c.operations) {
    post(mesos::UpdateOperation{operation, mesos::OperationState::kUnknown, "", agent, ""});
  }
}

void ScriptedMesos::end_task(const TaskId& task, mesos::TaskState state, const std::string& why) {
  end_task_in_silence(task);
  tasks.at(task).state = state;
  update(task, tasks.at(task).info.agent, state, why, true);
}

void ScriptedMesos::end_task_in_silence(const TaskId& task) {
  Task& ended = tasks.at(task);
  ended.state = mesos::TaskState::kFailed;
  agents[ended.info.agent].free += ended.info.resources;
  agents[ended.info.agent].declined = false;  // what is free is more than what was declined
}

void ScriptedMesos::remove_framework(const FrameworkId& next) {
  disconnect();
  pending_.clear();
  for (auto& [id, task] : tasks) {
    if (!mesos::is_terminal(task.state)) end_task_in_silence(id);
  }
  framework = next;
}

void ScriptedMesos::say(const TaskId& task, mesos::TaskState state) {
  update(task, tasks.at(task).info.agent, state, "REASON_RECONCILIATION", false);
}

void ScriptedMesos::set_unreachable(const std::string& name, bool unreachable) {
  agents.at(AgentId(name)).unreachable = unreachable;
  for (const auto& [id, task] : tasks) {
    if (task.info.agent.value != name || mesos::is_terminal(task.state)) continue;
    update(id, task.info.agent, unreachable ? mesos::TaskState::kUnreachable : task.state, "REASON_AGENT", false);
  }
  if (unreachable) post(mesos::Failure{AgentId(name), std::nullopt, std::nullopt});
}

void ScriptedMesos::mark_gone(const std::string& name) {
  Agent& agent = agents.at(AgentId(name));
  agent = Agent{};
  for (auto& [id, task] : tasks) {
    if (task.info.agent.value != name || mesos::is_terminal(task.state)) continue;
    task.state = mesos::TaskState::kGoneByOperator;
    update(id, task.info.agent, task.state, "REASON_AGENT_REMOVED_BY_OPERATOR", false);
  }
  post(mesos::Failure{AgentId(name), std::nullopt, std::nullopt});
}

void ScriptedMesos::rescind_all() {
  for (const auto& [id, offer] : offers_) {
    agents[offer.agent].free += offer.resources;
    post(mesos::Rescind{id});
  }
  offers_.clear();
}

void ScriptedMesos::stray_task(const std::string& agent, const TaskId& task) {
  tasks[task].info.id = task;
  tasks[task].info.agent = AgentId(agent);
  update(task, AgentId(agent), mesos::TaskState::kRunning, "", true);
}

Resources ScriptedMesos::reserve_for(const std::string& name, const Labels& labels, std::int64_t cpus) {
  Agent& agent = agents.at(AgentId(name));
  const Resources part = Resources{scalar("cpus", cpus * 1000)}.allocated_to(kRole);
  const Resources reserved = part.reserved_as({kRole, "somebody", labels});
  agent.free -= part;
  agent.free += reserved;
  return reserved;
}

void ScriptedMesos::drop_reservation(const std::string& name) {
  Agent& agent = agents.at(AgentId(name));
  Resources plain;
  for (Resource r : agent.free.list()) {
    r.volume.reset();
    plain += Resources{r};
  }
  agent.free = plain;
  agent.declined = false;
}

std::size_t ScriptedMesos::live_tasks() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(tasks, [](const auto& t) { return !mesos::is_terminal(t.second.state); }));
}

bool ScriptedMesos::nothing_held() const {
  return std::ranges::all_of(agents, [&](const auto& entry) {
    Resources all = entry.second.free;
    for (const auto& [id, offer] : offers_) {
      if (offer.agent == entry.first) all += offer.resources;
    }
    return all == entry.second.total;
  });
}

}  // namespace mysos::scenario
