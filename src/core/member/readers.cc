// SPDX-License-Identifier: Apache-2.0
// Sessions of users on a replica. One that holds a lock keeps the applier waiting for as long as it likes, and with it an
// election, or a replica that is to follow somebody else. So sessions that are in the applier's way are ended: soon where the
// cluster waits for this member, after a while where it merely lags. A transaction that nobody goes on with is ended too.
#include <utility>

#include "core/member/member_core.h"

namespace mysos {
namespace {

// How long an applier may have executed nothing before its server is looked at, and how long it must then be seen to wait.
struct Patience {
  Duration stalled;
  Duration watched;
  Duration again;  // between two looks
};
using std::chrono::milliseconds;
constexpr Patience kOfTheCluster{.stalled = milliseconds(100), .watched = milliseconds(50), .again = milliseconds(300)};
constexpr Patience kOfAReplica{.stalled = milliseconds(1000), .watched = milliseconds(1000), .again = milliseconds(2000)};
constexpr Duration kSlowPlan = std::chrono::milliseconds(300);
constexpr Duration kIdleLookEvery = std::chrono::seconds(5);

}  // namespace

// An election, or the order that is being carried out, goes on only when what was received is executed.
bool MemberCore::waits_for_applier() const { return plan_ || role_ != MemberRole::kReplica || !settled_; }

// A server that may be open for writes has clients whose commits wait for an acker. Those are ended by a step of their own.
bool MemberCore::may_end_readers() const {
  if (role_ == MemberRole::kPrimary || (plan_ && plan_->quiets)) return false;
  return !maybe_writable_ || config_.kill_leaves_commits_waiting;
}

void MemberCore::look_after_readers(Instant now) {
  if (plan_ && plan_->id != watched_plan_) {
    watched_plan_ = plan_->id;
    watched_since_ = now;
  }
  if (!may_end_readers()) return;
  const Patience patience = waits_for_applier() ? kOfTheCluster : kOfAReplica;
  const bool slow = plan_ && now - watched_since_ >= kSlowPlan;
  if (running_->applier.lasted() < patience.stalled && !slow) {
    readers_asked_.reset();
  } else if (!readers_asked_ || now - *readers_asked_ >= patience.again) {
    readers_asked_ = now;
    out_.server.emplace_back(server_action::EndReaders{patience.watched});
  }
  const bool limited = config_.reader_idle_limit > Duration::zero() && role_ == MemberRole::kReplica;
  if (!limited || now - idle_readers_asked_ < kIdleLookEvery) return;
  idle_readers_asked_ = now;
  out_.server.emplace_back(server_action::EndIdleReaders{config_.reader_idle_limit});
}

void MemberCore::take(const member_input::ApplierLooked& in, Instant now) {
  if (!in.ended.empty()) take(member_input::Noticed{NoticeKind::kReaderEnded, in.ended}, now);
  if (!running_ || running_->applier.lasted() == Duration::zero()) return;
  running_->wait.looked(in.does, in.waits_for, !in.ended.empty(), running_->applier.lasted());
  out_.report_changed = true;
}

}  // namespace mysos
