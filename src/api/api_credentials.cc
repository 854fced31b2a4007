// SPDX-License-Identifier: Apache-2.0
// The user's password: asked for, changed, the old one ended.
#include "api/answers.h"
#include "base/clock.h"

namespace mysos {
namespace {

constexpr Duration kApplyWait = std::chrono::seconds(10);  // for a primary to have a new password

HttpResponse credentials_answer(const Credentials& known) {
  json::object body{{"user", known.user},
                    {"password", known.password},
                    {"host", nullptr},
                    {"port", nullptr},
                    {"applied", known.applied},
                    {"old_password_valid", known.old_password_valid},
                    {"changed_in_sql", known.changed_in_sql}};
  if (known.primary) {
    body["host"] = known.primary->host;
    body["port"] = known.primary->port;
  }
  return json_answer(200, body);
}

asio::awaitable<Answer> credentials(ApiParts& api, const ApiCall& call) {
  if (!api.control.cluster(call.name)) co_return problem_response(no_cluster(call.name, api.control.clusters()));
  const auto known = co_await api.control.credentials(call.caller, call.name);
  co_return known ? credentials_answer(*known) : problem_response(known.error());
}

// Answered when a primary has it, or after a while in which none did.
asio::awaitable<Answer> change_password(ApiParts& api, const ApiCall& call, CredentialsChange change) {
  Control& control = api.control;
  if (!control.cluster(call.name)) co_return problem_response(no_cluster(call.name, control.clusters()));
  auto known = co_await control.change_credentials(call.caller, call.name, change);
  if (!known) co_return problem_response(known.error());
  const Instant until = steady_now() + kApplyWait;
  for (Instant now = steady_now(); !known->applied && now < until; now = steady_now()) {
    co_await control.changed().wait_for(until - now);
    const auto view = control.cluster(call.name);
    if (!view) co_return problem_response(no_cluster(call.name, control.clusters()));
    known->applied = view->cluster->credentials_applied >= view->cluster->credentials;
  }
  co_return credentials_answer(*known);
}

asio::awaitable<Answer> rotate(ApiParts& api, const ApiCall& call) {
  return change_password(api, call, CredentialsChange::kRotate);
}
asio::awaitable<Answer> retire(ApiParts& api, const ApiCall& call) {
  return change_password(api, call, CredentialsChange::kRetire);
}

}  // namespace

std::vector<Operation> credentials_operations() {
  return {{"credentials", "GET", "/v1/clusters/{name}/credentials", Scope::kToken, credentials},
          {"rotateCredentials", "POST", "/v1/clusters/{name}/credentials/rotate", Scope::kToken, rotate},
          {"retireCredentials", "POST", "/v1/clusters/{name}/credentials/retire", Scope::kToken, retire}};
}

}  // namespace mysos
