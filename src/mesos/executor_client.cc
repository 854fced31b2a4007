// SPDX-License-Identifier: Apache-2.0
#include "mesos/executor_client.h"

#include <algorithm>

#include "base/assert.h"
#include "base/clock.h"
#include "base/http/bearer.h"
#include "base/http/url.h"
#include "base/log.h"
#include "mesos/credential.h"
#include "mesos/stout_duration.h"
#include "mesos/wire.h"

namespace mysos::mesos {
namespace {
constexpr Logger kLog{"executor-api"};
constexpr const char* kPath = "/api/v1/executor";
constexpr Duration kSubscribeTime = std::chrono::seconds(5);
constexpr Duration kCallTime = std::chrono::seconds(10);
constexpr Duration kRetry = std::chrono::milliseconds(300);
constexpr Duration kRetryCall = std::chrono::milliseconds(200);
// Mesos agents are silent for half an hour, so silence says nothing; a dead agent closes its
// sockets.
constexpr Duration kSilence = std::chrono::hours(24 * 365);
}  // namespace

Result<ExecutorEnvironment> parse_executor_environment(
    const std::map<std::string, std::string>& env) {
  const auto get = [&](const char* name) {
    const auto found = env.find(name);
    return found == env.end() ? std::string() : found->second;
  };
  ExecutorEnvironment out;
  for (const char* name : {"MESOS_FRAMEWORK_ID", "MESOS_EXECUTOR_ID", "MESOS_AGENT_ENDPOINT"}) {
    if (get(name).empty())
      return fail(Errc::kInvalid, std::string(name) + " is not set: are we run by Mesos?", name);
  }
  out.framework = FrameworkId(get("MESOS_FRAMEWORK_ID"));
  out.executor = ExecutorId(get("MESOS_EXECUTOR_ID"));
  out.agent = AgentId(get("MESOS_SLAVE_ID"));
  MYSOS_TRY(out.endpoint, parse_endpoint(get("MESOS_AGENT_ENDPOINT")));
  out.sandbox = get("MESOS_SANDBOX").empty() ? get("MESOS_DIRECTORY") : get("MESOS_SANDBOX");
  out.checkpoint = get("MESOS_CHECKPOINT") == "1" || get("MESOS_CHECKPOINT") == "true";
  const auto duration = [&](const char* name, Duration& into) -> Status {
    if (get(name).empty()) return {};
    auto parsed = parse_stout_duration(get(name));
    if (!parsed)
      return fail(Errc::kInvalid, std::string(name) + ": " + parsed.error().message, name);
    into = *parsed;
    return {};
  };
  MYSOS_TRY_VOID(duration("MESOS_RECOVERY_TIMEOUT", out.recovery_timeout));
  MYSOS_TRY_VOID(duration("MESOS_SUBSCRIPTION_BACKOFF_MAX", out.subscription_backoff_max));
  MYSOS_TRY_VOID(duration("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", out.shutdown_grace));
  out.token = get("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
  return out;
}

ExecutorClient::ExecutorClient(asio::any_io_executor executor, ExecutorEnvironment environment,
                               std::function<void(executor::Event)> on_event)
    : executor_(executor),
      environment_(std::move(environment)),
      on_event_(std::move(on_event)),
      http_(executor, 1),
      changed_(executor),
      tasks_(executor) {}

void ExecutorClient::start() {
  tasks_.spawn("executor subscription", run());
  tasks_.spawn("executor calls", send_calls());
}

std::string ExecutorClient::update(Update update) {
  MYSOS_ASSERT(unacknowledged_.size() < kMaxUnacknowledgedUpdates,
               "updates are rare and acknowledged at once");
  update.uuid = wire::new_uuid();
  update.source = "SOURCE_EXECUTOR";
  update.executor = environment_.executor;
  update.agent.reset();
  if (update.timestamp == 0) update.timestamp = static_cast<double>(wall_now().ms) / 1000.0;
  unacknowledged_.push_back(update);
  if (subscribed_) calls_.emplace_back(executor::SendUpdate{update});
  changed_.notify_all();
  return update.uuid;
}

void ExecutorClient::message(std::string data) {
  if (!subscribed_) return;
  calls_.emplace_back(executor::SendMessage{std::move(data)});
  changed_.notify_all();
}

asio::awaitable<bool> ExecutorClient::flush(Duration at_most) {
  const Instant until = steady_now() + at_most;
  while (!unacknowledged_.empty()) {
    const Instant now = steady_now();
    if (now >= until) co_return false;
    co_await changed_.wait_for(until - now);
  }
  co_return true;
}

asio::awaitable<void> ExecutorClient::stop() {
  if (stream_) stream_->close();
  co_await tasks_.cancel_and_join();
  subscribed_ = false;
}

HttpRequest ExecutorClient::request_for(executor::Call call) const {
  HttpRequest request = json_post(
      kPath,
      executor::encode_call({environment_.executor, environment_.framework, std::move(call)}));
  if (!environment_.token.empty())
    request.headers.set("Authorization", bearer_authorization(environment_.token));
  return request;
}

asio::awaitable<void> ExecutorClient::run() {
  Instant away_since = steady_now();
  for (;;) {
    const Ended ended = co_await subscribe_once();
    stream_.reset();
    calls_.clear();
    if (std::exchange(subscribed_, false)) {
      away_since = steady_now();
      on_event_(executor::Disconnected{});
      if (!environment_.checkpoint) {
        on_event_(executor::Shutdown{});
        co_return;
      }
    }
    if (ended == Ended::kRefused) co_return;
    if (steady_now() - away_since > environment_.recovery_timeout) {
      kLog.error("the agent has been away for longer than MESOS_RECOVERY_TIMEOUT");
      on_event_(executor::Shutdown{});
      co_return;
    }
    co_await sleep_for(std::min(kRetry, environment_.subscription_backoff_max));
  }
}

asio::awaitable<ExecutorClient::Ended> ExecutorClient::subscribe_once() {
  executor::Subscribe subscribe;
  subscribe.unacknowledged_updates = unacknowledged_;
  for (const auto& [id, task] : tasks_without_ack_) subscribe.unacknowledged_tasks.push_back(task);
  const std::size_t told = unacknowledged_.size();
  stream_ = std::make_unique<RecordStream>(executor_);
  const auto response = co_await stream_->open(environment_.endpoint,
                                               request_for(std::move(subscribe)), kSubscribeTime);
  if (!response) co_return Ended::kRetry;
  if (response->status == 400 || response->status == 401) {
    kLog.error("the agent does not accept this executor again: {} {}", response->status, response->body);
    on_event_(executor::Failed{response->body});
    co_return Ended::kRefused;
  }
  if (response->status != 200) co_return Ended::kRetry;
  subscribed_ = true;
  for (std::size_t i = told; i < unacknowledged_.size(); ++i) {
    calls_.emplace_back(executor::SendUpdate{unacknowledged_[i]});
  }
  changed_.notify_all();
  co_return co_await read_events();
}

void ExecutorClient::note(const executor::Event& event) {
  if (const auto* launch = std::get_if<executor::LaunchTask>(&event))
    tasks_without_ack_[launch->task.id] = launch->task;
  if (const auto* ack = std::get_if<executor::Acknowledged>(&event)) {
    std::erase_if(unacknowledged_,
                  [&](const Update& u) { return u.task == ack->task && u.uuid == ack->uuid; });
    tasks_without_ack_.erase(ack->task);
    changed_.notify_all();
  }
}

asio::awaitable<ExecutorClient::Ended> ExecutorClient::read_events() {
  for (;;) {
    const auto document = co_await stream_->next(kSilence);
    if (!document) {
      kLog.info("event stream of the agent: {}", document.error().message);
      co_return Ended::kRetry;
    }
    auto event = executor::decode_event(*document);
    if (!event) kLog.warn("an event of the agent cannot be read: {}", event.error().message);
    if (!event || !*event) continue;
    note(**event);
    const bool refused = std::holds_alternative<executor::Failed>(**event);
    on_event_(**std::move(event));
    if (refused) co_return Ended::kRefused;
  }
}

asio::awaitable<void> ExecutorClient::send_calls() {
  for (;;) {
    if (calls_.empty() || !subscribed_) {
      co_await changed_.wait();
      continue;
    }
    HttpRequest request = request_for(std::move(calls_.front()));
    calls_.pop_front();
    request.idempotent = true;  // the agent knows an update by its uuid
    const auto response =
        co_await http_.request(environment_.endpoint, std::move(request), kCallTime);
    if (response && response->status < 300) continue;
    if (tasks_.cancelled()) continue;
    kLog.warn("a call to the agent failed: {}",
              response ? std::to_string(response->status) + " " + response->body
                       : response.error().message);
    // The next subscription carries what is not acknowledged.
    if (stream_ && (!response || response->status != 400)) stream_->close();
    co_await sleep_for(kRetryCall);
  }
}

}  // namespace mysos::mesos
