// SPDX-License-Identifier: Apache-2.0
// What a member remembers of what its server forgets: MariaDB throws relay logs away that it may have acknowledged.
#include <utility>

#include "base/assert.h"
#include "core/member/member_core.h"

namespace mysos {

std::optional<std::uint64_t> led_by(const MemberPromise& promise) {
  if (promise.led) return promise.led;
  if (promise.pair.epoch == 0) return 0;
  if (promise.role == MemberRole::kPrimary) return promise.pair.epoch;
  return std::nullopt;
}

void MemberCore::save(const MemberPromise& next) {
  MYSOS_ASSERT(next.pair >= promise_.pair, "a promise never goes back");
  const std::optional<std::uint64_t> led = led_by(promise_);  // of version 0.1: the new role would hide it
  promise_ = next;
  if (!promise_.led) promise_.led = led;
  out_.promise = promise_;
}

// Amnesia is promised before the server starts, with what is known of what it forgets: an earlier life's relay logs, of which
// no more is left, are in it.
void MemberCore::take(const member_input::RelayRead& in, Instant now) {
  if (!is<ReadingRelay>()) return;
  MemberPromise next = promise_;
  next.known = in.held;
  if (promise_.amnesiac && !promise_.known) next.known.reset();
  if (promise_.known && next.known) next.known = next.known->united(*promise_.known);
  next.amnesiac = true;
  if (next != promise_) save(next);
  life_ = Down{.as = ServerState::kNone, .start_at = now, .relay_read = true};
  out_.report_changed = true;
}

// Of what was received and forgotten nothing is needed any more.
void MemberCore::remembers_all(MemberPromise& next) {
  if (next.amnesiac) out_.server.emplace_back(server_action::DropRelay{});
  next.amnesiac = false;
  next.known.reset();
}

}  // namespace mysos
