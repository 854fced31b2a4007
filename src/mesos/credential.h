// SPDX-License-Identifier: Apache-2.0
#pragma once
// A principal and its secret, and how they travel: HTTP Basic towards master and operator API, a bearer token towards an
// agent's executor API. Source: Mesos authentication.md; measured on Mesos 1.11.
#include <optional>
#include <string>
#include <string_view>

namespace mysos::mesos {

struct Credential {
  std::string principal;  // no colon: HTTP Basic ends the name there
  std::string secret;
};

// The values of an Authorization header.
std::string basic_authorization(const Credential& credential);
std::string bearer_authorization(std::string_view token);
// What such a value says; nullopt where it is of another scheme, or broken.
std::optional<Credential> basic_credential(std::string_view authorization);
std::optional<std::string> bearer_token(std::string_view authorization);

}  // namespace mysos::mesos
