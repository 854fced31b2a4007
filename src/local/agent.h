// SPDX-License-Identifier: Apache-2.0
#pragma once
// One agent of the embedded Mesos: runs executors in containers, keeps reservations and volumes,
// speaks the v1 executor API. Its durable state is on disk (agent_state.h) before it reports
// anything. A container is a cgroup where that is possible, else a session of processes; it ends
// with its first process, and everything in it is killed then. Invariant: a task is reported ended
// only after every process of its container that can be found has been killed. An executor
// authenticates with a token in its environment and can act only for itself. It runs as the requested
// user, or not at all. While the agent cannot write its state, it answers nobody, like an agent of
// Mesos, which ends for the same reason: see agent_disk.cc.
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/http/server.h"
#include "base/process.h"
#include "base/task_group.h"
#include "local/agent_state.h"
#include "local/cgroups.h"
#include "local/subscriber.h"
#include "mesos/executor_api.h"

namespace mysos::local {

class Master;

struct AgentOptions {
  Duration executor_registration_timeout = std::chrono::minutes(1);
  Duration executor_reregistration_timeout =
      std::chrono::seconds(10);                                // after a restart of the agent
  Duration executor_shutdown_grace = std::chrono::seconds(5);  // where the ExecutorInfo says none
  std::string recovery_timeout = "2weeks";  // how long executors wait for a restarted agent
  bool hard_cpu_limit = false;              // CFS quota
  std::size_t kept_sandboxes = 50;          // of ended executors, per agent
};

struct AgentConfig {
  std::string dir;  // DIR/mesos/agent-N: the work directory
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string hostname = "127.0.0.1";
  Labels attributes;
  Resources resources;  // of a new agent; an existing agent takes only the ports from here (agent_ports.h)
  AgentOptions options;
};

class Agent {
 public:
  // `cgroups` may be null: plain processes. It outlives the agent.
  Agent(asio::any_io_executor executor, AgentConfig config, const Cgroups* cgroups);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Recovers what is on disk, re-adopts executors that live, listens.
  Status start();
  // Registers with the master; again after the master was restarted. Null: the link is gone.
  void connect(Master* master);
  // Without `keep` all containers are ended first, gently, then by force.
  asio::awaitable<void> stop(bool keep);

  [[nodiscard]] const AgentState& state() const { return state_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct Executor;
  using Key = std::pair<FrameworkId, ExecutorId>;

  // agent_disk.cc
  // True: state_ is on disk. False: the agent has disconnected from master and executors until it is.
  bool save();
  void fall_silent(const std::string& why);
  asio::awaitable<void> save_later();
  void remove_volumes();

  // agent.cc
  void link_to_master();
  void on_message(AgentMessage message);
  void on(const Registered& m);
  void on(const RunTask& m);
  void on(const KillAgentTask& m);
  void on(const ShutdownExecutor& m);
  void on(const ShutdownFramework& m);
  void on(const ApplyOperation& m);
  void on(const AcknowledgeUpdate& m);
  void on(const ForgetOperation& m);
  void on(const TellExecutor& m);
  void on(const ShutdownAgent& m);
  void register_with_master();
  TaskRecord* find_task(const FrameworkId& framework, const TaskId& task);
  Executor* find_executor(const FrameworkId& framework, const ExecutorId& executor);
  // Takes an update in: durable, then to the master.
  void record_update(TaskRecord& task, mesos::Update update);
  void agent_update(TaskRecord& task, mesos::TaskState state, std::string reason,
                    std::string message);
  [[nodiscard]] std::string volume_dir(const Resource& volume) const;

  // agent_executors.cc
  [[nodiscard]] ExecutorRecord new_executor(const RunTask& m, const std::string& token) const;
  // The record is stored already, so that a crash leaves no process that nobody knows; here it gets its process.
  Status launch_executor(const RunTask& m, ExecutorRecord& record, const std::string& token);
  Status make_sandbox(const ExecutorRecord& record, const std::optional<ProcessUser>& user);
  Status link_volumes(const ExecutorRecord& record, const mesos::TaskInfo& task,
                      const std::optional<ProcessUser>& user);
  [[nodiscard]] std::map<std::string, std::string> environment_of(
      const ExecutorRecord& record, const std::string& token) const;
  [[nodiscard]] CgroupLimits limits_of(const Executor& executor) const;
  void resize(const Executor& executor);
  void adopt_executors();
  void shutdown_executor(Executor& executor);
  asio::awaitable<void> supervise(std::shared_ptr<Executor> executor);
  void retire_sandbox(const std::string& sandbox);
  void executor_ended(const std::shared_ptr<Executor>& executor, int status, bool oom);
  void fail_tasks(const Executor& executor, mesos::TaskState state, const std::string& reason,
                  const std::string& message);

  // agent_http.cc
  asio::awaitable<void> handle(const HttpRequest& request, HttpExchange& exchange);
  [[nodiscard]] std::shared_ptr<Executor> holder_of_token(const HttpRequest& request) const;
  asio::awaitable<void> subscribe(std::shared_ptr<Executor> executor,
                                  mesos::executor::Subscribe call, HttpExchange& exchange);
  void reconcile_subscription(Executor& executor, const mesos::executor::Subscribe& call);
  void deliver_tasks(Executor& executor);
  void on_executor_update(Executor& executor, mesos::Update update);
  void tell(const Executor& executor, const mesos::executor::Event& event);

  asio::any_io_executor executor_;
  AgentConfig config_;
  const Cgroups* cgroups_;
  std::uint16_t port_ = 0;
  AgentState state_;
  Master* home_ = nullptr;    // the master that there is
  Master* master_ = nullptr;  // the same while the agent speaks to it
  bool unsaved_ = false;      // state_ is ahead of the disk and must not be reported
  std::string link_;
  std::map<Key, std::shared_ptr<Executor>>
      executors_;  // shared with the coroutine that supervises it
  HttpServer server_;
  TaskGroup tasks_;
  Signal executors_changed_;
};

}  // namespace mysos::local
