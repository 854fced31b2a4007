// SPDX-License-Identifier: Apache-2.0
// What a member remembers of what its server forgets: MariaDB throws relay logs away that it may have acknowledged.
#include <utility>

#include "core/member_core.h"

namespace mysos {
namespace {

constexpr Duration kApplierRetry = std::chrono::seconds(1);

}  // namespace

// Amnesia is promised before the server starts, with what is known of what it forgets: an earlier life's relay logs, of which
// no more is left, are in it.
void MemberCore::take(const member_input::RelayRead& in, Instant now) {
  if (!std::exchange(reading_relay_, false)) return;
  MemberPromise next = promise_;
  next.known = in.held;
  if (promise_.amnesiac && !promise_.known) next.known.reset();
  if (promise_.known && next.known) next.known = next.known->united(*promise_.known);
  next.amnesiac = true;
  if (next != promise_) save(next);
  state_ = ServerState::kNone;
  start_at_ = now;
  relay_read_ = true;
  out_.report_changed = true;
}

// A server that starts applies nothing before it is told to follow. Where it is fenced, nobody tells it that, and an election
// may wait for what is in the relay log that MySQL kept: for ever, if the old primary does not come back.
void MemberCore::apply_what_was_kept(Instant now) {
  const ServerSnapshot& seen = running_->seen;
  const bool idle = role_ == MemberRole::kFenced && settled_ && !seen.applier_running && !seen.executed.contains(seen.received);
  if (!idle || !config_.relay_log_survives) return;
  if (applier_asked_ && now - *applier_asked_ < kApplierRetry) return;
  applier_asked_ = now;
  quiet(std::nullopt, After::kSettle);
  out_.plan->afterwards = {step::Drain{}};
}

// Of what was received and forgotten nothing is needed any more.
void MemberCore::remembers_all(MemberPromise& next) {
  if (next.amnesiac) out_.server.emplace_back(server_action::DropRelay{});
  next.amnesiac = false;
  next.known.reset();
}

}  // namespace mysos
