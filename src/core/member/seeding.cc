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

void MemberCore::make_datadir(Instant now) {
  state_ = ServerState::kPreparing;
  if (donor_) {
    const bool failed_before = seeding_ && seeding_->state == SeedState::kFailed;
    const std::uint32_t failures = failed_before ? seeding_->failures + 1 : 0;
    seeding_ = Seeding{};
    seeding_->donor = donor_->member;
    seeding_->generation = promise_.generation;
    seeding_->failures = failures;
    seeding_since_ = now;
  }
  out_.server.emplace_back(
      server_action::MakeDatadir{promise_.generation, donor_, promise_.errant, promise_.errant_generation, promise_.server_id});
}

void MemberCore::take(const member_input::SeedProgress& in, Instant now) {
  if (state_ != ServerState::kPreparing || !donor_) return;
  seeding_->bytes = in.bytes;
  seeding_->took_ms = to_ms(now - seeding_since_);
  out_.report_changed = true;
}

void MemberCore::take(const member_input::ErrantKept& in, Instant /*now*/) {
  errant_kept_ = in.where;
  out_.report_changed = true;
}

void MemberCore::take(const member_input::DatadirReady& /*in*/, Instant now) {
  if (state_ != ServerState::kPreparing) return;
  if (donor_) {
    seeding_->state = SeedState::kDone;
    seeding_->took_ms = to_ms(now - seeding_since_);
    donor_.reset();
  }
  MemberPromise next = promise_;
  next.seeded = true;
  next.rebuilding = next.copies = false;
  next.errant = {};
  next.errant_generation = 0;
  next.incarnation.clear();
  save(next);
  logged_ = {};
  state_ = ServerState::kNone;
  start_at_ = now;
  memory_kills_ = 0;
  backoff_ = config_.restart_min;
  problem_.clear();
  out_.report_changed = true;
}

void MemberCore::take(const member_input::DatadirFailed& in, Instant now) {
  if (state_ != ServerState::kPreparing) return;
  if (donor_) {
    seeding_->state = SeedState::kFailed;
    seeding_->took_ms = to_ms(now - seeding_since_);
    seeding_->why = in.why;
    donor_.reset();
  }
  state_ = ServerState::kBroken;
  problem_ = in.why;
  back_off(now);
  out_.report_changed = true;
}

// A copy that others make of this server may hold its commits, and so its applier. An election waits for none of it.
void MemberCore::end_copies_in_the_way(Instant now) {
  const bool behind = role_ == MemberRole::kFenced && !running_->seen.executed.contains(running_->seen.received);
  if (!behind) return draining_since_.reset();
  if (!draining_since_) draining_since_ = now;
  if (now - *draining_since_ < kDrainPatience) return;
  draining_since_ = now;
  out_.server.emplace_back(server_action::EndCopies{});
}

}  // namespace mysos
