// SPDX-License-Identifier: Apache-2.0
// What RouterLoop tells of itself: metrics, and the table of ports.
#include "discovery/router_loop.h"

namespace mysos::discovery {

void RouterLoop::measure(const Servers& servers) {
  auto writable = metrics_.gauge("mysos_router_writable",
                                 "1 where the read-write port leads to a primary.");
  auto replicas = metrics_.gauge("mysos_router_replicas", "Replicas behind the read-only port.");
  auto switches = metrics_.counter("mysos_router_switches_total",
                                   "Times the read-write port came to lead to another member.");
  auto taken = metrics_.gauge("mysos_router_ports_taken",
                              "1 where another process listens on a port of the cluster.");
  metrics_.gauge("mysos_router_clusters", "Clusters with ports.")
      .set(static_cast<double>(core_->status().size()));
  metrics_.gauge("mysos_router_servers", "Servers that HAProxy knows.")
      .set(static_cast<double>(servers.size()));
  std::set<std::string> names;
  for (const RouteStatus& route : core_->status()) {
    const Labels labels{{"cluster", route.name}};
    names.insert(route.name);
    taken.set(route.taken ? 1 : 0, labels);
    writable.set(route.primary.empty() ? 0 : 1, labels);
    replicas.set(static_cast<double>(route.replicas), labels);
    std::uint64_t& told = switches_[route.name];
    if (route.switches < told) told = 0;  // another cluster of that name
    switches.inc(labels, static_cast<double>(route.switches - told));
    told = route.switches;
  }
  for (const std::string& name : measured_) {
    if (names.contains(name)) continue;
    metrics_.forget("cluster", name);
    switches_.erase(name);
  }
  measured_ = std::move(names);
}

asio::awaitable<void> RouterLoop::answer(const HttpRequest& request, HttpExchange& exchange) {
  HttpResponse response;
  if (request.method != "GET") {
    response = problem_response({Errc::kInvalid, request.path + " takes GET only", {}}, 405);
  } else if (request.path == "/healthz") {
    response = text_response(200, "ok\n");
  } else if (request.path == "/metrics") {
    response = text_response(200, metrics_.render() + exchange.server_metrics());
    response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  } else if (request.path == "/status") {
    json::array clusters;
    for (const RouteStatus& route : core_->status()) {
      const auto at = [&](std::uint16_t port) { return to_string(Endpoint{options_.listen, port}); };
      clusters.push_back(json::object{
          {"name", route.name},
          {"read_write", at(route.ports.read_write)},
          {"read_only", at(route.ports.read_only)},
          {"primary", route.primary.empty() ? json::value(nullptr) : json::value(route.primary)},
          {"replicas", route.replicas},
          {"taken", route.taken}});
    }
    response = json_response(
        200, json::serialize(json::object{{"api_answers", api_answers_},
                                          {"clusters", std::move(clusters)}}) + "\n");
  } else {
    response = problem_response(
        {Errc::kNotFound, "there is nothing at " + request.path + "; try /status or /metrics", {}});
  }
  co_await exchange.reply(std::move(response));
}

}  // namespace mysos::discovery
