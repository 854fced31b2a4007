// SPDX-License-Identifier: Apache-2.0
#include "mesos/credential.h"

#include "base/base64.h"
#include "base/http/message.h"

namespace mysos::mesos {
namespace {
constexpr std::string_view kBasic = "Basic ";
}  // namespace

std::string basic_authorization(const Credential& credential) {
  return std::string(kBasic) + base64_encode(credential.principal + ":" + credential.secret);
}

std::optional<Credential> basic_credential(std::string_view authorization) {
  if (!iequals(authorization.substr(0, kBasic.size()), kBasic)) return std::nullopt;
  const auto text = base64_decode(authorization.substr(kBasic.size()));
  if (!text) return std::nullopt;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credential{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace mysos::mesos
