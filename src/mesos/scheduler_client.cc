// SPDX-License-Identifier: Apache-2.0
#include "mesos/scheduler_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/http/url.h"
#include "base/log.h"
#include "mesos/call_codec.h"
#include "mesos/event_codec.h"

namespace mysos::mesos {
namespace {
constexpr Logger kLog{"mesos"};
constexpr const char* kPath = "/master/api/v1/scheduler";
constexpr Duration kFirstEventTime = std::chrono::seconds(30);

Duration seconds(double s) { return Duration(static_cast<Duration::rep>(s * 1e6)); }
}  // namespace

std::optional<Endpoint> redirect_target(std::string_view location) {
  if (location.starts_with("http:")) location.remove_prefix(5);
  if (!location.starts_with("//")) return std::nullopt;
  location.remove_prefix(2);
  auto endpoint = parse_endpoint(location.substr(0, location.find('/')));
  if (!endpoint) return std::nullopt;
  return *std::move(endpoint);
}

SchedulerClient::SchedulerClient(asio::any_io_executor executor, SchedulerClientOptions options,
                                 std::function<FrameworkInfo()> framework,
                                 std::function<void(Event)> on_event, Prng prng)
    : executor_(executor),
      options_(std::move(options)),
      framework_(std::move(framework)),
      on_event_(std::move(on_event)),
      prng_(prng),
      http_(executor, 1),
      calls_changed_(executor),
      wake_(executor),
      tasks_(executor) {
  MYSOS_ASSERT(!options_.masters.empty(), "there is a master to talk to");
}

void SchedulerClient::start() {
  tasks_.spawn("mesos subscription", run());
  tasks_.spawn("mesos calls", send_calls());
}

bool SchedulerClient::send(Call call) {
  if (!subscribed_ || calls_.size() >= kMaxQueuedCalls) return false;
  calls_.push_back(std::move(call));
  calls_changed_.notify_all();
  return true;
}

void SchedulerClient::set_masters(std::vector<Endpoint> masters) {
  if (masters.empty()) return;
  options_.masters = std::move(masters);
  next_master_ = 0;
  wake_.notify_all();
}

void SchedulerClient::resubscribe() {
  halted_ = false;
  if (stream_) stream_->close();
  wake_.notify_all();
}

asio::awaitable<void> SchedulerClient::stop() {
  if (stream_) stream_->close();
  co_await tasks_.cancel_and_join();
  subscribed_ = false;
}

Duration SchedulerClient::next_backoff() {
  backoff_ = std::clamp(backoff_ * 2, options_.backoff_first, options_.backoff_most);
  const auto half = static_cast<std::uint64_t>(backoff_.count()) / 2;
  return Duration(static_cast<Duration::rep>(half + prng_.below(half + 1)));
}

asio::awaitable<void> SchedulerClient::run() {
  for (;;) {
    const Ended ended = co_await subscribe_once();
    stream_.reset();
    disconnected();
    if (ended == Ended::kRefused) halted_ = true;
    while (halted_) co_await wake_.wait();
    if (!redirected_) co_await wake_.wait_for(next_backoff());
  }
}

void SchedulerClient::disconnected() {
  calls_.clear();
  if (!std::exchange(subscribed_, false)) return;
  on_event_(Disconnected{});
}

asio::awaitable<SchedulerClient::Ended> SchedulerClient::subscribe_once() {
  leader_ = redirected_ ? *redirected_ : options_.masters[next_master_++ % options_.masters.size()];
  redirected_.reset();
  const FrameworkInfo info = framework_();
  HttpRequest request = json_post(kPath, encode_call(Subscribe{info}, info.id));
  if (!options_.authorization.empty()) request.headers.set("Authorization", options_.authorization);
  stream_ = std::make_unique<RecordStream>(executor_);
  const auto response =
      co_await stream_->open(leader_, std::move(request), options_.subscribe_timeout);
  if (!response) {
    kLog.debug("master {}: {}", to_string(leader_), response.error().message);
    co_return Ended::kRetry;
  }
  switch (response->status) {
    case 200:
      stream_id_ = std::string(response->headers.get("Mesos-Stream-Id"));
      co_return co_await read_events();
    case 307: {
      redirected_ = redirect_target(response->headers.get("Location"));
      // A standby may point at a dead leader for seconds: do not spin.
      if (redirected_ == leader_) redirected_.reset();
      if (redirected_ && backoff_ >= options_.backoff_most) redirected_.reset();
      next_backoff();
      co_return Ended::kRetry;
    }
    case 404:
    case 503:
    case 500:
      co_return Ended::kRetry;
    default: {
      std::string why = fmt::format("{} {}", response->status, response->body);
      if (response->status == 401)
        why += "; the principal and its secret are not those that it wants (--principal, --secret-file)";
      kLog.error("master {} refuses to subscribe us: {}", to_string(leader_), why);
      on_event_(MasterError{std::move(why)});
      co_return Ended::kRefused;
    }
  }
}

asio::awaitable<SchedulerClient::Ended> SchedulerClient::read_events() {
  Duration idle = kFirstEventTime;
  for (;;) {
    const auto document = co_await stream_->next(idle);
    if (!document) {
      kLog.info("event stream of master {}: {}", to_string(leader_), document.error().message);
      co_return Ended::kRetry;
    }
    auto event = decode_event(*document);
    if (!event) {
      kLog.warn("an event of master {} cannot be read: {}", to_string(leader_),
                event.error().message);
      continue;
    }
    if (!*event) continue;
    if (const auto* s = std::get_if<Subscribed>(&**event)) {
      framework_id_ = s->framework;
      idle = seconds(s->heartbeat_interval_s) * options_.missed_heartbeats;
      subscribed_ = true;
      backoff_ = Duration::zero();
    }
    const bool refused = std::holds_alternative<MasterError>(**event);
    on_event_(**std::move(event));
    if (refused) co_return Ended::kRefused;
  }
}

// An ACCEPT that is sent twice would drop its own tasks, so it goes on a connection of its own,
// once. For the other calls twice is as good as once.
asio::awaitable<Result<HttpResponse>> SchedulerClient::post(Call call) {
  HttpRequest request = json_post(kPath, encode_call(call, framework_id_));
  request.headers.set("Mesos-Stream-Id", stream_id_);
  if (!options_.authorization.empty()) request.headers.set("Authorization", options_.authorization);
  if (std::holds_alternative<Accept>(call)) {
    co_return co_await http_request(executor_, leader_, std::move(request), options_.call_timeout);
  }
  request.idempotent = true;
  co_return co_await http_.request(leader_, std::move(request), options_.call_timeout);
}

asio::awaitable<void> SchedulerClient::send_calls() {
  for (;;) {
    if (calls_.empty() || !subscribed_) {
      co_await calls_changed_.wait();
      continue;
    }
    Call call = std::move(calls_.front());
    calls_.pop_front();
    const std::string stream_id = stream_id_;
    const auto response = co_await post(std::move(call));
    if (response && response->status < 300) continue;
    if (tasks_.cancelled()) continue;
    kLog.warn("a call to master {} failed: {}", to_string(leader_),
              response ? std::to_string(response->status) + " " + response->body
                       : response.error().message);
    // A refused body is our mistake and stays one; anything else means that calls may be lost.
    const bool stream_lost = !response || response->status == 401 || response->status == 403 || response->status >= 500 ||
                             response->body.find("stream ID") != std::string::npos;
    if (stream_lost && stream_ && stream_id == stream_id_) stream_->close();
  }
}

}  // namespace mysos::mesos
