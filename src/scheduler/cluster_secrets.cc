// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cluster_secrets.h"

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
