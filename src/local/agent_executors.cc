// SPDX-License-Identifier: Apache-2.0
// How executors begin, are watched, and end.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/secret.h"
#include "local/agent_executor.h"
#include "local/folders.h"
#include "local/master.h"
#include "mesos/stout_duration.h"

namespace mysos::local {
namespace {
constexpr Logger kLog{"local-agent"};
constexpr Duration kLookAgain =
    std::chrono::milliseconds(200);  // at kill_at, which others may bring forward
constexpr int kKilled = 9;

// As wait() would say it. A process that is not our child tells nobody how it ended.
int wait_status(const ExitStatus& exit) {
  switch (exit.kind) {
    case ExitStatus::Kind::kExited:
      return exit.value << 8;
    case ExitStatus::Kind::kSignaled:
      return exit.value;
    case ExitStatus::Kind::kGone:
      return kKilled;
  }
  return kKilled;
}

// Only root may run executors as another user. Nothing is run as ourselves that was meant for
// somebody with fewer rights.
Result<std::optional<ProcessUser>> user_for(const mesos::FrameworkInfo& framework,
                                            const mesos::TaskInfo& task) {
  const std::string& name = task.executor_user.empty() ? framework.user : task.executor_user;
  if (name.empty()) return std::nullopt;
  MYSOS_TRY(auto user, find_user(name));
  if (user.uid == ::geteuid()) return std::nullopt;
  if (::geteuid() == 0) return user;
  return fail(Errc::kForbidden, "it is to run as " + name + ", which only an agent of root can do");
}

Status own(const std::string& path, const std::optional<ProcessUser>& user) {
  if (user && ::lchown(path.c_str(), user->uid, user->gid) != 0) {
    return std::unexpected(errno_error("change the owner of", path, errno));
  }
  return {};
}

Duration grace_of(const mesos::TaskInfo& info, const AgentOptions& options) {
  return info.shutdown_grace > Duration::zero() ? info.shutdown_grace
                                                : options.executor_shutdown_grace;
}
}  // namespace

std::map<std::string, std::string> Agent::environment_of(const ExecutorRecord& record,
                                                         const std::string& token) const {
  const char* path = std::getenv("PATH");
  std::map<std::string, std::string> env;
  env["PATH"] =
      path != nullptr ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const auto& [name, value] : record.info.executor_env) env[name] = value;
  const std::string endpoint = config_.address + ":" + std::to_string(port_);
  env["LIBPROCESS_IP"] = config_.address;
  env["LIBPROCESS_PORT"] = "0";
  env["MESOS_AGENT_ENDPOINT"] = endpoint;
  env["MESOS_CHECKPOINT"] = "1";
  env["MESOS_DIRECTORY"] = record.sandbox;
  env["MESOS_EXECUTOR_AUTHENTICATION_TOKEN"] = token;
  env["MESOS_EXECUTOR_ID"] = record.info.executor.value;
  env["MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"] =
      mesos::to_stout_text(grace_of(record.info, config_.options));
  env["MESOS_FRAMEWORK_ID"] = record.framework.value;
  env["MESOS_HTTP_COMMAND_EXECUTOR"] = "0";
  env["MESOS_RECOVERY_TIMEOUT"] = config_.options.recovery_timeout;
  env["MESOS_SANDBOX"] = record.sandbox;
  env["MESOS_SLAVE_ID"] = state_.id.value;
  env["MESOS_SLAVE_PID"] = "slave(1)@" + endpoint;
  env["MESOS_SUBSCRIPTION_BACKOFF_MAX"] = "2secs";
  return env;
}

Status Agent::make_sandbox(const ExecutorRecord& record, const std::optional<ProcessUser>& user) {
  MYSOS_TRY_VOID(make_dirs(record.sandbox, kPassableDir));
  MYSOS_TRY_VOID(own(record.sandbox, user));
  const std::string latest = record.sandbox.substr(0, record.sandbox.rfind('/')) + "/latest";
  MYSOS_TRY_VOID(remove_file(latest));
  if (::symlink(record.container.c_str(), latest.c_str()) != 0) {
    return std::unexpected(errno_error("link", latest, errno));
  }
  return {};
}

