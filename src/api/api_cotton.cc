// SPDX-License-Identifier: Apache-2.0
// The two calls of Cotton (Apache incubator, Mysos before it was renamed) for its existing clients:
// form-encoded bodies, and only the statuses they know: 200, 400, 401, 403, 404, 409, 503.
#include "api/api_server.h"
#include "api/cluster_json.h"
#include "api/create_request.h"
#include "base/http/url.h"

namespace mysos {
namespace {

HttpResponse cotton_problem(const Error& error) {
  const int status = http_status(error.code);
  switch (status) {
    case 422:
    case 413:
      return problem_response(error, 400);
    case 500:
    case 504:
      return problem_response(error, 503);
    default:
      return problem_response(error);
  }
}

}  // namespace

asio::awaitable<HttpResponse> ApiServer::cotton_create(const HttpRequest& request,
                                                       std::string name) {
  const auto form = parse_form(request.body);
  if (!form) co_return cotton_problem(form.error());
  auto wanted = parse_cotton_create(name, *form, control_.versions());
  if (!wanted) co_return cotton_problem(wanted.error());
  auto created = co_await control_.create(*std::move(wanted));
  if (!created) co_return cotton_problem(created.error());
  // Without ZooKeeper the address is that of the cluster in the API; with it, it will be its zk://
  // path.
  const json::object body{{"cluster_url", options_.base_url + "/v1/clusters/" + name},
                          {"cluster_password", created->password}};
  HttpResponse response = json_response(200, json::serialize(body));
  response.headers.set("Cache-Control", "no-store");
  co_return response;
}

asio::awaitable<HttpResponse> ApiServer::cotton_delete(const HttpRequest& request,
                                                       std::string name) {
  const auto form = parse_form(request.body);
  if (!form) co_return cotton_problem(form.error());
  if (!control_.cluster(name)) co_return cotton_problem(no_cluster(name, control_.clusters()));
  const auto given = form->find("password");
  if (given == form->end() || given->second.empty()) {
    co_return cotton_problem(Error{
        Errc::kInvalid, "password is missing: the cluster_password of its creation", "password"});
  }
  const auto right = control_.is_password_of(name, given->second);
  if (!right) co_return cotton_problem(right.error());
  if (!*right)
    co_return cotton_problem(
        Error{Errc::kForbidden, "this is not the password of cluster " + name, "password"});
  const auto removed = co_await control_.remove(name);
  if (!removed) co_return cotton_problem(removed.error());
  co_return json_response(
      200,
      json::serialize(json::object{{"cluster_url", options_.base_url + "/v1/clusters/" + name}}));
}

}  // namespace mysos
