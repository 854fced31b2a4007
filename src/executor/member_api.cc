// SPDX-License-Identifier: Apache-2.0
#include "executor/member_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/http/bearer.h"
#include "base/secret.h"
#include "member/member_codec.h"

namespace mysos {
namespace {

enum class Kind { kOpen, kStatus, kWatch, kSnapshot, kOrder };
struct Route {
  std::string_view path;
  Kind kind;
};
constexpr auto kRoutes = std::to_array<Route>({{"/healthz", Kind::kOpen},
                                               {"/metrics", Kind::kOpen},
                                               {"/primary", Kind::kOpen},
                                               {"/replica", Kind::kOpen},
                                               {"/v1/status", Kind::kStatus},
                                               {"/v1/watch", Kind::kWatch},
                                               {"/v1/snapshot", Kind::kSnapshot},
                                               {"/v1/setup", Kind::kOrder},
                                               {"/v1/meet", Kind::kOrder},
                                               {"/v1/fence", Kind::kOrder},
                                               {"/v1/promote", Kind::kOrder},
                                               {"/v1/follow", Kind::kOrder},
                                               {"/v1/certify", Kind::kOrder},
                                               {"/v1/rebuild", Kind::kOrder}});

const Route* find_route(std::string_view path) {
  const auto* found = std::ranges::find(kRoutes, path, &Route::path);
  return found == kRoutes.end() ? nullptr : found;
}

HttpResponse wrong_method(std::string_view path, std::string_view allowed) {
  Error error{Errc::kInvalid, std::string(path) + " takes " + std::string(allowed) + " only", {}};
  HttpResponse response = problem_response(error, 405);
  response.headers.set("Allow", std::string(allowed));
  return response;
}

HttpResponse check(bool good, const std::string& text) {
  return text_response(good ? 200 : 503, text + "\n");
}

// Counts one watcher for as long as it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

MemberApi::MemberApi(MemberService& service, std::string token_hash, SnapshotService* snapshots)
    : service_(service), token_hash_(std::move(token_hash)), snapshots_(snapshots) {}

bool MemberApi::authorized(const HttpRequest& request) const {
  const std::string_view token = bearer_token(request);
  return !token.empty() && !token_hash_.empty() && constant_time_equal(hash_token(token), token_hash_);
}

bool MemberApi::may_copy(const HttpRequest& request) const {
  const std::string_view token = bearer_token(request);
  return snapshots_ != nullptr && !token.empty() && snapshots_->accepts(token);
}

asio::awaitable<void> MemberApi::handle(const HttpRequest& request, HttpExchange& exchange) {
  const Route* route = find_route(request.path);
  if (route != nullptr && route->kind == Kind::kOpen) {
    const bool get = request.method == "GET";
    HttpResponse response = get ? answer_open(request) : wrong_method(request.path, "GET");
    if (get && request.path == "/metrics") response.body += exchange.server_metrics();
    co_await exchange.reply(std::move(response));
    co_return;
  }
  // A stranger does not even learn which paths there are.
  const bool snapshot = route != nullptr && route->kind == Kind::kSnapshot;
  if (!(snapshot ? may_copy(request) : authorized(request))) {
    HttpResponse response =
        problem_response({Errc::kUnauthorized, "the member's token is needed", {}});
    response.headers.set("WWW-Authenticate", "Bearer");
    co_await exchange.reply(std::move(response));
    co_return;
  }
  exchange.trust();
  if (route == nullptr) {
    HttpResponse response =
        problem_response({Errc::kNotFound, "there is nothing at " + request.path, {}});
    co_await exchange.reply(std::move(response));
    co_return;
  }
  const std::string_view method = route->kind == Kind::kOrder ? "POST" : "GET";
  if (request.method != method) {
    HttpResponse response = wrong_method(request.path, method);
    co_await exchange.reply(std::move(response));
    co_return;
  }
  if (route->kind == Kind::kWatch) {
    co_await watch(exchange);
    co_return;
  }
  if (snapshot) {
    co_await snapshots_->serve(exchange);
    co_return;
  }
  HttpResponse response;
  if (route->kind == Kind::kOrder) {
    response = co_await answer_order(request);
  } else {
    response = json_response(200, encode_report(service_.report()));
  }
  co_await exchange.reply(std::move(response));
}

asio::awaitable<HttpResponse> MemberApi::answer_order(const HttpRequest& request) {
  const std::string_view name =
      std::string_view(request.path).substr(std::string_view("/v1/").size());
  auto decoded = decode_order(name, request.body);
  if (!decoded) co_return order_problem(decoded.error(), {});
  auto report = co_await service_.obey(std::move(decoded->order), std::move(decoded->secrets));
  if (!report) co_return order_problem(report.error(), service_.report().promised);
  co_return json_response(200, encode_report(*report));
}

asio::awaitable<void> MemberApi::watch(HttpExchange& exchange) {
  if (watchers_ >= kMaxWatchers) {
    HttpResponse response = problem_response({Errc::kUnavailable, "too many watchers", {}});
    co_await exchange.reply(std::move(response));
    co_return;
  }
  const Counted counted(watchers_);
  HttpHeaders headers{{"Content-Type", "application/jsonl"}, {"Cache-Control", "no-store"}};
  if (!co_await exchange.start_stream(200, std::move(headers))) co_return;
  exchange.when_closed([this] { service_.changed().notify_all(); });
  while (!exchange.closed()) {
    const std::uint64_t seen = service_.version();
    std::string line = encode_report(service_.report()) + "\n";
    if (!co_await exchange.write_chunk(std::move(line))) co_return;
    if (service_.version() == seen) co_await service_.changed().wait_for(kWatchInterval);
  }
}

// Who asks for a member by its id is not answered for another one: its port may have become ours.
HttpResponse MemberApi::answer_open(const HttpRequest& request) {
  if (const auto meant = request.query.find("member"); meant != request.query.end()) {
    const std::string own = service_.report().member.value;
    if (meant->second != own) return check(false, "this is member " + own);
  }
  if (request.path == "/healthz") return text_response(200, "ok\n");
  if (request.path == "/metrics") {
    HttpResponse response = text_response(200, service_.metrics());
    response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    return response;
  }
  if (request.path == "/replica") return answer_replica(request);
  const MemberReport report = service_.report();
  const bool primary = report.role == MemberRole::kPrimary &&
                       report.server == ServerState::kRunning && report.writable &&
                       report.user_ready;
  return check(primary, primary ? "primary, epoch " + std::to_string(report.promised.epoch)
                                : "not a primary that serves");
}

HttpResponse MemberApi::answer_replica(const HttpRequest& request) {
  double max_lag_s = kDefaultMaxLagSeconds;
  if (const auto given = request.query.find("max_lag"); given != request.query.end()) {
    const std::string& text = given->second;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), max_lag_s);
    if (ec != std::errc() || end != text.data() + text.size() || !std::isfinite(max_lag_s) ||
        max_lag_s < 0) {
      return problem_response(
          {Errc::kInvalid, "max_lag must be a number of seconds, 0 or more", "max_lag"}, 400);
    }
  }
  const MemberReport report = service_.report();
  const bool follows = report.role == MemberRole::kReplica &&
                       report.server == ServerState::kRunning && report.receiver_connected &&
                       report.lag_ms >= 0;
  if (!follows) return check(false, "not a replica that follows");
  if (!report.applier_running || report.applier_restarts > 0) return check(false, "a replica whose applier has stopped");
  if (report.written_on || report.logs_reset) return check(false, "a replica whose data are not the primary's");
  // The server measures by the last event that came: since then the source may have written on.
  const std::int64_t behind = report.lag_ms + report.source_silent_ms;
  const bool near = static_cast<double>(behind) <= max_lag_s * 1000;
  return check(near, "replica, " + std::to_string(behind) + " ms behind");
}

}  // namespace mysos
