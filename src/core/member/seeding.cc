// SPDX-License-Identifier: Apache-2.0
// How a member's data come to be: empty from the template, or as a copy of another member's (seeding). A copy that is cut off,
// by whatever, is begun anew, and only at the word of an order: the scheduler knows who can be copied now.
#include <utility>

#include "core/member/member_core.h"
#include "model/server_id.h"

namespace mysos {
namespace {

// A former replica that must apply what it has waits this long for a copy that may hold its commits up (BACKUP STAGE).
constexpr Duration kDrainPatience = std::chrono::milliseconds(200);

}  // namespace

// What an executor before this one had begun. Data of version 0.1 keep the server id that they were made with.
void MemberCore::recover_seeding() {
  if (promise_.server_id == 0) {
    const bool granted = !promise_.seeded && config_.server_id != 0;
    promise_.server_id = granted ? config_.server_id : server_id_of_0_1(config_.index, promise_.generation);
  }
  if (promise_.seeded || !promise_.copies) return;
  seeding_ = Seeding{};
  seeding_->state = SeedState::kFailed;
  seeding_->generation = promise_.generation;
  seeding_->why = "the executor that made the copy has ended";
}

bool MemberCore::needs_copy() const {
  return !promise_.seeded && promise_.copies && !wanted_copy_ && state_of(life_) != ServerState::kPreparing;
}

void MemberCore::make_datadir(Instant now) {
  MakingData making{std::exchange(wanted_copy_, std::nullopt), now};
  if (making.donor) {
    const bool failed_before = seeding_ && seeding_->state == SeedState::kFailed;
    const std::uint32_t failures = failed_before ? seeding_->failures + 1 : 0;
    seeding_ = Seeding{};
    seeding_->donor = making.donor->member;
    seeding_->generation = promise_.generation;
    seeding_->failures = failures;
  }
  out_.server.emplace_back(server_action::MakeDatadir{promise_.generation, making.donor, promise_.errant,
                                                      promise_.errant_generation, promise_.server_id});
  life_ = std::move(making);
}

void MemberCore::take(const member_input::SeedProgress& in, Instant now) {
  const auto* making = std::get_if<MakingData>(&life_);
  if (making == nullptr || !making->donor) return;
  seeding_->bytes = in.bytes;
  seeding_->took_ms = to_ms(now - making->since);
  out_.report_changed = true;
}

void MemberCore::take(const member_input::ErrantKept& in, Instant /*now*/) {
  errant_kept_ = in.where;
  out_.report_changed = true;
}

void MemberCore::take(const member_input::DatadirReady& /*in*/, Instant now) {
  const auto* making = std::get_if<MakingData>(&life_);
  if (making == nullptr) return;
  if (making->donor) {
    seeding_->state = SeedState::kDone;
    seeding_->took_ms = to_ms(now - making->since);
  }
  MemberPromise next = promise_;
  next.seeded = true;
  next.rebuilding = next.copies = false;
  next.errant = {};
  next.errant_generation = 0;
  next.incarnation.clear();
  save(next);
  memory_kills_ = 0;
  backoff_ = config_.restart_min;
  problem_.clear();
  life_ = Down{.as = ServerState::kNone, .start_at = now};
  out_.report_changed = true;
}

void MemberCore::take(const member_input::DatadirFailed& in, Instant now) {
  const auto* making = std::get_if<MakingData>(&life_);
  if (making == nullptr) return;
  if (making->donor) {
    seeding_->state = SeedState::kFailed;
    seeding_->took_ms = to_ms(now - making->since);
    seeding_->why = in.why;
  }
  problem_ = in.why;
  life_ = Down{.as = ServerState::kBroken, .start_at = after_backoff(now)};
  out_.report_changed = true;
}

// A copy that others make of this server may hold its commits, and so its applier. An election waits for none of it.
void MemberCore::end_copies_in_the_way(Running& r, Instant now) {
  const bool behind = r.role == MemberRole::kFenced && !r.seen.executed.contains(r.seen.received);
  if (!behind) return r.draining_since.reset();
  if (!r.draining_since) r.draining_since = now;
  if (now - *r.draining_since < kDrainPatience) return;
  r.draining_since = now;
  out_.server.emplace_back(server_action::EndCopies{});
}

}  // namespace mysos
