// SPDX-License-Identifier: Apache-2.0
#pragma once
// Addresses and URLs as texts, percent-encoding, queries and forms. Boost.URL reads them (RFC 3986).
#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "base/result.h"

namespace mysos {

// "host:port" or "[v6]:port".
Result<Endpoint> parse_endpoint(std::string_view text);

// http://host:port/path?query taken apart. The default port is 80.
struct Url {
  Endpoint endpoint;
  std::string target = "/";
};
Result<Url> parse_url(std::string_view text);

std::string percent_encode(std::string_view text);  // all but unreserved characters
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
Result<FormFields> parse_form(std::string_view text);  // application/x-www-form-urlencoded
std::string encode_form(const FormFields& fields);
// Fills path and query from target. An encoded slash stays "%2F" in the path: it is no separator.
Status parse_target(HttpRequest& request);

}  // namespace mysos