Status Agent::link_volumes(const ExecutorRecord& record, const mesos::TaskInfo& task,
                           const std::optional<ProcessUser>& user) {
  for (const Resource& r : task.resources.list()) {
    if (!r.volume) continue;
    const std::string target = volume_dir(r);
    MYSOS_TRY_VOID(make_dirs(target, kPassableDir));
    MYSOS_TRY_VOID(own(target, user));
    const std::string link = record.sandbox + "/" + r.volume->container_path;
    MYSOS_TRY_VOID(make_dirs(link.substr(0, link.rfind('/')), kPassableDir));
    if (::symlink(target.c_str(), link.c_str()) != 0 && errno != EEXIST) {
      return std::unexpected(errno_error("link", link, errno));
    }
  }
  return {};
}

CgroupLimits Agent::limits_of(const Executor& executor) const {
  CgroupLimits limits;
  limits.hard_cpu = config_.options.hard_cpu_limit;
  const auto add = [&](const Resources& r) {
    limits.cpus_milli += r.milli("cpus");
    limits.mem_mib += r.milli("mem") / 1000;
  };
  add(executor.record.info.executor_resources);
  for (const auto& task : state_.tasks) {
    const bool of_it = task.framework == executor.record.framework &&
                       task.info.executor == executor.record.info.executor;
    if (of_it && !is_terminal(task.state)) add(task.info.resources);
  }
  return limits;
}

void Agent::resize(const Executor& executor) {
  if (cgroups_ == nullptr || executor.ending) return;
  const auto resized = cgroups_->resize(executor.record.container, limits_of(executor));
  if (!resized) kLog.warn("container {}: {}", executor.record.container, resized.error().message);
}

ExecutorRecord Agent::new_executor(const RunTask& m, const std::string& token) const {
  ExecutorRecord record{m.framework, m.info, m.task, random_uuid(), {}, 0, 0, hash_token(token)};
  record.sandbox = config_.dir + "/slaves/" + state_.id.value + "/frameworks/" + m.framework.value +
                   "/executors/" + m.task.executor.value + "/runs/" + record.container;
  return record;
}

Status Agent::launch_executor(const RunTask& m, ExecutorRecord& record, const std::string& token) {
  MYSOS_TRY(const auto user, user_for(m.info, m.task));
  MYSOS_TRY_VOID(make_sandbox(record, user));
  MYSOS_TRY_VOID(link_volumes(record, m.task, user));
  const auto executor = std::make_shared<Executor>(record);
  const ExecutorRecord& r = executor->record;

  ProcessOptions options;
  options.argv = {"/bin/sh", "-c", r.info.executor_command};
  options.env = environment_of(r, token);
  options.cwd = r.sandbox;
  options.user = user;
  options.stdout_file = r.sandbox + "/stdout";
  options.stderr_file = r.sandbox + "/stderr";
  if (cgroups_ != nullptr) {
    MYSOS_TRY_VOID(cgroups_->make(r.container, limits_of(*executor)));
    options.cgroup_procs = cgroups_->procs_files(r.container);
  }
  auto process = Process::spawn(options);
  if (!process) {
    if (cgroups_ != nullptr) {
      tasks_.spawn("container", [](const Cgroups* c, std::string id) -> asio::awaitable<void> {
        co_await c->destroy(std::move(id));
      }(cgroups_, r.container));
    }
    return std::unexpected(std::move(process).error());
  }
  executor->record.pid = process->pid();
  executor->record.start_time = process->start_time();
  executor->process = *std::move(process);
  executor->kill_at = steady_now() + config_.options.executor_registration_timeout;
  executor->end_reason = "REASON_EXECUTOR_REGISTRATION_TIMEOUT";
  executor->end_message = "Executor did not register within " +
                          mesos::to_stout_text(config_.options.executor_registration_timeout);
  record = executor->record;
  executors_[{m.framework, m.task.executor}] = executor;
  tasks_.spawn("executor " + m.task.executor.value, supervise(executor));
  return {};
}

void Agent::adopt_executors() {
  for (const ExecutorRecord& record : state_.executors) {
    const auto executor = std::make_shared<Executor>(record);
    executor->adopted = true;
    // pid 0: the agent ended while it launched it. Whatever runs in its container is killed, and its tasks have failed.
    auto process = Process::adopt(static_cast<pid_t>(record.pid), record.start_time);
    if (process) {
      executor->process = *std::move(process);
      executor->kill_at = steady_now() + config_.options.executor_reregistration_timeout;
      executor->end_state = mesos::TaskState::kGone;
      executor->end_reason = "REASON_EXECUTOR_REREGISTRATION_TIMEOUT";
      executor->end_message = "Executor did not reregister within " +
                              mesos::to_stout_text(config_.options.executor_reregistration_timeout);
    }
    executors_[{record.framework, record.info.executor}] = executor;
    tasks_.spawn("executor " + record.info.executor.value, supervise(executor));
  }
  for (TaskRecord& task : state_.tasks) {  // version 0.1 recorded a task before its executor
    if (is_terminal(task.state) || executors_.contains({task.framework, task.info.executor})) continue;
    agent_update(task, mesos::TaskState::kFailed, "REASON_EXECUTOR_TERMINATED",
                 "The agent ended while it launched the executor");
  }
}

