// SPDX-License-Identifier: Apache-2.0
#pragma once
// A principal and its secret, as HTTP Basic carries them to the master and the operator API. (An agent's executor API takes a
// bearer token: base/http/bearer.h.) Source: Mesos authentication.md; measured on Mesos 1.11.
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
// What such a value says; nullopt where it is of another scheme, or broken.
std::optional<Credential> basic_credential(std::string_view authorization);

}  // namespace mysos::mesos
