// SPDX-License-Identifier: Apache-2.0
// The two calls of Cotton (Apache incubator, Mysos before it was renamed) for its existing clients:
// form-encoded bodies, and only the statuses they know: 200, 400, 401, 403, 404, 409, 503.
#include "api/answers.h"
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

asio::awaitable<Answer> create(ApiParts& api, const ApiCall& call) {
  const auto form = parse_form(call.request.body);
  if (!form) co_return cotton_problem(form.error());
  auto wanted = parse_cotton_create(call.name, *form, api.control.versions());
  if (!wanted) co_return cotton_problem(wanted.error());
  auto created = co_await api.control.create(call.caller, *std::move(wanted));
  if (!created) co_return cotton_problem(created.error());
  // Without ZooKeeper the address is that of the cluster in the API; with it, it will be its zk://
  // path.
  co_return json_answer(200, json::object{{"cluster_url", api.options.base_url + "/v1/clusters/" + call.name},
                                          {"cluster_password", created->password}});
}

asio::awaitable<Answer> remove(ApiParts& api, const ApiCall& call) {
  Control& control = api.control;
  const std::string& name = call.name;
  const auto form = parse_form(call.request.body);
  if (!form) co_return cotton_problem(form.error());
  if (!control.cluster(name)) co_return cotton_problem(no_cluster(name, control.clusters()));
  const auto given = form->find("password");
  if (given == form->end() || given->second.empty()) {
    co_return cotton_problem(Error{
        Errc::kInvalid, "password is missing: the cluster_password of its creation", "password"});
  }
  const auto right = control.is_password_of(name, given->second);
  if (!right) co_return cotton_problem(right.error());
  if (!*right)
    co_return cotton_problem(
        Error{Errc::kForbidden, "this is not the password of cluster " + name, "password"});
  const auto removed = co_await control.command(call.caller, name, command::Delete{});
  if (!removed) co_return cotton_problem(removed.error());
  co_return json_answer(200, json::object{{"cluster_url", api.options.base_url + "/v1/clusters/" + name}});
}

}  // namespace

std::vector<Operation> cotton_operations() {
  return {{"cottonCreate", "POST", "/clusters/{name}", Scope::kCotton, create},
          {"cottonDelete", "DELETE", "/clusters/{name}", Scope::kCotton, remove}};
}

}  // namespace mysos
