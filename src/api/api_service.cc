// SPDX-License-Identifier: Apache-2.0
// The service itself: what it offers, how it is, its description, its page.
#include "api/answers.h"
#include "api/assets.h"
#include "api/cluster_json.h"

namespace mysos {
namespace {

asio::awaitable<Answer> list_versions(ApiParts& api, const ApiCall&) {
  json::array all;
  for (const VersionInfo& version : api.control.versions())
    all.push_back(version_json(version, all.empty()));
  co_return json_answer(200, json::object{{"versions", std::move(all)}});
}

asio::awaitable<Answer> list_agents(ApiParts& api, const ApiCall&) {
  json::array all;
  for (const AgentView& agent : api.control.agents()) all.push_back(agent_json(agent));
  co_return json_answer(200, json::object{{"agents", std::move(all)}});
}

HttpResponse health_answer(const Health& health, bool well) {
  json::object body{{"status", well ? "ok" : "failing"},
                    {"mesos", health.mesos_connected ? "connected" : "disconnected"},
                    {"mesos_problem", health.mesos_problem},
                    {"store", health.store_problem.empty() ? "ok" : health.store_problem}};
  return json_answer(well ? 200 : 503, std::move(body));
}

// Alive and able to keep what it promises.
asio::awaitable<Answer> healthz(ApiParts& api, const ApiCall&) {
  const Health health = api.control.health();
  co_return health_answer(health, health.store_problem.empty());
}

// That, and there is a Mesos master.
asio::awaitable<Answer> readyz(ApiParts& api, const ApiCall&) {
  const Health health = api.control.health();
  co_return health_answer(health, health.ready());
}

asio::awaitable<Answer> metrics(ApiParts& api, const ApiCall& call) {
  HttpResponse response = text_response(200, api.control.metrics() + call.exchange.server_metrics());
  response.headers.set("Content-Type", "text/plain; version=0.0.4");
  co_return response;
}

asio::awaitable<Answer> send_asset(std::string_view type, std::string_view body) {
  co_return HttpResponse{
      200,
      {{"Content-Type", std::string(type)},
       {"Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"},
       {"X-Content-Type-Options", "nosniff"},
       {"Referrer-Policy", "no-referrer"},
       {"Cache-Control", "no-cache"}},
      std::string(body)};
}
Handler asset(std::string_view type, std::string_view (*body)()) {
  return [=](ApiParts&, const ApiCall&) { return send_asset(type, body()); };
}

}  // namespace

std::vector<Operation> service_operations() {
  return {{"listVersions", "GET", "/v1/versions", Scope::kToken, list_versions},
          {"listAgents", "GET", "/v1/agents", Scope::kToken, list_agents},
          {"openapi", "GET", "/v1/openapi.json", Scope::kOpen, asset("application/json", assets::openapi)},
          {"healthz", "GET", "/healthz", Scope::kOpen, healthz},
          {"readyz", "GET", "/readyz", Scope::kOpen, readyz},
          {"metrics", "GET", "/metrics", Scope::kMetrics, metrics},
          {"", "GET", "/", Scope::kOpen, asset("text/html; charset=utf-8", assets::page)},
          {"", "GET", "/app.js", Scope::kOpen, asset("text/javascript; charset=utf-8", assets::script)},
          {"", "GET", "/style.css", Scope::kOpen, asset("text/css; charset=utf-8", assets::style)},
          {"", "GET", "/icon.svg", Scope::kOpen, asset("image/svg+xml", assets::icon)}};
}

}  // namespace mysos
