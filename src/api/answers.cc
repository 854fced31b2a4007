// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"

#include "api/cluster_json.h"
#include "api/create_request.h"
#include "base/clock.h"
#include "base/did_you_mean.h"

namespace mysos {

HttpResponse json_answer(int status, const json::value& body) {
  HttpResponse response = json_response(status, json::serialize(body) + "\n");
  response.headers.set("Cache-Control", "no-store");  // some answers hold a password
  return response;
}

HttpResponse body_problem(const Error& error) {
  return problem_response(error, error.code == Errc::kInvalid && error.field.empty() ? 400 : 0);
}

Error no_cluster(const std::string& name, const std::vector<ClusterView>& clusters) {
  std::vector<std::string> names;
  for (const ClusterView& view : clusters) names.push_back(view.cluster->spec.name);
  return Error{Errc::kNotFound, "there is no cluster " + name + did_you_mean(name, names), "name"};
}

json::object shown(const ApiParts& api, const ClusterView& view) {
  json::object out = cluster_json(view);
  const auto& stable_addresses = api.options.stable_addresses;
  const auto stable = stable_addresses ? stable_addresses(view.cluster->id) : std::nullopt;
  json::object& endpoints = out["endpoints"].as_object();
  endpoints["read_write"] = stable ? json::value(to_string(stable->read_write)) : nullptr;
  endpoints["read_only"] = stable ? json::value(to_string(stable->read_only)) : nullptr;
  return out;
}

Result<Duration> wait_of(const HttpRequest& request) {
  const auto given = request.query.find("wait");
  return given == request.query.end() ? Result<Duration>(Duration{}) : parse_wait(given->second);
}

asio::awaitable<bool> wait_for(Control& control, std::string name, std::optional<ClusterState> state, Duration at_most) {
  const Instant until = steady_now() + at_most;
  while (true) {
    const auto view = control.cluster(name);
    if (view ? view->state == state : !state) co_return true;
    if (!view && state) co_return false;  // deleted meanwhile
    const Instant now = steady_now();
    if (now >= until) co_return false;
    co_await control.changed().wait_for(until - now);
  }
}

}  // namespace mysos
