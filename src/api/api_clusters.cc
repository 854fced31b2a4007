// SPDX-License-Identifier: Apache-2.0
// Clusters: listed, shown, made, deleted. What carries our label and belongs to none of them.
#include "api/answers.h"
#include "api/cluster_json.h"
#include "api/create_request.h"
#include "base/clock.h"
#include "base/secret.h"

namespace mysos {
namespace {

bool is_json(const HttpRequest& request) {
  const auto type = request.headers.get("Content-Type");
  const auto bare = type.substr(0, type.find(';'));
  return bare.empty() || iequals(bare, "application/json");
}

asio::awaitable<Answer> list(ApiParts& api, const ApiCall&) {
  json::array all;
  for (const ClusterView& view : api.control.clusters()) all.push_back(shown(api, view));
  co_return json_answer(200, json::object{{"clusters", std::move(all)}});
}

asio::awaitable<Answer> show(ApiParts& api, const ApiCall& call) {
  const auto view = api.control.cluster(call.name);
  if (!view) co_return problem_response(no_cluster(call.name, api.control.clusters()));
  co_return json_answer(200, shown(api, *view));
}

asio::awaitable<Answer> members(ApiParts& api, const ApiCall& call) {
  const auto view = api.control.cluster(call.name);
  if (!view) co_return problem_response(no_cluster(call.name, api.control.clusters()));
  co_return json_answer(200, json::object{{"members", members_json(*view)}});
}

asio::awaitable<HttpResponse> create_once(ApiParts& api, const ApiCall& call) {
  const auto wait = wait_of(call.request);
  if (!wait) co_return problem_response(wait.error());
  auto wanted = parse_create(call.request.body, api.control.versions());
  if (!wanted) co_return body_problem(wanted.error());
  const std::string name = wanted->spec.name;
  auto created = co_await api.control.create(call.caller, *std::move(wanted));
  if (!created) co_return problem_response(created.error());

  const bool healthy = co_await wait_for(api.control, name, ClusterState::kHealthy, *wait);
  const auto view = api.control.cluster(name);
  json::object body;
  if (view && view->cluster->id == created->id) {
    body = shown(api, *view);
  } else {
    body = json::object{{"name", name}, {"id", created->id.value}, {"state", "deleting"}};
  }
  body["password"] = created->password;
  HttpResponse response = json_answer(healthy ? 201 : 202, std::move(body));
  response.headers.set("Location", "/v1/clusters/" + name);
  co_return response;
}

// The answer to a create holds the password: who is given it once more has read it, and there is an event of that. Of a cluster
// that is gone there is no password any more.
asio::awaitable<Answer> given_again(ApiParts& api, const ApiCall& call, HttpResponse before) {
  const auto made = parse_json(before.body);
  if (before.status >= 300 || !made || !made->is_object()) co_return before;
  const auto* name = made->get_object().if_contains("name");
  if (name == nullptr || !name->is_string()) co_return before;
  const auto read = co_await api.control.credentials(call.caller, std::string(name->get_string()));
  if (!read && read.error().code != Errc::kNotFound) co_return problem_response(read.error());
  co_return before;
}

asio::awaitable<Answer> create(ApiParts& api, const ApiCall& call) {
  const HttpRequest& request = call.request;
  if (!is_json(request)) {
    co_return problem_response(Error{Errc::kInvalid, "the body must be application/json", {}}, 415);
  }
  const std::string key(request.headers.get("Idempotency-Key"));
  if (!request.headers.has("Idempotency-Key")) co_return co_await create_once(api, call);
  auto verdict = api.idempotency.begin(key, hash_token(request.target + "\n" + request.body), steady_now());
  if (auto* before = std::get_if<HttpResponse>(&verdict)) co_return co_await given_again(api, call, std::move(*before));
  if (const auto* error = std::get_if<Error>(&verdict)) co_return problem_response(*error);
  struct Abandon {  // a handler that is cancelled must not leave its key behind as "under way"
    IdempotencyTable& table;
    const std::string& key;
    bool done = false;
    ~Abandon() {
      if (!done) table.abandon(key);
    }
  } abandon{api.idempotency, key};
  HttpResponse response = co_await create_once(api, call);
  api.idempotency.finish(key, response);
  abandon.done = true;
  co_return response;
}

asio::awaitable<Answer> remove(ApiParts& api, const ApiCall& call) {
  const auto wait = wait_of(call.request);
  if (!wait) co_return problem_response(wait.error());
  if (!api.control.cluster(call.name)) co_return problem_response(no_cluster(call.name, api.control.clusters()));
  const auto removed = co_await api.control.command(call.caller, call.name, command::Delete{});
  if (!removed) co_return problem_response(removed.error());
  if (co_await wait_for(api.control, call.name, std::nullopt, *wait)) co_return HttpResponse{204, {}, ""};
  const auto view = api.control.cluster(call.name);
  if (!view) co_return HttpResponse{204, {}, ""};
  co_return json_answer(202, shown(api, *view));
}

asio::awaitable<Answer> list_orphans(ApiParts& api, const ApiCall&) {
  co_return json_answer(200, orphans_json(api.control.orphans()));
}

}  // namespace

std::vector<Operation> cluster_operations() {
  return {{"listClusters", "GET", "/v1/clusters", Scope::kToken, list},
          {"createCluster", "POST", "/v1/clusters", Scope::kToken, create, create_fields()},
          {"showCluster", "GET", "/v1/clusters/{name}", Scope::kToken, show},
          {"deleteCluster", "DELETE", "/v1/clusters/{name}", Scope::kToken, remove},
          {"listMembers", "GET", "/v1/clusters/{name}/members", Scope::kToken, members},
          {"listOrphans", "GET", "/v1/orphans", Scope::kToken, list_orphans}};
}

}  // namespace mysos
