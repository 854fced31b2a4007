// SPDX-License-Identifier: Apache-2.0
#include "api/api_server.h"

#include "api/router.h"
#include "base/http/bearer.h"
#include "base/log.h"
#include "base/secret.h"

namespace mysos {
namespace {
constexpr Logger kLog{"api"};

// `peer` as HttpRequest has it, with a port: "127.0.0.1:5000", "[::1]:5000".
std::string address_of(const std::string& peer) {
  std::string address = peer.substr(0, peer.rfind(':'));
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  constexpr std::string_view kMapped = "::ffff:";  // an IPv4 address, of a socket for both
  return address.starts_with(kMapped) && address.contains('.') ? address.substr(kMapped.size()) : address;
}

// Of this machine, and not passed on by a proxy for somebody else.
bool is_local(const HttpRequest& request) {
  const std::string address = address_of(request.peer);
  const bool loopback = address.starts_with("127.") || address == "::1";
  return loopback && !request.headers.has("Forwarded") && !request.headers.has("X-Forwarded-For");
}

// Whoever tries what is not possible, or not for them, is in the log.
void tell_refusal(const HttpRequest& request, const Caller& caller, const HttpResponse& response) {
  if (response.status < 400 || request.method == "GET" || request.method == "HEAD") return;
  kLog.info("{} {} of {} answered {}: {}", request.method, request.path, to_string(caller), response.status, response.body);
}

}  // namespace

HttpServerOptions ApiServer::server_options(std::vector<std::string> allowed_hosts) {
  HttpServerOptions options;
  options.max_body_bytes = kMaxApiBody;
  options.allowed_hosts = std::move(allowed_hosts);
  return options;
}

std::variant<Caller, HttpResponse> ApiServer::admit(const HttpRequest& request, HttpExchange& exchange, Scope scope) const {
  const std::string from = address_of(request.peer);
  if (scope == Scope::kOpen || (scope == Scope::kMetrics && is_local(request))) return Caller{"", from};
  if (scope == Scope::kCotton && parts_.options.cotton == CottonAccess::kOpen) {
    if (!request.headers.has("Origin")) return Caller{std::string(kCotton), from};
    return problem_response(Error{Errc::kForbidden, "Cotton's API is not for web pages", {}});
  }
  const std::string_view token = bearer_token(request);
  std::string why =
      "a token is needed: Authorization: Bearer TOKEN (it is in the file admin.token of the state "
      "directory)";
  if (!token.empty()) {
    if (constant_time_equal(hash_token(token), parts_.options.token_hash)) {
      exchange.trust();
      return Caller{std::string(kAdmin), from};
    }
    why = "invalid token";
  }
  HttpResponse refusal = problem_response(Error{Errc::kUnauthorized, std::move(why), {}});
  refusal.headers.set("WWW-Authenticate", "Bearer realm=\"mysos\"");
  return refusal;
}

asio::awaitable<void> ApiServer::handle(const HttpRequest& request, HttpExchange& exchange) {
  auto matched = match_route(api_operations(), request.method, request.path);
  HttpResponse response;
  if (const auto* error = std::get_if<Error>(&matched)) {
    response = problem_response(*error);
  } else if (const auto* other = std::get_if<MethodNotAllowed>(&matched)) {
    response = problem_response(
        Error{Errc::kInvalid, request.method + " is not allowed here; allowed: " + other->allow, {}},
        405);
    response.headers.set("Allow", other->allow);
  } else {
    Route& route = std::get<Route>(matched);
    auto admitted = admit(request, exchange, route.operation->scope);
    if (auto* refusal = std::get_if<HttpResponse>(&admitted)) {
      response = std::move(*refusal);
    } else {
      const ApiCall call{request, exchange, std::get<Caller>(std::move(admitted)), std::move(route.name)};
      Answer answer = co_await route.operation->handler(parts_, call);
      if (!answer) co_return;
      response = *std::move(answer);
      tell_refusal(request, call.caller, response);
    }
  }
  if (response.status >= 500)
    kLog.warn("{} {} answered {}", request.method, request.path, response.status);
  co_await exchange.reply(std::move(response));
}

}  // namespace mysos
