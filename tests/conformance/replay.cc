// SPDX-License-Identifier: Apache-2.0
#include "replay.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/fs.h"
#include "base/http/bearer.h"
#include "mesos/credential.h"
#include "mesos/info_codec.h"

namespace mysos::conformance {
namespace {
using namespace std::chrono_literals;

const std::string kTraces = "traces/";
const std::string kRecordedExecutor = "exec /opt/executor/executor.py";

// What differs in every run, or is no concern of the embedded Mesos (tests/conformance/README.md).
const ShapeOptions kNormalised{
    .ignored_keys = {"uuid", "timestamp", "container_status", "healthy", "labels", "executor_ids",
                     "url", "master_info", "limitation", "unreachable_time", "framework_id",
                     "offer_id"},
    .any_order = true};

bool is_offer_id(std::string_view text) {
  const auto at = text.rfind("-O");
  return at != std::string_view::npos && at + 2 < text.size() &&
         text.find_first_not_of("0123456789", at + 2) == std::string_view::npos;
}

// The recorded framework's tasks ran as root.
void run_as_ourselves(json::value& body) {
  const passwd* me = ::getpwuid(::geteuid());
  auto* subscribe = body.as_object().if_contains("subscribe");
  auto* info = subscribe == nullptr ? nullptr : subscribe->as_object().if_contains("framework_info");
  auto* user = info == nullptr ? nullptr : info->as_object().if_contains("user");
  if (user != nullptr && me != nullptr) *user = json::string(me->pw_name);
}

std::string id_of(const json::value& v) { return std::string(v.at("value").as_string()); }
}  // namespace

Replay::Replay() {
  char name[] = "/tmp/mysos-conformance-XXXXXX";
  dir_ = ::mkdtemp(name);
  local::LocalMesosOptions options;
  options.agents = 2;
  options.resources = Resources{scalar("cpus", 4000), scalar("mem", 4096'000),
                                scalar("disk", 20'000'000), ports({{31000, 31999}})};
  options.master.agent_timeout = 500ms;
  options.master.allocation_interval = 100ms;
  local_ = std::make_unique<local::LocalMesos>(loop.io.get_executor(), dir_, options);
  const auto started = local_->start();
  if (!started) ADD_FAILURE() << started.error().message;
}

Replay::~Replay() {
  if (stream_) stream_->close();
  loop.run(tasks_.cancel_and_join());
  loop.run(local_->stop(local::Containers::kEnd));
  std::filesystem::remove_all(dir_);
}

json::value Replay::translated(const json::value& recorded) {
  if (recorded.is_string()) {
    std::string text(recorded.get_string());
    for (const auto& [from, to] : ids_) {
      for (auto at = text.find(from); at != std::string::npos;
           at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
      }
    }
    if (text == kRecordedExecutor) text = "exec " MYSOS_FAKE_EXECUTOR;
    return json::string(text);
  }
  if (recorded.is_array()) {
    json::array out;
    for (const auto& e : recorded.get_array()) out.push_back(translated(e));
    return out;
  }
  if (recorded.is_object()) {
    json::object out;
    for (const auto& e : recorded.get_object()) out[e.key()] = translated(e.value());
    return out;
  }
  return recorded;
}

// Recorded frameworks took all offers of one agent: so does the replay, with ours.
void Replay::use_our_offers(json::value& body) {
  for (const char* kind : {"accept", "decline"}) {
    auto* inner = body.as_object().if_contains(kind);
    if (inner == nullptr) continue;
    auto& list = inner->as_object().at("offer_ids").as_array();
    if (list.empty() || !is_offer_id(id_of(list.front()))) continue;
    const std::string agent = local_->agent(0).state().id.value;
    json::array ours;
    for (auto it = offers_.begin(); it != offers_.end();) {
      if (std::string_view(kind) == "accept" && id_of(it->second.at("agent_id")) != agent) {
        ++it;
        continue;
      }
      ours.push_back(json::object{{"value", it->first}});
      it = offers_.erase(it);
    }
    list = std::move(ours);
  }
}

HttpRequest Replay::request_of(const json::value& trace) {
  HttpRequest request;
  request.method = std::string(trace.at("method").as_string());
  request.target = std::string(trace.at("path").as_string());
  for (const auto& h : trace.at("headers").as_object()) {
    const std::string name(h.key());
    if (name == "Connection") continue;
    std::string value(h.value().as_string());
    // A stream id that is not all zeros was the right one at the time.
    if (name == "Mesos-Stream-Id" && !value.starts_with("00000000-") && !ids_.contains(value))
      value = stream_id_;
    const auto bound = ids_.find(value);
    request.headers.set(name, bound == ids_.end() ? value : bound->second);
  }
  if (!as_stranger && !request.headers.has("Authorization"))
    request.headers.set("Authorization", authorization(request.target));
  const auto& body = trace.at("body");
  if (body.is_string()) {
    request.body = std::string(body.get_string());
  } else if (body.is_object()) {
    json::value ours = translated(body);
    use_our_offers(ours);
    run_as_ourselves(ours);
    request.body = json::serialize(ours);
  }
  return request;
}

// The recorded Mesos asked for none. An executor's is in its environment.
std::string Replay::authorization(const std::string& target) const {
  const bool to_agent = target.find("executor") != std::string::npos;
  if (!to_agent) return mesos::basic_authorization(local_->credential());
  for (const auto& executor : local_->agent(0).state().executors) {
    const auto environment = read_file("/proc/" + std::to_string(executor.pid) + "/environ");
    const std::string name = "MESOS_EXECUTOR_AUTHENTICATION_TOKEN=";
    const auto at = environment ? environment->find(name) : std::string::npos;
    if (at == std::string::npos) continue;
    return bearer_authorization(environment->c_str() + at + name.size());
  }
  return "";
}

asio::awaitable<void> Replay::exchange(HttpRequest request, Endpoint to, HttpResponse* out) {
  auto response =
      co_await http_request(loop.io.get_executor(), std::move(to), std::move(request), 10s);
  if (response) *out = *std::move(response);
}

void Replay::check_answer(const std::string& trace, const HttpResponse& response) {
  const auto recorded = load_trace(kTraces + trace + ".response.json");
  EXPECT_EQ(response.status, recorded.at("status").as_int64()) << trace << " " << response.body;
  for (const char* header : {"Content-Type", "Allow", "WWW-Authenticate"}) {
    const auto* wanted = recorded.at("headers").as_object().if_contains(header);
    if (wanted != nullptr)
      EXPECT_EQ(response.headers.get(header), std::string_view(wanted->as_string())) << trace;
  }
  const auto& body = recorded.at("body");
  if (!body.is_string()) return;
  const std::string wanted(translated(body).as_string());
  const std::string syntax = "Failed to parse body into JSON: ";
  if (wanted.starts_with(syntax)) {
    EXPECT_TRUE(response.body.starts_with(syntax))
        << response.body;  // each parser has its own words after that
  } else {
    EXPECT_EQ(response.body, wanted) << trace;
  }
}

void Replay::call(const std::string& trace) {
  const auto recorded = load_trace(kTraces + trace + ".request.json");
  const bool to_agent =
      std::string_view(recorded.at("path").as_string()).find("executor") != std::string_view::npos;
  const Endpoint to =
      to_agent ? Endpoint{"127.0.0.1", local_->agent(0).port()} : local_->master_endpoint();
  HttpResponse response;
  response.status = 0;
  loop.run(exchange(request_of(recorded), to, &response));
  check_answer(trace, response);
}

void Replay::note(const json::value& event) {
  const std::string type(event.at("type").as_string());
  if (type == "SUBSCRIBED") ids_["?framework"] = id_of(event.at("subscribed").at("framework_id"));
  if (type == "OFFERS") {
    for (const auto& offer : event.at("offers").at("offers").as_array())
      offers_[id_of(offer.at("id"))] = offer;
  }
  if (type == "RESCIND") offers_.erase(id_of(event.at("rescind").at("offer_id")));
  if (type == "UPDATE") {
    const auto& status = event.at("update").at("status").as_object();
    if (status.contains("uuid")) {  // acknowledged at once, so that the next one comes
      json::object ack{{"agent_id", status.at("agent_id")},
                       {"task_id", status.at("task_id")},
                       {"uuid", status.at("uuid")}};
      json::object body{{"type", "ACKNOWLEDGE"}, {"acknowledge", std::move(ack)}};
      body["framework_id"] = json::object{{"value", ids_["?framework"]}};
      HttpRequest request = mesos::json_post("/master/api/v1/scheduler", body);
      request.headers.set("Mesos-Stream-Id", stream_id_);
      request.headers.set("Authorization", authorization(request.target));
      static HttpResponse ignored;
      tasks_.spawn("acknowledge",
                   exchange(std::move(request), local_->master_endpoint(), &ignored));
    }
  }
  events.push_back(event);
}

asio::awaitable<void> Replay::read_stream(std::shared_ptr<mesos::RecordStream> stream) {
  for (;;) {
    auto document = co_await stream->next(1h);
    if (!document) co_return;
    note(*document);
  }
}

void Replay::subscribe(const std::string& trace) {
  const auto recorded = load_trace(kTraces + trace + ".request.json");
  const auto stream = std::make_shared<mesos::RecordStream>(loop.io.get_executor());
  HttpResponse response;
  loop.run([](Replay* self, std::shared_ptr<mesos::RecordStream> s, HttpRequest request,
              HttpResponse* out) -> asio::awaitable<void> {
    auto opened = co_await s->open(self->local_->master_endpoint(), std::move(request), 10s);
    if (opened) *out = *std::move(opened);
  }(this, stream, request_of(recorded), &response));
  check_answer(trace, response);
  if (response.status != 200) return;
  stream_ = stream;
  stream_id_ = std::string(response.headers.get("Mesos-Stream-Id"));
  EXPECT_EQ(stream_id_.size(), 36u);
  tasks_.spawn("stream", read_stream(stream));
}

void Replay::disconnect() {
  stream_->close();
  offers_.clear();
  const FrameworkId id(ids_["?framework"]);
  EXPECT_TRUE(loop.run_until([&] {
    const auto& all = local_->master().core().frameworks();
    return !all.contains(id) || !all.at(id).stream;
  }));
}

Resources Replay::on_offer(const AgentId& agent) {
  Resources sum;
  for (const auto& [id, offer] : offers_) {
    if (id_of(offer.at("agent_id")) == agent.value)
      sum += mesos::decode_resources(offer.at("resources").as_array());
  }
  return sum;
}

// Everything that is free has been offered, so that a call meets what the recorded one met.
void Replay::let_offers_settle() {
  loop.run_until(
      [&] {
        const auto& core = local_->master().core();
        const AgentId agent = local_->agent(0).state().id;
        Resources theirs;
        for (const auto& [id, offer] : core.offers()) {
          if (offer.agent == agent) theirs += offer.resources;
        }
        return core.free_of(agent).empty() && !theirs.empty() && on_offer(agent) == theirs;
      },
      1500ms);
}

void Replay::match_offers(const json::value& recorded, const std::string& trace) {
  for (const auto& offer : recorded.at("offers").at("offers").as_array()) {
    const AgentId agent(id_of(translated(offer.at("agent_id"))));
    const Resources wanted = mesos::decode_resources(offer.at("resources").as_array());
    EXPECT_TRUE(loop.run_until([&] { return on_offer(agent).contains(wanted); }, 5s))
        << trace << ": recorded " << describe(wanted) << "\nours " << describe(on_offer(agent));
  }
}

void Replay::match(const json::value& recorded, const std::string& trace) {
  const std::string type(recorded.at("type").as_string());
  if (type == "OFFERS") return match_offers(recorded, trace);
  const auto of_type = [&](const json::value& e) {
    return e.at("type").as_string() == recorded.at("type").as_string();
  };
  const bool came = loop.run_until([&] { return std::ranges::any_of(events, of_type); }, 10s);
  ASSERT_TRUE(came) << trace << ": no " << type;
  const auto found = std::ranges::find_if(events, of_type);
  const json::value ours = *found;
  events.erase(found);
  EXPECT_EQ(covers(translated(recorded), ours, kNormalised), "") << trace;
  if (type == "UPDATE") {  // an update needs an acknowledgement here iff it needed one there
    const auto has_uuid = [](const json::value& e) {
      return e.at("update").at("status").as_object().contains("uuid");
    };
    EXPECT_EQ(has_uuid(ours), has_uuid(recorded)) << trace;
  }
}

void Replay::expect_events(const std::string& trace, const std::set<std::string>& but) {
  const auto recorded = load_trace(kTraces + trace + ".events.json");
  ASSERT_TRUE(recorded.is_array()) << trace;
  for (const auto& event : recorded.get_array()) {
    if (!but.contains(event.at("type").as_string().c_str())) match(event, trace);
  }
}

void Replay::step(const std::string& trace) {
  let_offers_settle();
  call(trace);
  expect_events(trace);
}

}  // namespace mysos::conformance
