// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cluster_secrets.h"

#include <utility>

namespace mysos {

ClusterSecrets make_secrets(const std::string& user,
                            const std::optional<std::string>& user_password) {
  ClusterSecrets secrets;
  secrets.token = random_token();
  secrets.accounts.admin_password = random_password();
  secrets.accounts.monitor_password = random_password();
  secrets.accounts.replication_key = random_token();
  secrets.accounts.user = user;
  secrets.accounts.user_password = user_password ? *user_password : random_password();
  return secrets;
}

ClusterSecrets rotated(ClusterSecrets secrets) {
  secrets.old_user_password = std::exchange(secrets.accounts.user_password, random_password());
  ++secrets.accounts.user_version;
  return secrets;
}

Result<ClusterSecrets> retired(ClusterSecrets secrets) {
  if (secrets.old_user_password.empty()) return fail(Errc::kConflict, "there is no old password that is still valid");
  secrets.old_user_password.clear();
  ++secrets.accounts.user_version;
  return secrets;
}

mysql::Secrets for_member(const ClusterSecrets& secrets, Flavour flavour) {
  const mysql::Flavour& f =
      mysql::flavour(flavour == Flavour::kMysql ? mysql::FlavourKind::kMysql : mysql::FlavourKind::kMariadb);
  mysql::Secrets out = mysql::for_member(f, secrets.accounts);
  if (!secrets.old_user_password.empty()) {
    out.old_user_verifier = mysql::verifier_of(f, out, out.user, secrets.old_user_password);
  }
  return out;
}

std::string seal(const SecretBox& box, const ClusterSecrets& secrets) {
  return box.encrypt(to_json_text(secrets));
}

Result<ClusterSecrets> unseal(const SecretBox& box, const std::string& sealed) {
  auto plain = box.decrypt(sealed);
  if (!plain)
    return std::unexpected(std::move(plain).error().with_context(
        "the cluster's secrets (is secret.key the right one?)"));
  return from_json_text<ClusterSecrets>(*plain);
}

}  // namespace mysos
