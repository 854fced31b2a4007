// SPDX-License-Identifier: Apache-2.0
#include "local/agent.h"

#include <algorithm>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/secret.h"
#include "local/agent_executor.h"
#include "local/agent_ports.h"
#include "local/folders.h"
#include "local/master.h"
#include "local/operations.h"

namespace mysos::local {
namespace {
constexpr Logger kLog{"local-agent"};
}  // namespace

Agent::Agent(asio::any_io_executor executor, AgentConfig config, const Cgroups* cgroups)
    : executor_(executor),
      config_(std::move(config)),
      cgroups_(cgroups),
      server_(executor, [this](const HttpRequest& r, HttpExchange& x) { return handle(r, x); }),
      tasks_(executor),
      executors_changed_(executor) {}

Agent::~Agent() = default;

Status Agent::start() {
  for (const char* part : {"", "/slaves", "/volumes", "/volumes/roles"}) MYSOS_TRY_VOID(make_passable_dir(config_.dir + part));
  const std::string file = config_.dir + "/agent.json";
  if (path_exists(file)) {
    MYSOS_TRY(const std::string text, read_file(file));
    auto state = decode_state(text);
    if (!state) return std::unexpected(std::move(state).error().with_context(file));
    state_ = *std::move(state);
    state_.total = with_block(state_, config_.resources);
  } else {
    state_.total = config_.resources;
  }
  if (state_.gone) {
    kLog.warn("agent {} was marked gone and does not come back", state_.id.value);
    return {};
  }
  MYSOS_TRY(port_, server_.listen(config_.address, config_.port));
  config_.port = port_;
  remove_volumes();
  adopt_executors();
  return {};
}

void Agent::connect(Master* master) {
  home_ = master;
  if (!unsaved_) link_to_master();
}

void Agent::link_to_master() {
  if (master_ != nullptr && home_ == nullptr) master_->detach(link_, state_.id);
  master_ = state_.gone ? nullptr : home_;
  if (master_ != nullptr) register_with_master();
}

void Agent::register_with_master() {
  link_ = random_uuid();
  RegisterAgent in;
  in.link = link_;
  if (!state_.id.empty()) in.id = state_.id;
  in.info = {config_.hostname, config_.address, port_, config_.attributes};
  in.total = state_.total;
  for (const auto& t : state_.tasks) in.tasks.push_back({t.framework, t.info, t.state, t.pending});
  for (const auto& e : state_.executors) in.executors.push_back({e.framework, e.info});
  in.operations = state_.operations;
  master_->attach(link_, [this](AgentMessage m) { on_message(std::move(m)); });
  master_->submit(std::move(in));
}

asio::awaitable<void> Agent::stop(bool keep) {
  if (!keep) {
    for (const auto& [key, executor] : executors_) shutdown_executor(*executor);
    while (!executors_.empty()) co_await executors_changed_.wait();
  }
  connect(nullptr);
  for (const auto& [key, executor] : executors_) {
    if (executor->stream) executor->stream->close();
  }
  co_await server_.stop();
  co_await tasks_.cancel_and_join();
  executors_.clear();
}

TaskRecord* Agent::find_task(const FrameworkId& framework, const TaskId& task) {
  const auto found = std::ranges::find_if(state_.tasks, [&](const TaskRecord& t) {
    return t.framework == framework && t.info.id == task;
  });
  return found == state_.tasks.end() ? nullptr : &*found;
}

Agent::Executor* Agent::find_executor(const FrameworkId& framework, const ExecutorId& executor) {
  const auto found = executors_.find({framework, executor});
  return found == executors_.end() ? nullptr : found->second.get();
}

std::string Agent::volume_dir(const Resource& volume) const {
  return config_.dir + "/volumes/roles/" + volume.reservations.back().role + "/" +
         volume.volume->id.value;
}

void Agent::on_message(AgentMessage message) {
  std::visit([this](const auto& m) { on(m); }, message);
}

void Agent::on(const Registered& m) {
  if (state_.id == m.agent) return;
  state_.id = m.agent;
  save();
}

void Agent::on(const RunTask& m) {
  Executor* running = find_executor(m.framework, m.task.executor);
  TaskRecord record{m.framework, m.task, mesos::TaskState::kStaging, false, {}, {}};
  state_.tasks.push_back(std::move(record));
  if (running == nullptr) {
    const std::string token = random_token();
    state_.executors.push_back(new_executor(m, token));
    if (!save()) {  // nothing is started that would be unknown after a crash; the master hears that the task is not here
      state_.tasks.pop_back();
      state_.executors.pop_back();
      return;
    }
    const auto launched = launch_executor(m, state_.executors.back(), token);
    if (!launched) state_.executors.pop_back();
    save();
    if (launched) return;
    kLog.warn("executor {} cannot be launched: {}", m.task.executor.value,
              launched.error().message);
    if (master_ != nullptr)
      master_->submit(ExecutorEnded{state_.id, m.framework, m.task.executor, -1});
    agent_update(*find_task(m.framework, m.task.id), mesos::TaskState::kFailed,
                 "REASON_CONTAINER_LAUNCH_FAILED",
                 "Failed to launch container: " + launched.error().message);
    return;
  }
  TaskRecord& task = state_.tasks.back();
  if (running->ending) {
    return agent_update(task, mesos::TaskState::kDropped, "REASON_EXECUTOR_TERMINATED",
                        "Executor is terminating");
  }
  if (!save()) {
    state_.tasks.pop_back();
    return;
  }
  if (const auto linked = link_volumes(running->record, m.task, std::nullopt); !linked) {
    return agent_update(task, mesos::TaskState::kFailed, "REASON_CONTAINER_LAUNCH_FAILED",
                        linked.error().message);
  }
  resize(*running);
  if (running->subscribed()) deliver_tasks(*running);
}

void Agent::on(const KillAgentTask& m) {
  TaskRecord* task = find_task(m.framework, m.task);
  if (task == nullptr || is_terminal(task->state)) return;
  Executor* executor = find_executor(m.framework, task->info.executor);
  if (!task->delivered && executor != nullptr && !executor->adopted) {
    const ExecutorId id = task->info.executor;
    agent_update(*task, mesos::TaskState::kKilled, "REASON_TASK_KILLED_DURING_LAUNCH",
                 "Killed before delivery to the executor");
    const bool others = std::ranges::any_of(state_.tasks, [&](const TaskRecord& t) {
      return t.framework == m.framework && t.info.executor == id && !is_terminal(t.state);
    });
    if (!others) shutdown_executor(*executor);
    return;
  }
  if (executor != nullptr && executor->subscribed())
    tell(*executor, mesos::executor::KillTask{m.task, m.grace});
}

void Agent::on(const ShutdownExecutor& m) {
  if (Executor* executor = find_executor(m.framework, m.executor)) shutdown_executor(*executor);
}

void Agent::on(const ShutdownFramework& m) {
  for (const auto& [key, executor] : executors_) {
    if (key.first == m.framework) shutdown_executor(*executor);
  }
}

void Agent::on(const ApplyOperation& m) {
  const Conversion c = conversion_of(m.operation);
  mesos::UpdateOperation status{m.operation.id, mesos::OperationState::kFinished, "", state_.id,
                                ""};
  if (!state_.total.contains(c.consumed)) {
    status.state = mesos::OperationState::kFailed;
    status.message = "the agent does not have " + mesos_text(c.consumed);
  } else {
    state_.total = converted(state_.total, m.operation);
    for (const Resource& r : c.produced.list()) {
      if (!r.volume) continue;
      if (const auto made = make_dirs(volume_dir(r), kPassableDir); !made)
        kLog.error("volume: {}", made.error().message);
    }
  }
  if (!m.operation.id.empty()) {
    status.uuid = random_uuid_base64();
    state_.operations.push_back({m.framework, status});
  }
  for (const Resource& r : c.consumed.list()) {
    if (r.volume && status.state == mesos::OperationState::kFinished) state_.doomed_volumes.push_back(volume_dir(r));
  }
  if (save()) remove_volumes();
  if (!m.operation.id.empty() && master_ != nullptr) {
    master_->submit(AgentOperationUpdate{state_.id, m.framework, status});
  }
}

void Agent::on(const AcknowledgeUpdate& m) {
  TaskRecord* task = find_task(m.framework, m.task);
  if (task == nullptr) return;
  std::erase_if(task->pending, [&](const mesos::Update& u) { return u.uuid == m.uuid; });
  if (task->pending.empty() && is_terminal(task->state)) {
    std::erase_if(state_.tasks, [&](const TaskRecord& t) {
      return t.framework == m.framework && t.info.id == m.task;
    });
  }
  save();
}

void Agent::on(const ForgetOperation& m) {
  std::erase_if(state_.operations, [&](const AgentOperation& op) {
    return op.framework == m.framework && op.status.operation == m.operation;
  });
  save();
}

void Agent::on(const TellExecutor& m) {
  Executor* executor = find_executor(m.framework, m.executor);
  if (executor != nullptr && executor->subscribed())
    tell(*executor, mesos::executor::Message{m.data});
}

void Agent::on(const ShutdownAgent&) {
  kLog.warn("agent {} has been marked gone: its executors end now", state_.id.value);
  state_.gone = true;
  save();
  for (const auto& [key, executor] : executors_) {
    executor->ending = true;
    executor->kill_at = steady_now();
  }
}

void Agent::record_update(TaskRecord& task, mesos::Update update) {
  update.agent = state_.id;
  task.state = update.state;
  task.pending.push_back(update);
  save();
  if (master_ != nullptr)
    master_->submit(AgentUpdate{state_.id, task.framework, std::move(update)});
}

void Agent::agent_update(TaskRecord& task, mesos::TaskState state, std::string reason,
                         std::string message) {
  mesos::Update u;
  u.task = task.info.id;
  u.state = state;
  u.source = "SOURCE_AGENT";
  u.reason = std::move(reason);
  u.message = std::move(message);
  u.executor = task.info.executor;
  u.uuid = random_uuid_base64();
  u.timestamp = static_cast<double>(wall_now().ms) / 1000.0;
  record_update(task, std::move(u));
}

}  // namespace mysos::local
