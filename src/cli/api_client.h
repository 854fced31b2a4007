// SPDX-License-Identifier: Apache-2.0
#pragma once
// The API client of the client commands: one request after the other, blocking, each with a deadline.
// An answer that is no success becomes the Error of its problem document. The token appears only in
// the Authorization header.
#include <functional>
#include <string>

#include "base/asio.h"
#include "base/http/client.h"
#include "base/http/url.h"
#include "base/json.h"
#include "cli/options.h"

namespace mysos::cli {

inline constexpr Duration kRequestDeadline = std::chrono::seconds(30);

class ApiClient {
 public:
  // kUnauthorized: no token was found; the message says where it was looked for.
  static Result<ApiClient> open(const ClientOptions& options);

  Result<json::value> request(std::string method, std::string target,
                              std::optional<json::object> body = std::nullopt);
  Result<json::value> get(std::string target) { return request("GET", std::move(target)); }
  [[nodiscard]] std::string address() const { return "http://" + to_string(url_.endpoint); }
  // Calls `on_event` with each event until it returns false, or the stream ends.
  Status follow_events(std::string target,
                       const std::function<bool(const json::object&)>& on_event);

 private:
  ApiClient(Url url, std::string token) : url_(std::move(url)), token_(std::move(token)) {}
  HttpRequest make(std::string method, std::string target) const;
  Url url_;
  std::string token_;
};

// The given URL, or the address that the server of the state directory recorded when it began to listen.
Result<Url> find_url(const ClientOptions& options);
// The given token, or from a file, or from the state directory. kUnauthorized says where it was looked for. The token of a
// state directory is used only if find_url() is the address that its server recorded.
Result<std::string> find_token(const ClientOptions& options);

// The pause between two polls.
void pause_for(Duration duration);

}  // namespace mysos::cli
