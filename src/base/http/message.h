// SPDX-License-Identifier: Apache-2.0
#pragma once
// HTTP messages as plain values, the same for server and client, and problem documents (RFC 9457). Nothing here does I/O.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mysos {

bool iequals(std::string_view a, std::string_view b);

// Header fields in the order given. Names compare without regard to case.
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<std::pair<std::string, std::string>> fields)
      : fields_(fields) {}
  // The first value, or "".
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  // Replaces every field of that name.
  void set(std::string_view name, std::string value);
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  void erase(std::string_view name);
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

using FormFields = std::map<std::string, std::string>;  // of a name given twice the last one counts

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // as it stands in the request line
  std::string path = {};     // decoded but for "%2F", without the query; set by the server
  FormFields query = {};     // decoded; set by the server
  HttpHeaders headers = {};
  std::string body = {};
  std::string peer = {};    // address of the client; set by the server
  bool idempotent = false;  // the client may send it twice (GET, HEAD, PUT, DELETE always are)
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers = {};
  std::string body = {};
};

struct Endpoint {
  std::string host;  // an address, or a name
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};
std::string to_string(const Endpoint& endpoint);  // "10.0.0.1:8080", "[::1]:8080"

std::string_view http_reason(int status);
HttpResponse text_response(int status, std::string body);
HttpResponse json_response(int status, std::string body);
// RFC 9457: {"type","title","status","detail","field"} as application/problem+json. `status` 0 =
// that of the error.
HttpResponse problem_response(const Error& error, int status = 0);
// The Error for a response that is no success. It takes the problem document of the response, if
// there is one.
Error error_from_response(const HttpResponse& response);
Errc errc_from_http_status(int status);

}  // namespace mysos
