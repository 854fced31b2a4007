// SPDX-License-Identifier: Apache-2.0
#include "mesos/credential.h"

#include "base/base64.h"
#include "base/http/message.h"

namespace mysos::mesos {
namespace {
constexpr std::string_view kBasic = "Basic ";
constexpr std::string_view kBearer = "Bearer ";

// What follows the scheme's name; nullopt: another scheme.
std::optional<std::string_view> after(std::string_view scheme, std::string_view authorization) {
  if (authorization.size() <= scheme.size() || !iequals(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
  return authorization.substr(scheme.size());
}
}  // namespace

std::string basic_authorization(const Credential& credential) {
  return std::string(kBasic) + base64_encode(credential.principal + ":" + credential.secret);
}

std::string bearer_authorization(std::string_view token) { return std::string(kBearer) + std::string(token); }

std::optional<Credential> basic_credential(std::string_view authorization) {
  const auto encoded = after(kBasic, authorization);
  if (!encoded) return std::nullopt;
  const auto text = base64_decode(*encoded);
  if (!text) return std::nullopt;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credential{text->substr(0, colon), text->substr(colon + 1)};
}

std::optional<std::string> bearer_token(std::string_view authorization) {
  const auto token = after(kBearer, authorization);
  return token ? std::optional<std::string>(*token) : std::nullopt;
}

}  // namespace mysos::mesos
