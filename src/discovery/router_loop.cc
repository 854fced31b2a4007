// SPDX-License-Identifier: Apache-2.0
#include "discovery/router_loop.h"

#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/clock.h"
#include "base/http/bearer.h"
#include "base/http/client.h"
#include "base/log.h"
#include "base/port_check.h"

namespace mysos::discovery {
namespace {
constexpr Logger kLog{"router"};

constexpr Duration kApiDeadline = std::chrono::seconds(1);
constexpr Duration kEventsOpen = std::chrono::seconds(5);
constexpr Duration kEventsSilence = std::chrono::seconds(40);  // the scheduler speaks every 15 s
constexpr Duration kBusyFor = std::chrono::seconds(10);        // after an event
constexpr Duration kBusyPause = std::chrono::milliseconds(50);
constexpr Duration kAlonePause = std::chrono::milliseconds(500);
constexpr Duration kIdlePause = std::chrono::seconds(1);
constexpr Duration kReloadEvery = std::chrono::seconds(1);
constexpr Duration kMostBackoff = std::chrono::seconds(30);
constexpr std::size_t kMostSuspects = 32;  // asked in one round
constexpr std::uint64_t kMostSessions = 10000;

Duration backoff(unsigned failures) {
  return std::min(kMostBackoff, kReloadEvery * (1U << std::min(failures, 5U)));
}

// As many as there are descriptors for: two each, some for the rest.
std::uint64_t most_sessions() {
  constexpr std::uint64_t kSpare = 200;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t room = limit.rlim_max > 2 * kSpare ? (limit.rlim_max - kSpare) / 2 : kSpare;
  return std::min(kMostSessions, room);
}

// "primary, epoch 7": the body of GET /primary.
std::optional<std::uint64_t> epoch_in(const std::string& body) {
  constexpr std::string_view kWord = "epoch ";
  const auto at = body.find(kWord);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t epoch = 0;
  const char* begin = body.data() + at + kWord.size();
  const auto read = std::from_chars(begin, body.data() + body.size(), epoch);
  return read.ec == std::errc() ? std::optional(epoch) : std::nullopt;
}

}  // namespace

RouterLoop::RouterLoop(asio::any_io_executor executor, RouterOptions options)
    : executor_(executor),
      options_(std::move(options)),
      wake_(executor),
      tasks_(executor),
      server_(executor, [this](const HttpRequest& request, HttpExchange& exchange) {
        return answer(request, exchange);
      }) {}

Status RouterLoop::open() {
  MYSOS_TRY_VOID(make_dirs(options_.dir, 0700));
  MYSOS_TRY(lock_, LockFile::acquire(options_.dir + "/router.lock"));
  MYSOS_TRY(const std::string program, HaProxy::find_program(options_.program));
  MYSOS_TRY(saved_, read_router_file(options_.dir));
  haproxy_.emplace(program, options_.dir);
  core_.emplace(PortTable(options_.ports, saved_.ports), saved_.clusters);
  config_ = {.listen = options_.listen,
             .max_lag_s = options_.max_lag_s,
             .state_file = haproxy_->state_file(),
             .max_sessions = most_sessions(),
             .threads = std::clamp(std::thread::hardware_concurrency(), 1U, 4U)};
  if (::geteuid() == 0) {
    const WorkerUser worker = worker_user(find_user("haproxy").has_value());  // Debian's package makes it
    if (!worker.warning.empty()) kLog.warn("{}", worker.warning);
    config_.user = worker.user;
    config_.group = worker.group;
    config_.jail = options_.dir + "/jail";
    MYSOS_TRY_VOID(make_dirs(config_.jail, 0555));
  }
  auto port = server_.listen(options_.status_listen, options_.status_port);
  if (!port)
    return fail(port.error().code, port.error().message + "; take another one with --status-port");
  status_port_ = *port;
  return {};
}

void RouterLoop::end() {
  ending_ = true;
  wake_.notify_all();
}

asio::awaitable<void> RouterLoop::serve() {
  const bool found = haproxy_->adopt();
  if (found) {
    kLog.info("HAProxy runs already: its sessions continue");
    const auto present = read_file(haproxy_->config_file());
    reload_wanted_ = !present || *present != config();
  }
  tasks_.spawn("events", follow_events());
  while (!ending_) {
    co_await round();
    if (!ending_) co_await wake_.wait_for(pause());
  }
  co_await tasks_.cancel_and_join();
  co_await server_.stop();
  save(false);
  co_await haproxy_->stop();
}

Duration RouterLoop::pause() const {
  if (!api_answers_) return kAlonePause;
  if (core_->unsettled() && steady_now() < busy_until_) return kBusyPause;
  return kIdlePause;
}

HttpRequest RouterLoop::api_request(std::string target, const std::string& token) const {
  HttpRequest request{.method = "GET", .target = options_.api.target + target};
  request.headers.set("Authorization", bearer_authorization(token));
  return request;
}

// Each event is a reason to look. What it says does not matter: the clusters are asked for whole.
asio::awaitable<void> RouterLoop::follow_events() {
  unsigned failures = 0;
  while (true) {
    const Instant began = steady_now();
    const Status ended = co_await follow_once();
    if (!ended) kLog.debug("the event stream ended: {}", ended.error().message);
    failures = steady_now() - began > kEventsSilence ? 0 : failures + 1;
    co_await sleep_for(backoff(std::min(failures, 3U)));
  }
}

asio::awaitable<Status> RouterLoop::follow_once() {
  MYSOS_CO_TRY(const std::string token, options_.token());
  HttpRequest request = api_request("/v1/events", token);
  request.headers.set("Accept", "text/event-stream");
  HttpStream stream(executor_);
  MYSOS_CO_TRY(const HttpResponse opened,
               co_await stream.open(options_.api.endpoint, std::move(request), kEventsOpen));
  if (opened.status != 200)
    co_return fail(errc_from_http_status(opened.status), "no event stream is given");
  while (true) {
    MYSOS_CO_TRY(const std::string bytes, co_await stream.read_some(kEventsSilence));
    if (bytes.empty()) co_return Status();
    if (bytes.find("data:") == std::string::npos) continue;
    busy_until_ = steady_now() + kBusyFor;
    wake_.notify_all();
  }
}

asio::awaitable<void> RouterLoop::round() {
  const std::optional<Servers> servers = co_await look();
  co_await hear_api();
  save(true);
  core_->look_at_taken(port_is_free_here());
  if (!servers) {
    co_await have_haproxy();
    for (const std::string& note : core_->without_haproxy()) kLog.info("{}", note);
    measure({});
    co_return;
  }
  RouterOutput out = core_->step(*servers);
  for (const std::string& note : out.notes) kLog.info("{}", note);
  measure(*servers);
  co_await obey(std::move(out.commands));
  if (out.reload || reload_wanted_) co_await reload(*servers);
  if (old_workers_) co_await cut_old_sessions(*servers);
  co_await ask_suspects(std::move(out.suspects));
}

bool RouterLoop::any_ports() const {
  return std::ranges::any_of(core_->clusters(),
                             [](const RoutedCluster& c) { return listens(c); });
}

// HAProxy does not start without a port to listen at, so it runs only while there are clusters.
asio::awaitable<bool> RouterLoop::have_haproxy() {
  if (haproxy_->alive()) co_return true;
  metrics_.gauge("mysos_router_haproxy_up", "1 while HAProxy runs and answers.").set(0);
  if (!any_ports() || steady_now() < next_start_) co_return false;
  const Status started =
      co_await haproxy_->start(config(), render_states("", core_->clusters()));
  failures_ = started ? 0 : failures_ + 1;
  next_start_ = steady_now() + backoff(failures_);
  trouble("start", started ? "" : started.error().message);
  if (!started && core_->ports_refused({}, port_is_free_here())) next_start_ = steady_now();
  metrics_.counter("mysos_router_haproxy_starts_total", "Starts of HAProxy, by result.")
      .inc({{"result", started ? "ok" : "failed"}});
  if (started) {
    reload_wanted_ = false;
    old_workers_ = false;
    busy_until_ = steady_now() + kBusyFor;
    wake_.notify_all();
  }
  co_return started.has_value();
}

asio::awaitable<std::optional<Servers>> RouterLoop::look() {
  if (!haproxy_->alive()) co_return std::nullopt;
  auto text = co_await haproxy_->ask({"show servers state"});
  auto servers = text ? parse_servers(*text) : std::unexpected(text.error());
  trouble("look", servers ? "" : servers.error().message);
  metrics_.gauge("mysos_router_haproxy_up", "1 while HAProxy runs and answers.")
      .set(servers ? 1 : 0);
  if (!servers) co_return std::nullopt;
  present_states_ = *std::move(text);
  co_return *std::move(servers);
}

asio::awaitable<void> RouterLoop::hear_api() {
  const Status heard = co_await ask_clusters();
  api_answers_ = heard.has_value();
  if (!heard) core_->api_silent();
  trouble("api", heard ? "" : heard.error().message + "; the ports stay, the members' checks decide");
  metrics_.gauge("mysos_router_api_connected", "1 while the scheduler's API answers.")
      .set(heard ? 1 : 0);
}

asio::awaitable<Status> RouterLoop::ask_clusters() {
  MYSOS_CO_TRY(const std::string token, options_.token());
  auto answered = co_await http_request(executor_, options_.api.endpoint,
                                        api_request("/v1/clusters", token), kApiDeadline);
  const std::string who = "http://" + to_string(options_.api.endpoint);
  if (!answered) co_return std::unexpected(std::move(answered).error().with_context(who));
  if (answered->status != 200)
    co_return std::unexpected(error_from_response(*answered).with_context(who));
  MYSOS_CO_TRY(const json::value body, parse_json(answered->body));
  MYSOS_CO_TRY(auto clusters, parse_clusters(body));
  core_->clusters_seen(std::move(clusters), port_is_free_here());
  co_return Status();
}

PortTable::IsFree RouterLoop::port_is_free_here() const {
  return [this](std::uint16_t port) { return port_is_free(options_.listen, port); };
}

std::string RouterLoop::config() const { return render_config(config_, core_->clusters()); }

asio::awaitable<void> RouterLoop::reload(const Servers& held) {
  reload_wanted_ = true;
  if (steady_now() < next_reload_) co_return;
  if (!any_ports()) {
    co_await haproxy_->stop();
    reload_wanted_ = false;
    co_return;
  }
  // Asked again: what was seen at the beginning of the round was before our commands.
  const auto states = co_await haproxy_->ask({"show servers state"});
  const Status done = co_await haproxy_->reload(
      config(), render_states(states ? *states : present_states_, core_->clusters()));
  failures_ = done ? 0 : failures_ + 1;
  next_reload_ = steady_now() + backoff(failures_);
  reload_wanted_ = !done;
  old_workers_ = true;
  trouble("reload", done ? "" : done.error().message);
  if (!done && core_->ports_refused(held, port_is_free_here())) next_reload_ = steady_now();
  metrics_.counter("mysos_router_reloads_total", "Reloads of HAProxy, by result.")
      .inc({{"result", done ? "ok" : "failed"}});
  if (done) busy_until_ = steady_now() + kBusyFor;
}

asio::awaitable<void> RouterLoop::obey(std::vector<std::string> commands) {
  if (commands.empty()) co_return;
  for (const std::string& command : commands) kLog.debug("{}", command);
  const auto cuts = std::ranges::count_if(
      commands, [](const std::string& c) { return c.starts_with("shutdown sessions"); });
  const auto said = co_await haproxy_->ask(std::move(commands));
  if (!said) {
    kLog.warn("HAProxy was not told: {}", said.error().message);
    co_return;
  }
  if (cuts > 0) {
    metrics_.counter("mysos_router_cuts_total", "Servers whose sessions were cut.")
        .inc({}, static_cast<double>(cuts));
  }
  if (said->find("No such") != std::string::npos)
    kLog.debug("HAProxy says: {}", said->substr(0, 500));
}

// Between asking and the next step nothing needs to be kept: a suspect is one again next time.
asio::awaitable<void> RouterLoop::ask_suspects(std::vector<Suspect> suspects) {
  if (suspects.size() > kMostSuspects) suspects.resize(kMostSuspects);
  bool any = false;
  for (const Suspect& suspect : suspects) {
    const auto said = co_await http_request(
        executor_, Endpoint{suspect.member.host, suspect.member.api_port},
        HttpRequest{.method = "GET", .target = "/primary?member=" + suspect.member.id}, kApiDeadline);
    const bool serves = said && said->status == 200;
    core_->claim_seen(suspect, serves ? epoch_in(said->body) : std::nullopt);
    any = any || serves;
  }
  if (any) wake_.notify_all();
}

asio::awaitable<void> RouterLoop::cut_old_sessions(const Servers& servers) {
  const auto workers = co_await haproxy_->workers();
  if (!workers) co_return;
  old_workers_ = !workers->old.empty();
  for (const long worker : workers->old) {
    const auto sessions = co_await haproxy_->ask({"show sess"}, worker);
    if (!sessions) continue;
    std::vector<std::string> commands;
    for (const std::string& id : sessions_to_cut(*sessions, servers))
      commands.push_back("shutdown session " + id);
    if (commands.empty()) continue;
    kLog.info("{} session(s) of an earlier configuration led to members that do not take them now: cut",
              commands.size());
    metrics_.counter("mysos_router_old_sessions_cut_total",
                     "Sessions cut that began before a reload.")
        .inc({}, static_cast<double>(commands.size()));
    (void)co_await haproxy_->ask(std::move(commands), worker);
  }
}

void RouterLoop::save(bool active) {
  RouterFile now{.active = active,
                 .listen = options_.listen,
                 .ports = core_->ports().entries(),
                 .clusters = core_->clusters()};
  for (RoutedCluster& cluster : now.clusters) cluster.reign.serves = false;  // true of a moment only
  if (now == saved_) return;
  const Status written = write_router_file(options_.dir, now);
  trouble("file", written ? "" : written.error().message);
  if (written) saved_ = std::move(now);
}

void RouterLoop::trouble(const std::string& about, const std::string& what) {
  std::string& known = troubles_[about];
  if (known == what) return;
  if (what.empty()) {
    kLog.info("over: {}", known);
  } else {
    kLog.warn("{}", what);
  }
  known = what;
}

}  // namespace mysos::discovery
