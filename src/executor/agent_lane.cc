// SPDX-License-Identifier: Apache-2.0
#include "executor/agent_lane.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace mysos {
namespace {

constexpr Logger kLog{"executor"};
constexpr Duration kGraceMargin =
    std::chrono::milliseconds(500);  // of a shutdown: to report, before the agent kills us
constexpr Duration kEventLook = std::chrono::minutes(1);
namespace ex = mesos::executor;

template <class T>
bool is(const std::optional<ex::Event>& event) {
  return event && std::holds_alternative<T>(*event);
}

// Sandboxes are closed to others, and mysqld runs as somebody else and reaches the volume through
// it.
void open_sandbox(const std::string& dir) {
  struct stat st{};
  if (::geteuid() != 0 || ::stat(dir.c_str(), &st) != 0) return;
  if (::chmod(dir.c_str(), (st.st_mode & 07777) | S_IXGRP | S_IXOTH) != 0)
    kLog.warn("cannot open {} to mysqld", dir);
}

}  // namespace

AgentLane::AgentLane(const asio::any_io_executor& executor, mesos::ExecutorEnvironment environment,
                     MemberShellConfig base)
    : executor_(executor),
      base_(std::move(base)),
      client_(executor, std::move(environment),
              [this](ex::Event event) { take(std::move(event)); }),
      arrived_(executor) {}

void AgentLane::take(ex::Event event) {
  events_.push_back(std::move(event));
  arrived_.notify_all();
}

void AgentLane::stop() { take(ex::Shutdown{}); }

asio::awaitable<std::optional<ex::Event>> AgentLane::next_event(Duration at_most) {
  const Instant until = steady_now() + at_most;
  while (events_.empty() && steady_now() < until) co_await arrived_.wait_for(until - steady_now());
  if (events_.empty()) co_return std::nullopt;
  ex::Event event = std::move(events_.front());
  events_.pop_front();
  co_return std::optional(std::move(event));
}

void AgentLane::report(mesos::TaskState state, std::string message) {
  mesos::Update update;
  update.task = task_.id;
  update.state = state;
  update.message = std::move(message);
  client_.update(std::move(update));
}

asio::awaitable<int> AgentLane::run() {
  client_.start();
  const Instant until = steady_now() + kMaxLaunchWait;
  int code = 1;
  for (;;) {
    std::optional<ex::Event> event = co_await next_event(until - steady_now());
    if (!event) {
      kLog.error("the agent has launched nothing");
      break;
    }
    if (is<ex::Shutdown>(event)) {
      code = 0;
      break;
    }
    if (const auto* failed = std::get_if<ex::Failed>(&*event)) {
      kLog.error("the agent refuses this executor: {}", failed->message);
      break;
    }
    if (auto* launch = std::get_if<ex::LaunchTask>(&*event)) {
      code = co_await serve(std::move(launch->task));
      break;
    }
  }
  co_await client_.stop();
  co_return code;
}

Result<std::unique_ptr<MemberShell>> AgentLane::open_member(const mesos::TaskInfo& task) {
  auto spec = from_json_text<MemberSpec>(task.data);
  if (!spec)
    return std::unexpected(
        std::move(spec).error().with_context("the task's data are no member spec"));
  const std::string& sandbox = client_.environment().sandbox;
  open_sandbox(sandbox);
  MemberShellConfig config = base_;
  config.spec = *std::move(spec);
  config.data_dir = sandbox + "/data";
  return MemberShell::open(executor_, std::move(config));
}

asio::awaitable<int> AgentLane::serve(mesos::TaskInfo task) {
  task_ = std::move(task);
  report(mesos::TaskState::kStarting);
  auto member = open_member(task_);
  if (!member) {
    kLog.error("{}", member.error().message);
    co_await finish(mesos::TaskState::kFailed, member.error().message);
    co_return exit_code(member.error().code);
  }
  member_ = *std::move(member);
  report(mesos::TaskState::kRunning);
  member_->start();
  const Duration grace = co_await wait_for_the_end();
  co_await stop_member(grace);
  co_await member_->close();
  member_.reset();
  co_await finish(mesos::TaskState::kKilled, "mysqld was shut down");
  co_return 0;
}

// Until somebody ends the member; how long mysqld then has.
asio::awaitable<Duration> AgentLane::wait_for_the_end() {
  for (;;) {
    const std::optional<ex::Event> event = co_await next_event(kEventLook);
    if (!event) continue;
    if (const auto* kill = std::get_if<ex::KillTask>(&*event);
        kill != nullptr && kill->task == task_.id) {
      report(mesos::TaskState::kKilling);
      const Duration of_task =
          task_.kill_grace > Duration::zero() ? task_.kill_grace : kDefaultShutdownGrace;
      co_return kill->grace.value_or(of_task);
    }
    if (is<ex::Shutdown>(event) || is<ex::Failed>(event)) {
      report(mesos::TaskState::kKilling);
      co_return std::max(client_.environment().shutdown_grace - kGraceMargin, kGraceMargin);
    }
    if (const auto* message = std::get_if<ex::Message>(&*event); message != nullptr && message->data == kIdentify) {
      client_.message(to_json_text(member_->identity()));
      continue;
    }
    if (const auto* launch = std::get_if<ex::LaunchTask>(&*event)) {
      mesos::Update update;
      update.task = launch->task.id;
      update.state = mesos::TaskState::kFailed;
      update.message = "this executor has its member already";
      client_.update(std::move(update));
    }
  }
}

// A shutdown that comes while a kill is being carried out leaves less time.
asio::awaitable<void> AgentLane::stop_member(Duration grace) {
  TaskGroup stopping(executor_);
  bool stopped = false;
  const auto stop = [&](Duration within) -> asio::awaitable<void> {
    co_await member_->stop(within);
    stopped = true;
    arrived_.notify_all();
  };
  stopping.spawn("stop the member", stop(grace));
  bool hurried = false;
  while (!stopped) {
    if (events_.empty()) co_await arrived_.wait_for(kEventLook);
    while (!events_.empty()) {
      const ex::Event event = std::move(events_.front());
      events_.pop_front();
      if (!std::holds_alternative<ex::Shutdown>(event) || hurried) continue;
      hurried = true;
      const Duration left =
          std::max(client_.environment().shutdown_grace - kGraceMargin, kGraceMargin);
      stopping.spawn("stop the member sooner", stop(std::min(grace, left)));
    }
  }
  co_await stopping.join();
}

asio::awaitable<void> AgentLane::finish(mesos::TaskState state, std::string message) {
  report(state, std::move(message));
  if (!co_await client_.flush(kFlushWait))
    kLog.warn("the agent has not acknowledged the end of the task");
}

}  // namespace mysos
