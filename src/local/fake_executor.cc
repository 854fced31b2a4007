// SPDX-License-Identifier: Apache-2.0
// An executor for tests, as a Mesos executor is: it reads the environment, subscribes, and obeys.
// Messages: "exit N", "alloc MB" (touches memory), "fork" (leaves a child in a session of its own),
// "hang" (ignores SHUTDOWN), "silent" (does not answer KILL), "fail TASK"; any other is echoed.
// FAKE_NEVER_SUBSCRIBE makes it sleep.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "mesos/executor_client.h"

extern char** environ;

namespace mysos {
namespace {
namespace ex = mesos::executor;

class FakeExecutor {
 public:
  FakeExecutor(asio::io_context& io, mesos::ExecutorEnvironment env)
      : io_(io), client_(io.get_executor(), std::move(env), [this](const ex::Event& e) {
          std::visit([this](const auto& one) { on(one); }, e);
        }) {}
  void start() { client_.start(); }

 private:
  void report(const TaskId& task, mesos::TaskState state, std::string message,
              std::string reason = "") {
    mesos::Update u;
    u.task = task;
    u.state = state;
    u.reason = std::move(reason);
    if (state == mesos::TaskState::kRunning) u.data = "port=31000";
    live_ = !is_terminal(state);
    u.message = std::move(message);
    client_.update(std::move(u));
  }
  void on(const ex::LaunchTask& e) {
    task_ = e.task.id;
    report(task_, mesos::TaskState::kStarting, "");
    report(task_, mesos::TaskState::kRunning, "up");
  }
  void on(const ex::KillTask& e) {
    if (silent_) return;
    report(e.task, mesos::TaskState::kKilling, "");
    report(e.task, mesos::TaskState::kKilled, "killed on request");
  }
  void on(const ex::Message& e) {
    if (e.data.starts_with("exit ")) _exit(std::atoi(e.data.c_str() + 5));
    if (e.data.starts_with("alloc ")) {
      const std::size_t bytes = static_cast<std::size_t>(std::atoi(e.data.c_str() + 6)) << 20;
      char* memory = static_cast<char*>(std::malloc(bytes));
      std::memset(memory, 1, bytes);
      held_ = memory;
    } else if (e.data == "fork") {
      if (::fork() == 0) {
        ::setsid();
        ::execl("/bin/sleep", "sleep", "600", nullptr);
        _exit(127);
      }
      client_.message("forked");
    } else if (e.data == "hang") {
      hang_ = true;
      client_.message("hanging");
    } else if (e.data == "silent") {
      silent_ = true;
    } else {
      client_.message("echo:" + e.data);
      if (e.data.starts_with("fail ")) {
        report(TaskId(e.data.substr(5)), mesos::TaskState::kFailed, "asked to fail",
               "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
      }
    }
  }
  void on(const ex::Shutdown&) {
    if (hang_) return;
    if (live_) report(task_, mesos::TaskState::kKilled, "shutdown");
    leaving_ = true;
    if (client_.unacknowledged() == 0) io_.stop();
  }
  void on(const ex::Acknowledged&) {
    if (leaving_ && client_.unacknowledged() == 0) io_.stop();
  }
  void on(const ex::Failed&) { io_.stop(); }
  template <class T>
  void on(const T&) {}

  asio::io_context& io_;
  TaskId task_;
  bool hang_ = false;
  bool live_ = false;
  bool leaving_ = false;
  bool silent_ = false;
  volatile char* held_ = nullptr;
  mesos::ExecutorClient client_;
};

int run() {
  if (std::getenv("FAKE_NEVER_SUBSCRIBE") != nullptr) {
    for (;;) ::pause();
  }
  std::map<std::string, std::string> env;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string_view entry(*e);
    env.emplace(entry.substr(0, entry.find('=')), entry.substr(entry.find('=') + 1));
  }
  const auto parsed = mesos::parse_executor_environment(env);
  if (!parsed) return 2;
  asio::io_context io;
  FakeExecutor executor(io, *parsed);
  executor.start();
  io.run();
  _exit(0);
}

}  // namespace
}  // namespace mysos

int main() { return mysos::run(); }
