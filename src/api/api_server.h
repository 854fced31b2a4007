// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scheduler's HTTP server: REST under /v1, Cotton's two calls, health, metrics, the status page. It decides nothing. It
// passes requests to Control and returns Control's answers as JSON or as a problem document (RFC 9457). The table of operations
// (operation.h) lists the calls and who may make them. Belongs to the thread of the io_context.
#include <string>
#include <variant>
#include <vector>

#include "api/operation.h"

namespace mysos {

// The name of the only token.
inline constexpr std::string_view kAdmin = "admin";
// The caller's name on an open Cotton API, for requests without a token.
inline constexpr std::string_view kCotton = "cotton";

class ApiServer {
 public:
  ApiServer(Control& control, ApiOptions options) : parts_{control, std::move(options)} {}
  asio::awaitable<void> handle(const HttpRequest& request, HttpExchange& exchange);

  // The limits of the HTTP server.
  static HttpServerOptions server_options(std::vector<std::string> allowed_hosts = {});

 private:
  // The caller, or why the request is refused.
  [[nodiscard]] std::variant<Caller, HttpResponse> admit(const HttpRequest& request, HttpExchange& exchange, Scope scope) const;

  ApiParts parts_;
};

}  // namespace mysos
