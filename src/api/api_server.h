// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scheduler's HTTP face: REST under /v1, Cotton's two calls, health, metrics, the status page. It decides nothing: what is
// asked goes to Control, and what Control says comes back as JSON or as a problem document (RFC 9457). What there is, and who
// may, says the table of operations (operation.h). Belongs to the thread of the io_context.
#include <string>
#include <variant>
#include <vector>

#include "api/operation.h"

namespace mysos {

// The name of the one token that there is.
inline constexpr std::string_view kAdmin = "admin";
// Who calls Cotton's API where it is open and no token was shown.
inline constexpr std::string_view kCotton = "cotton";

class ApiServer {
 public:
  ApiServer(Control& control, ApiOptions options) : parts_{control, std::move(options)} {}
  asio::awaitable<void> handle(const HttpRequest& request, HttpExchange& exchange);

  // What the HTTP server in front shall bound.
  static HttpServerOptions server_options(std::vector<std::string> allowed_hosts = {});

 private:
  // Who it is, or why it may not.
  [[nodiscard]] std::variant<Caller, HttpResponse> admit(const HttpRequest& request, HttpExchange& exchange, Scope scope) const;

  ApiParts parts_;
};

}  // namespace mysos
