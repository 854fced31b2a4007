// SPDX-License-Identifier: Apache-2.0
#include "api/api_server.h"

#include <algorithm>
#include <set>

#include "api/assets.h"
#include "api/cluster_json.h"
#include "api/create_request.h"
#include "base/clock.h"
#include "base/did_you_mean.h"
#include "base/http/bearer.h"
#include "base/log.h"
#include "base/secret.h"

namespace mysos {
namespace {
constexpr Logger kLog{"api"};

HttpResponse asset(std::string_view type, std::string_view body) {
  return HttpResponse{
      200,
      {{"Content-Type", std::string(type)},
       {"Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"},
       {"X-Content-Type-Options", "nosniff"},
       {"Referrer-Policy", "no-referrer"},
       {"Cache-Control", "no-cache"}},
      std::string(body)};
}

HttpResponse json_answer(int status, const json::value& body) {
  HttpResponse response = json_response(status, json::serialize(body) + "\n");
  response.headers.set("Cache-Control", "no-store");  // some answers hold a password
  return response;
}

// A body that is no JSON object is 400, a wrong value in it 422.
HttpResponse body_problem(const Error& error) {
  return problem_response(error, error.code == Errc::kInvalid && error.field.empty() ? 400 : 0);
}

// Of this machine, and not passed on by a proxy for somebody else. `peer` as HttpRequest has it, with a port.
bool is_local(const HttpRequest& request) {
  const std::string& peer = request.peer;
  const bool loopback = peer.starts_with("127.") || peer.starts_with("[::1]:") || peer.starts_with("[::ffff:127.");
  return loopback && !request.headers.has("Forwarded") && !request.headers.has("X-Forwarded-For");
}

bool is_json(const HttpRequest& request) {
  const auto type = request.headers.get("Content-Type");
  const auto bare = type.substr(0, type.find(';'));
  return bare.empty() || iequals(bare, "application/json");
}

}  // namespace

Error no_cluster(const std::string& name, const std::vector<ClusterView>& clusters) {
  std::vector<std::string> names;
  for (const ClusterView& view : clusters) names.push_back(view.cluster->spec.name);
  return Error{Errc::kNotFound, "there is no cluster " + name + did_you_mean(name, names), "name"};
}

HttpServerOptions ApiServer::server_options(std::vector<std::string> allowed_hosts) {
  HttpServerOptions options;
  options.max_body_bytes = kMaxApiBody;
  options.allowed_hosts = std::move(allowed_hosts);
  return options;
}

std::optional<HttpResponse> ApiServer::refuse_access(const HttpRequest& request, HttpExchange& exchange,
                                                     Access access) const {
  if (access == Access::kOpen) return std::nullopt;
  if (access == Access::kMetrics && is_local(request)) return std::nullopt;
  if (access == Access::kCotton && options_.cotton == CottonAccess::kOpen) {
    if (!request.headers.has("Origin")) return std::nullopt;
    return problem_response(Error{Errc::kForbidden, "Cotton's API is not for web pages", {}});
  }
  const std::string_view token = bearer_token(request);
  std::string why =
      "a token is needed: Authorization: Bearer TOKEN (it is in the file admin.token of the state "
      "directory)";
  if (!token.empty()) {
    if (constant_time_equal(hash_token(token), options_.token_hash)) {
      exchange.trust();
      return std::nullopt;
    }
    why = "this token is not known here";
  }
  HttpResponse refusal = problem_response(Error{Errc::kUnauthorized, std::move(why), {}});
  refusal.headers.set("WWW-Authenticate", "Bearer realm=\"mysos\"");
  return refusal;
}

asio::awaitable<void> ApiServer::handle(const HttpRequest& request, HttpExchange& exchange) {
  auto matched = match_route(request.method, request.path);
  HttpResponse response;
  if (const auto* error = std::get_if<Error>(&matched)) {
    response = problem_response(*error);
  } else if (const auto* other = std::get_if<MethodNotAllowed>(&matched)) {
    response = problem_response(
        Error{Errc::kInvalid, request.method + " is not possible here, only " + other->allow, {}},
        405);
    response.headers.set("Allow", other->allow);
  } else {
    const Route route = std::get<Route>(matched);
    if (auto refusal = refuse_access(request, exchange, route.access)) {
      response = *std::move(refusal);
    } else if (route.id == RouteId::kEvents &&
               request.headers.get("Accept").find("text/event-stream") != std::string_view::npos) {
      co_await stream_events(request, exchange);
      co_return;
    } else {
      response = co_await answer(request, route);
      if (route.id == RouteId::kMetrics) response.body += exchange.server_metrics();
    }
  }
  if (response.status >= 500)
    kLog.warn("{} {} answered {}", request.method, request.path, response.status);
  co_await exchange.reply(std::move(response));
}

asio::awaitable<HttpResponse> ApiServer::answer(const HttpRequest& request, Route route) {
  switch (route.id) {
    case RouteId::kListClusters:
      co_return list_clusters();
    case RouteId::kCreateCluster:
      co_return co_await create(request);
    case RouteId::kShowCluster:
      co_return show(route.name, false);
    case RouteId::kDeleteCluster:
      co_return co_await remove(request, route.name);
    case RouteId::kMembers:
      co_return show(route.name, true);
    case RouteId::kClusterEvents: {
      // The events of a cluster outlive it.
      const auto cluster = co_await control_.newest_named(route.name);
      if (!cluster) co_return problem_response(cluster.error());
      if (cluster->empty()) co_return problem_response(no_cluster(route.name, control_.clusters()));
      co_return co_await list_events(request, *cluster);
    }
    case RouteId::kSwitchover:
      co_return co_await switchover(request, route.name);
    case RouteId::kFailover:
      co_return co_await failover(request, route.name);
    case RouteId::kPromotion:
      co_return co_await promotion(request, route.name);
    case RouteId::kCredentials:
      co_return co_await credentials(route.name);
    case RouteId::kRotateCredentials:
      co_return co_await change_credentials(route.name, CredentialsChange::kRotate);
    case RouteId::kRetireCredentials:
      co_return co_await change_credentials(route.name, CredentialsChange::kRetire);
    case RouteId::kEvents:
      co_return co_await list_events(request, std::nullopt);
    case RouteId::kVersions:
      co_return list_versions();
    case RouteId::kAgents:
      co_return list_agents();
    case RouteId::kListOrphans:
      co_return json_answer(200, orphans_json(control_.orphans()));
    case RouteId::kDestroyOrphan: {
      const auto begun = co_await control_.destroy_orphan(route.name);
      if (!begun) co_return problem_response(begun.error());
      co_return json_answer(202, json::object{{"id", route.name}, {"fate", enum_text(OrphanFate::kDestroy)}});
    }
    case RouteId::kAdopt:
      co_return co_await adopt(request);
    case RouteId::kRegister: {
      const auto begun = co_await control_.register_anew();
      co_return begun ? json_answer(202, json::object{{"status", "registering"}}) : problem_response(begun.error());
    }
    case RouteId::kOpenapi:
      co_return asset("application/json", assets::openapi());
    case RouteId::kCottonCreate:
      co_return co_await cotton_create(request, route.name);
    case RouteId::kCottonDelete:
      co_return co_await cotton_delete(request, route.name);
    case RouteId::kHealthz:
      co_return health(false);
    case RouteId::kReadyz:
      co_return health(true);
    case RouteId::kMetrics: {
      HttpResponse response = text_response(200, control_.metrics());
      response.headers.set("Content-Type", "text/plain; version=0.0.4");
      co_return response;
    }
    case RouteId::kPage:
      co_return asset("text/html; charset=utf-8", assets::page());
    case RouteId::kScript:
      co_return asset("text/javascript; charset=utf-8", assets::script());
    case RouteId::kStyle:
      co_return asset("text/css; charset=utf-8", assets::style());
    case RouteId::kIcon:
      co_return asset("image/svg+xml", assets::icon());
  }
  co_return problem_response(Error{Errc::kInternal, "no handler", {}});
}

json::object ApiServer::shown(const ClusterView& view) const {
  json::object out = cluster_json(view);
  const auto stable = options_.stable_addresses ? options_.stable_addresses(view.cluster->id)
                                                : std::nullopt;
  json::object& endpoints = out["endpoints"].as_object();
  endpoints["read_write"] = stable ? json::value(to_string(stable->read_write)) : nullptr;
  endpoints["read_only"] = stable ? json::value(to_string(stable->read_only)) : nullptr;
  return out;
}

HttpResponse ApiServer::list_clusters() {
  json::array all;
  for (const ClusterView& view : control_.clusters()) all.push_back(shown(view));
  return json_answer(200, json::object{{"clusters", std::move(all)}});
}

HttpResponse ApiServer::show(const std::string& name, bool members_only) {
  const auto view = control_.cluster(name);
  if (!view) return problem_response(no_cluster(name, control_.clusters()));
  if (members_only) return json_answer(200, json::object{{"members", members_json(*view)}});
  return json_answer(200, shown(*view));
}

HttpResponse ApiServer::list_versions() {
  json::array all;
  for (const VersionInfo& version : control_.versions())
    all.push_back(version_json(version, all.empty()));
  return json_answer(200, json::object{{"versions", std::move(all)}});
}

HttpResponse ApiServer::list_agents() {
  json::array all;
  for (const AgentView& agent : control_.agents()) all.push_back(agent_json(agent));
  return json_answer(200, json::object{{"agents", std::move(all)}});
}

// Alive and able to keep what it promises; readiness asks for a Mesos master as well.
HttpResponse ApiServer::health(bool readiness) {
  const Health health = control_.health();
  const bool well = readiness ? health.ready() : health.store_problem.empty();
  json::object body{{"status", well ? "ok" : "failing"},
                    {"mesos", health.mesos_connected ? "connected" : "disconnected"},
                    {"mesos_problem", health.mesos_problem},
                    {"store", health.store_problem.empty() ? "ok" : health.store_problem}};
  return json_answer(well ? 200 : 503, std::move(body));
}

asio::awaitable<HttpResponse> ApiServer::create(const HttpRequest& request) {
  if (!is_json(request)) {
    co_return problem_response(Error{Errc::kInvalid, "the body must be application/json", {}}, 415);
  }
  const std::string key(request.headers.get("Idempotency-Key"));
  if (!request.headers.has("Idempotency-Key")) co_return co_await create_once(request);
  auto verdict =
      idempotency_.begin(key, hash_token(request.target + "\n" + request.body), steady_now());
  if (const auto* before = std::get_if<HttpResponse>(&verdict)) co_return *before;
  if (const auto* error = std::get_if<Error>(&verdict)) co_return problem_response(*error);
  struct Abandon {  // a handler that is cancelled must not leave its key behind as "under way"
    IdempotencyTable& table;
    const std::string& key;
    bool done = false;
    ~Abandon() {
      if (!done) table.abandon(key);
    }
  } abandon{idempotency_, key};
  HttpResponse response = co_await create_once(request);
  idempotency_.finish(key, response);
  abandon.done = true;
  co_return response;
}

asio::awaitable<HttpResponse> ApiServer::create_once(const HttpRequest& request) {
  Duration wait{};
  if (const auto given = request.query.find("wait"); given != request.query.end()) {
    const auto parsed = parse_wait(given->second);
    if (!parsed) co_return problem_response(parsed.error());
    wait = *parsed;
  }
  auto wanted = parse_create(request.body, control_.versions());
  if (!wanted) co_return body_problem(wanted.error());
  const std::string name = wanted->spec.name;
  auto created = co_await control_.create(*std::move(wanted));
  if (!created) co_return problem_response(created.error());

  const bool healthy = co_await wait_for(name, ClusterState::kHealthy, wait);
  const auto view = control_.cluster(name);
  json::object body;
  if (view && view->cluster->id == created->id) {
    body = shown(*view);
  } else {
    body = json::object{{"name", name}, {"id", created->id.value}, {"state", "deleting"}};
  }
  body["password"] = created->password;
  HttpResponse response = json_answer(healthy ? 201 : 202, std::move(body));
  response.headers.set("Location", "/v1/clusters/" + name);
  co_return response;
}

asio::awaitable<HttpResponse> ApiServer::remove(const HttpRequest& request, std::string name) {
  Duration wait{};
  if (const auto given = request.query.find("wait"); given != request.query.end()) {
    const auto parsed = parse_wait(given->second);
    if (!parsed) co_return problem_response(parsed.error());
    wait = *parsed;
  }
  if (!control_.cluster(name)) co_return problem_response(no_cluster(name, control_.clusters()));
  const auto removed = co_await control_.remove(name);
  if (!removed) co_return problem_response(removed.error());
  if (co_await wait_for(name, std::nullopt, wait)) co_return HttpResponse{204, {}, ""};
  const auto view = control_.cluster(name);
  if (!view) co_return HttpResponse{204, {}, ""};
  co_return json_answer(202, shown(*view));
}

Result<MemberId> ApiServer::member_named(const ClusterView& view, const std::string& id,
                                         const char* field) {
  std::vector<std::string> known;
  for (const Member& member : view.cluster->members) known.push_back(member.id.value);
  if (std::ranges::find(known, id) != known.end()) return MemberId(id);
  return fail(Errc::kInvalid,
              "cluster " + view.cluster->spec.name + " has no member " + id + did_you_mean(id, known), field);
}

HttpResponse ApiServer::begun(const std::string& name, const Status& begun) {
  if (!begun) return problem_response(begun.error());
  const auto after = control_.cluster(name);
  return after ? json_answer(202, shown(*after)) : problem_response(no_cluster(name, control_.clusters()));
}

asio::awaitable<HttpResponse> ApiServer::switchover(const HttpRequest& request, std::string name) {
  const auto wanted = parse_switchover(request.body);
  if (!wanted) co_return body_problem(wanted.error());
  const auto view = control_.cluster(name);
  if (!view) co_return problem_response(no_cluster(name, control_.clusters()));
  std::optional<MemberId> to;
  if (wanted->to) {
    auto member = member_named(*view, *wanted->to, "to");
    if (!member) co_return problem_response(member.error());
    to = *std::move(member);
  }
  co_return begun(name, co_await control_.switchover(name, std::move(to)));
}

asio::awaitable<HttpResponse> ApiServer::failover(const HttpRequest& request, std::string name) {
  const auto wanted = parse_failover(request.body);
  if (!wanted) co_return body_problem(wanted.error());
  const auto view = control_.cluster(name);
  if (!view) co_return problem_response(no_cluster(name, control_.clusters()));
  if (wanted->to) {
    if (const auto member = member_named(*view, wanted->to->value, "to"); !member) {
      co_return problem_response(member.error());
    }
  }
  co_return begun(name, co_await control_.failover(name, *wanted));
}

asio::awaitable<HttpResponse> ApiServer::adopt(const HttpRequest& request) {
  auto wanted = parse_adopt(request.body);
  if (!wanted) co_return body_problem(wanted.error());
  std::set<ClusterId> before;
  for (const ClusterView& view : control_.clusters()) before.insert(view.cluster->id);
  const auto id = co_await control_.adopt(std::move(wanted->cluster), std::move(wanted->as));
  if (!id) co_return problem_response(id.error());
  const bool adopted = !before.contains(*id);
  for (const ClusterView& view : control_.clusters()) {
    if (view.cluster->id != *id) continue;
    json::object out = shown(view);
    out["adopted"] = adopted;
    co_return json_answer(adopted ? 202 : 200, std::move(out));
  }
  co_return problem_response(Error{Errc::kNotFound, "the cluster was adopted, and deleted since", {}});
}

asio::awaitable<HttpResponse> ApiServer::promotion(const HttpRequest& request, std::string name) {
  const auto wanted = parse_promotion(request.body);
  if (!wanted) co_return body_problem(wanted.error());
  const auto view = control_.cluster(name);
  if (!view) co_return problem_response(no_cluster(name, control_.clusters()));
  auto member = member_named(*view, wanted->member, "member");
  if (!member) co_return problem_response(member.error());
  co_return begun(name, co_await control_.set_promotion(name, *std::move(member), wanted->promotion));
}

asio::awaitable<bool> ApiServer::wait_for(std::string name, std::optional<ClusterState> state,
                                          Duration at_most) {
  const Instant until = steady_now() + at_most;
  while (true) {
    const auto view = control_.cluster(name);
    if (view ? view->state == state : !state) co_return true;
    if (!view && state) co_return false;  // deleted meanwhile
    const Instant now = steady_now();
    if (now >= until) co_return false;
    co_await control_.changed().wait_for(until - now);
  }
}

}  // namespace mysos
