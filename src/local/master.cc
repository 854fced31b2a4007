// SPDX-License-Identifier: Apache-2.0
#include "local/master.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "local/authentication.h"
#include "local/operator_api.h"
#include "mesos/call_codec.h"
#include "mesos/event_codec.h"

namespace mysos::local {
namespace {
constexpr Logger kLog{"local-master"};
constexpr Duration kLongWait = std::chrono::hours(1);
constexpr Duration kFirstPause = std::chrono::milliseconds(200);  // until the registry is written again
constexpr Duration kMostPause = std::chrono::seconds(5);

HttpResponse cannot_store() { return plain_text(503, "The registry cannot be stored"); }

HttpServerOptions server_options() {
  HttpServerOptions options;
  options.max_body_bytes = std::size_t{16} << 20;
  return options;
}
}  // namespace

Master::Master(asio::any_io_executor executor, MasterConfig config)
    : executor_(executor),
      config_(std::move(config)),
      server_(
          executor, [this](const HttpRequest& r, HttpExchange& x) { return handle(r, x); },
          server_options()),
      rescheduled_(executor),
      tasks_(executor) {}

Status Master::start() {
  MYSOS_TRY_VOID(make_dirs(config_.dir, 0700));
  Registry registry;
  const std::string file = config_.dir + "/registry.json";
  if (path_exists(file)) {
    MYSOS_TRY(const std::string text, read_file(file));
    auto parsed = from_json_text<Registry>(text);
    if (!parsed) return std::unexpected(std::move(parsed).error().with_context(file));
    registry = *std::move(parsed);
  }
  core_ = std::make_unique<MasterCore>(std::move(registry), config_.options, random_uuid(),
                                       steady_now());
  MYSOS_TRY(port_, server_.listen(config_.address, config_.port));
  config_.port = port_;
  tasks_.spawn("master timer", tick());
  return {};
}

asio::awaitable<void> Master::stop() {
  links_.clear();
  for (auto& [id, stream] : streams_) stream->close();
  co_await server_.stop();
  co_await tasks_.cancel_and_join();
}

Status Master::save(const Registry& registry) const {
  return write_file_atomic(config_.dir + "/registry.json", to_json_text(registry), 0600);
}

asio::awaitable<void> Master::save_later() {
  for (Duration pause = kFirstPause;; pause = std::min(pause * 2, kMostPause)) {
    co_await sleep_for(pause);
    if (save(*held_->persist)) break;
  }
  kLog.info("the registry is stored again");
  MasterOutput output = *std::exchange(held_, std::nullopt);
  stepping_ = true;
  deliver(std::move(output));
  stepping_ = false;
  work_off();
}

void Master::submit(MasterInput input) {
  inputs_.push_back(std::move(input));
  if (!stepping_ && !held_) work_off();
}

void Master::work_off() {
  stepping_ = true;
  while (!inputs_.empty() && !held_) {
    const MasterInput next = std::move(inputs_.front());
    inputs_.pop_front();
    core_->step(next, steady_now());
    MasterOutput output = core_->take_output();
    const Status saved = output.persist ? save(*output.persist) : Status();
    if (!saved) {
      kLog.error("the registry cannot be stored, and until it can the master does nothing: {}", saved.error().message);
      held_ = std::move(output);
      tasks_.spawn("registry", save_later());
      break;
    }
    deliver(std::move(output));
  }
  stepping_ = false;
  rescheduled_.notify_all();
}

void Master::deliver(MasterOutput output) {
  const double now_s = static_cast<double>(wall_now().ms) / 1000.0;
  for (auto& out : output.events) {
    const auto stream = streams_.find(out.stream);
    if (stream == streams_.end()) continue;
    if (auto* update = std::get_if<mesos::Update>(&out.event);
        update != nullptr && update->timestamp == 0) {
      update->timestamp = now_s;
    }
    stream->second->push(mesos::encode_event(out.event, {out.framework, {config_.address, port_}}));
  }
  for (const auto& id : output.closed) {
    if (const auto stream = streams_.find(id); stream != streams_.end()) stream->second->close();
  }
  for (auto& out : output.agents) {
    if (const auto* registered = std::get_if<Registered>(&out.message))
      link_of_[out.agent] = registered->link;
    const auto link = link_of_.find(out.agent);
    const auto sink = link == link_of_.end() ? links_.end() : links_.find(link->second);
    if (sink == links_.end()) continue;
    const AgentSink take = sink->second;  // an agent that cannot store what it hears takes its sink away
    take(std::move(out.message));
  }
}

void Master::attach(const std::string& link, AgentSink sink) { links_[link] = std::move(sink); }

void Master::detach(const std::string& link, const AgentId& agent) {
  links_.erase(link);
  if (!agent.empty()) submit(AgentDisconnected{agent});
}

asio::awaitable<void> Master::tick() {
  for (;;) {
    if (held_) {
      co_await rescheduled_.wait_for(kLongWait);
      continue;
    }
    const Instant now = steady_now();
    const Instant due = core_->next_deadline();
    if (due <= now) {
      submit(Tick{});
      continue;
    }
    co_await rescheduled_.wait_for(std::min(due - now, kLongWait));
  }
}

asio::awaitable<void> Master::handle(const HttpRequest& request, HttpExchange& exchange) {
  std::string_view path = request.path;
  if (path.starts_with("/master/")) path.remove_prefix(7);
  if (path != "/api/v1" && !path.starts_with("/api/v1/")) {
    co_await exchange.reply(plain_text(404, "404 Not Found."));
    co_return;
  }
  const auto realm = path == "/api/v1/scheduler" ? kSchedulerRealm : kOperatorRealm;
  if (auto refused = refuse_stranger(request, config_.credential, realm)) {
    co_await exchange.reply(*std::move(refused));
    co_return;
  }
  exchange.trust();
  if (held_) {
    co_await exchange.reply(cannot_store());
    co_return;
  }
  json::value body;
  if (auto refused = refuse_post(request, body)) {
    co_await exchange.reply(*std::move(refused));
    co_return;
  }
  if (path == "/api/v1/scheduler") {
    co_await scheduler(request, exchange, body);
    co_return;
  }
  OperatorAnswer answer = operator_call(body, *core_, {config_.address, port_});
  if (answer.input) {
    submit(*std::move(answer.input));
    if (held_) answer.response = cannot_store();  // it was done, and is not durable
  }
  co_await exchange.reply(std::move(answer.response));
}

namespace {
bool accepts_json(std::string_view accept) {
  if (accept.empty()) return true;
  for (const char* type : {"application/json", "application/*", "*/*"}) {
    if (accept.find(type) != std::string_view::npos) return true;
  }
  return false;
}
}  // namespace

asio::awaitable<void> Master::scheduler(const HttpRequest& request, HttpExchange& exchange,
                                        const json::value& body) {
  auto call = mesos::decode_call(body);
  if (!call) {
    co_await exchange.reply(
        plain_text(call.error().code == Errc::kNotFound ? 501 : 400, call.error().message));
    co_return;
  }
  const bool has_stream = request.headers.has("Mesos-Stream-Id");
  if (auto* subscription = std::get_if<mesos::Subscribe>(&call->call)) {
    if (!accepts_json(request.headers.get("Accept"))) {
      co_await exchange.reply(plain_text(
          406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'"));
    } else if (has_stream) {
      co_await exchange.reply(
          plain_text(400, "Subscribe calls should not include the 'Mesos-Stream-Id' header"));
    } else if (const std::string& principal = subscription->framework.principal;
               !principal.empty() && principal != config_.credential.principal) {
      co_await exchange.reply(
          plain_text(400, fmt::format("Failed to validate scheduler::Call: Authenticated principal '{}' does not match "
                                      "principal '{}' set in `FrameworkInfo`",
                                      config_.credential.principal, principal)));
    } else {
      subscription->framework.principal = config_.credential.principal;
      co_await subscribe(std::move(subscription->framework), exchange);
    }
    co_return;
  }
  const StreamId stream{std::string(request.headers.get("Mesos-Stream-Id"))};
  if (const auto refusal = core_->check_call(*call->framework, stream)) {
    co_await exchange.reply(plain_text(refusal->status, refusal->text));
    co_return;
  }
  submit(FrameworkCall{*call->framework, std::move(call->call)});
  co_await exchange.reply(HttpResponse{202, {}, ""});
}

namespace {
// Tells the master that a stream has ended, however its handler ends.
struct StreamEnd {
  std::function<void()> end;
  ~StreamEnd() { end(); }
};
}  // namespace

asio::awaitable<void> Master::subscribe(mesos::FrameworkInfo info, HttpExchange& exchange) {
  const StreamId id(random_uuid());
  const bool started = co_await exchange.start_stream(
      200, HttpHeaders{{"Content-Type", "application/json"}, {"Mesos-Stream-Id", id.value}});
  if (!started) co_return;
  const auto stream = std::make_shared<Subscriber>(executor_);
  streams_[id] = stream;
  const StreamEnd at_end{[this, id] {
    streams_.erase(id);
    submit(StreamClosed{id});
  }};
  submit(SubscribeFramework{id, std::move(info)});
  co_await stream->serve(exchange);
}

}  // namespace mysos::local
