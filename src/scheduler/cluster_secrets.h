// SPDX-License-Identifier: Apache-2.0
#pragma once
// The secrets of one cluster: its accounts' and the token of its members' API. Made once at its
// creation, stored encrypted with the cluster's record, unsealed only to be sent to a member's
// executor or to answer for the user's password.
#include <optional>
#include <string>

#include "base/secret.h"
#include "mysql/accounts.h"

namespace mysos {

struct ClusterSecrets {
  std::string token;
  mysql::Secrets accounts;
};
template <class Io>
void fields(Io& io, ClusterSecrets& s) {
  io.required("token", s.token);
  io.required("accounts", s.accounts);
}

ClusterSecrets make_secrets(const std::string& user,
                            const std::optional<std::string>& user_password);
std::string seal(const SecretBox& box, const ClusterSecrets& secrets);
Result<ClusterSecrets> unseal(const SecretBox& box, const std::string& sealed);

}  // namespace mysos
