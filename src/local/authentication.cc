// SPDX-License-Identifier: Apache-2.0
#include "local/authentication.h"

#include <fmt/format.h>

#include "base/secret.h"
#include "local/subscriber.h"

namespace mysos::local {

HttpResponse unauthorized(std::string_view scheme, std::string_view realm) {
  HttpResponse response = plain_text(401, "401 Unauthorized.");
  response.headers.set("WWW-Authenticate", fmt::format("{} realm=\"{}\"", scheme, realm));
  return response;
}

std::optional<HttpResponse> refuse_stranger(const HttpRequest& request, const mesos::Credential& credential,
                                            std::string_view realm) {
  const auto given = mesos::basic_credential(request.headers.get("Authorization"));
  const bool ours = given && given->principal == credential.principal &&
                    constant_time_equal(hash_token(given->secret), hash_token(credential.secret));
  if (ours) return std::nullopt;
  return unauthorized("Basic", realm);
}

}  // namespace mysos::local
