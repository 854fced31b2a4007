// SPDX-License-Identifier: Apache-2.0
#pragma once
// The executor's end of the v1 executor API. It subscribes to the agent named in the MESOS_*
// environment and keeps subscribing while the agent is away, at least once a second, until
// MESOS_RECOVERY_TIMEOUT has passed. Invariant: an update given to it is sent, again with each
// subscription, until the agent has ACKNOWLEDGED it. Belongs to the thread of its io_context.
// Source: Mesos executor-http-api.md.
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "base/asio.h"
#include "base/http/client.h"
#include "base/task_group.h"
#include "mesos/executor_api.h"
#include "mesos/record_stream.h"

namespace mysos::mesos {

inline constexpr std::size_t kMaxUnacknowledgedUpdates = 1000;

struct ExecutorEnvironment {
  FrameworkId framework;
  ExecutorId executor;
  AgentId agent;
  Endpoint endpoint;
  std::string sandbox;
  bool checkpoint = false;
  Duration recovery_timeout = std::chrono::minutes(15);
  Duration subscription_backoff_max = std::chrono::seconds(2);
  Duration shutdown_grace = std::chrono::seconds(5);
  std::string token;  // MESOS_EXECUTOR_AUTHENTICATION_TOKEN; never logged
};
// Errc::kInvalid names the variable that is missing or wrong.
Result<ExecutorEnvironment> parse_executor_environment(
    const std::map<std::string, std::string>& env);

class ExecutorClient {
 public:
  // `on_event` gets every event on the io_context. Disconnected: the agent does not answer, and the
  // client keeps trying. Shutdown also comes when the agent has been away for too long (or without
  // checkpointing: at all), Failed when it does not know us.
  ExecutorClient(asio::any_io_executor executor, ExecutorEnvironment environment,
                 std::function<void(executor::Event)> on_event);
  ExecutorClient(const ExecutorClient&) = delete;
  ExecutorClient& operator=(const ExecutorClient&) = delete;

  void start();
  // Fills in uuid, source, executor and (where 0) timestamp. The uuid, as ACKNOWLEDGED will carry
  // it.
  std::string update(Update update);
  // Best effort: lost where the agent is away.
  void message(std::string data);
  // Waits until every update is ACKNOWLEDGED: before the executor exits. False when the time was up
  // first.
  asio::awaitable<bool> flush(Duration at_most);
  asio::awaitable<void> stop();

  [[nodiscard]] bool subscribed() const { return subscribed_; }
  [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_.size(); }
  [[nodiscard]] const ExecutorEnvironment& environment() const { return environment_; }

 private:
  enum class Ended { kRetry, kRefused };
  asio::awaitable<void> run();
  asio::awaitable<Ended> subscribe_once();
  asio::awaitable<Ended> read_events();
  asio::awaitable<void> send_calls();
  void note(const executor::Event& event);
  HttpRequest request_for(executor::Call call) const;

  asio::any_io_executor executor_;
  ExecutorEnvironment environment_;
  std::function<void(executor::Event)> on_event_;
  HttpClient http_;
  std::unique_ptr<RecordStream> stream_;
  bool subscribed_ = false;
  std::vector<Update> unacknowledged_;  // oldest first
  std::map<TaskId, TaskInfo> tasks_without_ack_;
  std::deque<executor::Call> calls_;
  Signal changed_;
  TaskGroup tasks_;
};

}  // namespace mysos::mesos
