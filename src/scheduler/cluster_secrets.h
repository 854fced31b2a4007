// SPDX-License-Identifier: Apache-2.0
#pragma once
// The secrets of one cluster: its accounts' and the token of its members' API. Made once at its
// creation, stored encrypted with the cluster's record, decrypted only to be sent to a member's
// executor or to answer a request for the user's password.
#include <optional>
#include <string>

#include "base/secret.h"
#include "model/cluster.h"
#include "mysql/accounts.h"

namespace mysos {

struct ClusterSecrets {
  std::string token;
  mysql::Secrets accounts;
  std::string old_user_password;  // still valid until it is retired; "" = none
};
template <class Io>
void fields(Io& io, ClusterSecrets& s) {
  io.required("token", s.token);
  io.required("accounts", s.accounts);
  io("old_user_password", s.old_user_password);
}

ClusterSecrets make_secrets(const std::string& user,
                            const std::optional<std::string>& user_password);
// Sets another password of the user. The present one stays valid; an older one does not.
ClusterSecrets rotated(ClusterSecrets secrets);
// Only the newest password stays valid. kConflict: it is the only one.
Result<ClusterSecrets> retired(ClusterSecrets secrets);
// What a member gets: not the user's passwords, but what its server stores of them.
mysql::Secrets for_member(const ClusterSecrets& secrets, Flavour flavour);
std::string seal(const SecretBox& box, const ClusterSecrets& secrets);
Result<ClusterSecrets> unseal(const SecretBox& box, const std::string& sealed);

}  // namespace mysos
