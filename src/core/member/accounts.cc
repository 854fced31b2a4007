// SPDX-License-Identifier: Apache-2.0
// What a member knows of its server beside replication: the secrets, the user's account, the clients' events, what somebody
// changed, and what is to be told of all that.
#include <utility>

#include "core/member/member_core.h"

namespace mysos {
namespace {
constexpr std::size_t kMostKept = 8;  // notices: the scheduler reads each report within a second or so
}  // namespace

void MemberCore::take(const member_input::SecretsStored& in, Instant /*now*/) {
  has_secrets_ = true;
  config_.keeps_sealed = in.sealed;
  const bool changed = std::exchange(config_.credentials, in.credentials) != in.credentials;
  const Running* r = server();
  if (changed && r != nullptr && r->role == MemberRole::kPrimary) out_.server.emplace_back(server_action::EnsureUser{});
  for (const auto id : std::exchange(waiting_setup_, {})) answer(id);
  out_.report_changed = true;
}

void MemberCore::take(const member_input::UserReady& in, Instant /*now*/) {
  Running* r = server();
  if (r == nullptr || r->role != MemberRole::kPrimary) return;
  out_.report_changed |= r->user_ready != in.ready || r->credentials_applied != in.credentials;
  r->user_ready = in.ready;
  r->credentials_applied = in.credentials;
}

void MemberCore::take(const member_input::Guarded& in, Instant /*now*/) {
  Running* r = server();
  if (r == nullptr) return;
  out_.report_changed |= in.tampered != r->tampered || !in.repaired.empty();
  r->tampered = in.tampered;
  if (in.repaired.empty()) return;
  repaired_ = in.repaired;
  ++repairs_;
}

void MemberCore::take(const member_input::EventsMinded& in, Instant /*now*/) {
  Running* r = server();
  if (r == nullptr) return;
  out_.report_changed |= r->events_run != in.run || r->events_trouble != in.trouble;
  if (!in.trouble.empty() && in.trouble != r->events_trouble) notice(NoticeKind::kEventsFailed, in.trouble);
  r->events_run = in.run;
  r->events_trouble = in.trouble;
}

void MemberCore::take(const member_input::Noticed& in, Instant /*now*/) { notice(in.kind, in.text); }

void MemberCore::notice(NoticeKind kind, std::string text) {
  notices_.push_back({++notice_seq_, kind, std::move(text)});
  if (notices_.size() > kMostKept) notices_.erase(notices_.begin());
  out_.report_changed = true;
}

void MemberCore::take(const member_input::PasswordSeen& in, Instant /*now*/) {
  Running* r = server();
  if (r == nullptr) return;
  out_.report_changed |= std::exchange(r->password_changed, in.changed) != in.changed;
}

}  // namespace mysos
