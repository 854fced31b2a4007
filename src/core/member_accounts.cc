// SPDX-License-Identifier: Apache-2.0
// What a member knows of its server's accounts: the secrets, the user's account, and what somebody changed.
#include <utility>

#include "core/member_core.h"

namespace mysos {

void MemberCore::take(const member_input::SecretsStored& in, Instant /*now*/) {
  has_secrets_ = true;
  config_.keeps_sealed = in.sealed;
  const bool changed = std::exchange(config_.credentials, in.credentials) != in.credentials;
  if (changed && role_ == MemberRole::kPrimary && running_) out_.server.emplace_back(server_action::EnsureUser{});
  for (const auto id : std::exchange(waiting_setup_, {})) answer(id);
  out_.report_changed = true;
}

void MemberCore::take(const member_input::UserReady& in, Instant /*now*/) {
  if (role_ != MemberRole::kPrimary) return;
  out_.report_changed |= user_ready_ != in.ready || credentials_applied_ != in.credentials;
  user_ready_ = in.ready;
  credentials_applied_ = in.credentials;
}

void MemberCore::take(const member_input::Guarded& in, Instant /*now*/) {
  if (!running_) return;
  out_.report_changed |= in.tampered != tampered_ || !in.repaired.empty();
  tampered_ = in.tampered;
  if (in.repaired.empty()) return;
  repaired_ = in.repaired;
  ++repairs_;
}

}  // namespace mysos
