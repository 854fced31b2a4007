// SPDX-License-Identifier: Apache-2.0
#pragma once
// A bearer token in the field Authorization (RFC 6750, section 2.1). The case of the scheme's name does not matter (RFC 9110,
// section 11.1).
#include <string>
#include <string_view>

#include "base/http/message.h"

namespace mysos {

inline std::string bearer_authorization(std::string_view token) { return "Bearer " + std::string(token); }

// "" where the request carries none.
inline std::string_view bearer_token(const HttpRequest& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = request.headers.get("Authorization");
  return iequals(given.substr(0, kScheme.size()), kScheme) ? given.substr(kScheme.size()) : std::string_view();
}

}  // namespace mysos
