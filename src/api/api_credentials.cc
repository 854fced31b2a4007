// SPDX-License-Identifier: Apache-2.0
// The user's password: asked for, changed, the old one ended.
#include "api/api_server.h"
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
  HttpResponse response = json_response(200, json::serialize(body) + "\n");
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace

asio::awaitable<HttpResponse> ApiServer::credentials(std::string name) {
  if (!control_.cluster(name)) co_return problem_response(no_cluster(name, control_.clusters()));
  const auto known = co_await control_.credentials(name);
  co_return known ? credentials_answer(*known) : problem_response(known.error());
}

// Answered when a primary has it, or after a while in which none did.
asio::awaitable<HttpResponse> ApiServer::change_credentials(std::string name, CredentialsChange change) {
  if (!control_.cluster(name)) co_return problem_response(no_cluster(name, control_.clusters()));
  auto known = co_await control_.change_credentials(name, change);
  if (!known) co_return problem_response(known.error());
  const Instant until = steady_now() + kApplyWait;
  for (Instant now = steady_now(); !known->applied && now < until; now = steady_now()) {
    co_await control_.changed().wait_for(until - now);
    const auto view = control_.cluster(name);
    if (!view) co_return problem_response(no_cluster(name, control_.clusters()));
    known->applied = view->cluster->credentials_applied >= view->cluster->credentials;
  }
  co_return credentials_answer(*known);
}

}  // namespace mysos