// SHUTDOWN to one that listens, and SIGKILL when its grace is over.
void Agent::shutdown_executor(Executor& executor) {
  const bool listens = executor.subscribed();
  if (listens && !executor.ending) tell(executor, mesos::executor::Shutdown{});
  const Instant at =
      listens ? steady_now() + grace_of(executor.record.info, config_.options) : steady_now();
  executor.kill_at = executor.ending ? std::min(executor.kill_at, at) : at;
  executor.ending = true;
  executor.end_state = mesos::TaskState::kFailed;
  executor.end_reason = "REASON_EXECUTOR_TERMINATED";
  executor.end_message = "Executor terminated";
}

asio::awaitable<void> Agent::supervise(std::shared_ptr<Executor> executor) {
  ExitStatus exit;
  bool timed_out = false;
  if (executor->process) {
    for (;;) {
      const auto ended = co_await executor->process->wait_exit_for(kLookAgain);
      if (ended) {
        exit = *ended;
        break;
      }
      if (executor->kill_at > steady_now()) continue;
      timed_out = true;
      executor->kill_at = kNever;
      executor->ending = true;
      (void)executor->process->kill_group(SIGKILL);
      (void)executor->process->kill(SIGKILL);
    }
  }
  // The rest of the container goes with its first process.
  if (executor->process) ::kill(static_cast<pid_t>(-executor->record.pid), SIGKILL);
  bool oom = false;
  if (cgroups_ != nullptr) {
    oom = cgroups_->oom_killed(executor->record.container);
    co_await cgroups_->destroy(executor->record.container);
  }
  if (!timed_out) {
    executor->end_state = mesos::TaskState::kFailed;
    executor->end_reason = "REASON_EXECUTOR_TERMINATED";
    executor->end_message = "Executor terminated";
  }
  executor_ended(executor, wait_status(exit), oom);
}

// The newest stay for people to look into. Removing does not follow the links to volumes.
void Agent::retire_sandbox(const std::string& sandbox) {
  auto& old = state_.old_sandboxes;
  old.push_back(sandbox);
  while (old.size() > config_.options.kept_sandboxes) {
    if (const auto removed = remove_tree(old.front()); !removed)
      kLog.warn("sandbox: {}", removed.error().message);
    old.erase(old.begin());
  }
}

void Agent::executor_ended(const std::shared_ptr<Executor>& executor, int status, bool oom) {
  const ExecutorRecord& record = executor->record;
  if (executor->stream) executor->stream->close();
  executors_.erase({record.framework, record.info.executor});
  std::erase_if(state_.executors,
                [&](const ExecutorRecord& e) { return e.container == record.container; });
  retire_sandbox(record.sandbox);
  save();
  kLog.info("executor {} ended, wait status {}", record.info.executor.value, status);
  if (master_ != nullptr)
    master_->submit(ExecutorEnded{state_.id, record.framework, record.info.executor, status});
  if (oom) {
    fail_tasks(*executor, mesos::TaskState::kFailed, "REASON_CONTAINER_LIMITATION_MEMORY",
               "Memory limit exceeded: the container was killed by the kernel");
  } else {
    fail_tasks(*executor, executor->end_state, executor->end_reason, executor->end_message);
  }
  executors_changed_.notify_all();
}

void Agent::fail_tasks(const Executor& executor, mesos::TaskState state, const std::string& reason,
                       const std::string& message) {
  std::vector<TaskId> live;
  for (const auto& task : state_.tasks) {
    const bool of_it = task.framework == executor.record.framework &&
                       task.info.executor == executor.record.info.executor;
    if (of_it && !is_terminal(task.state)) live.push_back(task.info.id);
  }
  for (const auto& id : live) {
    if (TaskRecord* task = find_task(executor.record.framework, id))
      agent_update(*task, state, reason, message);
  }
}

}  // namespace mysos::local
