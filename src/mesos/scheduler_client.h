// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scheduler's end of the v1 scheduler API: finds the leading master (a list of addresses,
// redirects followed), keeps the SUBSCRIBE stream, watches its heartbeats, sends calls one after
// the other on the stream's id. If a stream breaks or falls silent, the client reports Disconnected
// and subscribes again, with backoff. Invariant: between a Subscribed and the next Disconnected every
// call given to send() has been sent in order, or a Disconnected reports that some may be lost. After
// a MasterError (removed, failed over, refused) it waits for resubscribe(), because the owner must
// decide. Belongs to the thread of its io_context. Source: Mesos scheduler-http-api.md.
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/http/client.h"
#include "base/prng.h"
#include "base/task_group.h"
#include "mesos/record_stream.h"
#include "model/mesos.h"

namespace mysos::mesos {

inline constexpr std::size_t kMaxQueuedCalls = 10'000;

struct SchedulerClientOptions {
  std::vector<Endpoint> masters;  // tried in turn; standby masters redirect to the leader
  std::string authorization;      // value of the Authorization header, "" = none
  Duration subscribe_timeout = std::chrono::seconds(5);
  Duration call_timeout = std::chrono::seconds(10);
  Duration backoff_first = std::chrono::milliseconds(100);
  Duration backoff_most = std::chrono::seconds(5);
  int missed_heartbeats = 4;  // intervals of silence after which the stream counts as broken
};

class SchedulerClient {
 public:
  // `framework` is asked at each subscription: it carries the id as soon as the owner has persisted
  // it. `on_event` gets every event, heartbeats included, on the io_context.
  SchedulerClient(asio::any_io_executor executor, SchedulerClientOptions options,
                  std::function<FrameworkInfo()> framework, std::function<void(Event)> on_event,
                  Prng prng);
  SchedulerClient(const SchedulerClient&) = delete;
  SchedulerClient& operator=(const SchedulerClient&) = delete;

  void start();
  // Queues the call. While not subscribed it drops the call (false), because the scheduler decides
  // again after Subscribed.
  bool send(Call call);
  // A new list of masters, from detection. A live stream stays as it is.
  void set_masters(std::vector<Endpoint> masters);
  // Ends the present stream, if there is one, and subscribes again.
  void resubscribe();
  asio::awaitable<void> stop();

  [[nodiscard]] bool subscribed() const { return subscribed_; }
  [[nodiscard]] const Endpoint& master() const { return leader_; }  // of the present or last stream

 private:
  enum class Ended { kRetry, kRefused };
  asio::awaitable<void> run();
  asio::awaitable<Ended> subscribe_once();
  asio::awaitable<Ended> read_events();
  asio::awaitable<void> send_calls();
  asio::awaitable<Result<HttpResponse>> post(Call call);
  Duration next_backoff();
  void disconnected();

  asio::any_io_executor executor_;
  SchedulerClientOptions options_;
  std::function<FrameworkInfo()> framework_;
  std::function<void(Event)> on_event_;
  Prng prng_;
  HttpClient http_;
  std::unique_ptr<RecordStream> stream_;
  std::string stream_id_;
  FrameworkId framework_id_;
  Endpoint leader_;
  std::size_t next_master_ = 0;
  std::optional<Endpoint> redirected_;
  Duration backoff_{};
  bool subscribed_ = false;
  bool halted_ = false;  // after a refusal, until resubscribe()
  std::deque<Call> calls_;
  Signal calls_changed_;
  Signal wake_;
  TaskGroup tasks_;
};

// "//host:port/path" or "http://host:port/path" of a Location header.
std::optional<Endpoint> redirect_target(std::string_view location);

}  // namespace mysos::mesos
