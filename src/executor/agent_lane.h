// SPDX-License-Identifier: Apache-2.0
#pragma once
// The executor's life under a Mesos agent: subscribes, takes its MemberSpec from the one task it is
// launched with, reports TASK_STARTING, then TASK_RUNNING once the member API listens (creating a
// database needs the scheduler's Setup first, so readiness of mysqld is not waited for). A kill or
// a shutdown stops mysqld cleanly within the grace given, reports TASK_KILLED, and waits, bounded,
// until the agent has it. When mysqld dies, MemberCore restarts it, and the task stays RUNNING.
// Belongs to the io_context's thread.
#include <deque>
#include <memory>
#include <optional>

#include "base/asio.h"
#include "base/task_group.h"
#include "executor/member_shell.h"
#include "mesos/executor_client.h"

namespace mysos {

inline constexpr Duration kMaxLaunchWait = std::chrono::minutes(5);
inline constexpr Duration kFlushWait = std::chrono::seconds(5);

class AgentLane {
 public:
  // `base`: the settings of every member; the spec and the volume come with the task.
  AgentLane(const asio::any_io_executor& executor, mesos::ExecutorEnvironment environment,
            MemberShellConfig base);

  // Ends when the member is stopped and the agent has been told. Returns the exit code.
  asio::awaitable<int> run();
  void stop();  // SIGTERM: the same as a shutdown

 private:
  void take(mesos::executor::Event event);
  asio::awaitable<std::optional<mesos::executor::Event>> next_event(Duration at_most);
  asio::awaitable<int> serve(mesos::TaskInfo task);
  asio::awaitable<Duration> wait_for_the_end();
  asio::awaitable<void> stop_member(Duration grace);
  asio::awaitable<void> finish(mesos::TaskState state, std::string message);
  Result<std::unique_ptr<MemberShell>> open_member(const mesos::TaskInfo& task);
  void report(mesos::TaskState state, std::string message = {});

  asio::any_io_executor executor_;
  MemberShellConfig base_;
  mesos::ExecutorClient client_;
  std::deque<mesos::executor::Event> events_;
  Signal arrived_;
  mesos::TaskInfo task_;
  std::unique_ptr<MemberShell> member_;
};

}  // namespace mysos
