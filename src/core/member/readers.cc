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

// An election, or the order that is being carried out, goes on only when what was received is executed.
bool waits_for_applier(const server_life::Running& r) { return r.plan || r.role != MemberRole::kReplica || !r.settled; }

}  // namespace

// A server that may be open for writes has clients whose commits wait for an acker. Those are ended by a step of their own.
bool MemberCore::may_end_readers(const Running& r) const {
  if (r.role == MemberRole::kPrimary || (r.plan && r.plan->quiets)) return false;
  return !r.maybe_writable || config_.kill_leaves_commits_waiting;
}

void MemberCore::look_after_readers(Running& r, Instant now) {
  if (r.plan && !r.plan->watched_since) r.plan->watched_since = now;
  if (!may_end_readers(r)) return;
  const Patience patience = waits_for_applier(r) ? kOfTheCluster : kOfAReplica;
  const bool slow = r.plan && now - *r.plan->watched_since >= kSlowPlan;
  if (r.applier.lasted() < patience.stalled && !slow) {
    r.readers_asked.reset();
  } else if (!r.readers_asked || now - *r.readers_asked >= patience.again) {
    r.readers_asked = now;
    out_.server.emplace_back(server_action::EndReaders{patience.watched});
  }
  const bool limited = config_.reader_idle_limit > Duration::zero() && r.role == MemberRole::kReplica;
  if (!limited || now - r.idle_readers_asked < kIdleLookEvery) return;
  r.idle_readers_asked = now;
  out_.server.emplace_back(server_action::EndIdleReaders{config_.reader_idle_limit});
}

void MemberCore::take(const member_input::ApplierLooked& in, Instant now) {
  if (!in.ended.empty()) take(member_input::Noticed{NoticeKind::kReaderEnded, in.ended}, now);
  Running* r = server();
  if (r == nullptr || r->applier.lasted() == Duration::zero()) return;
  r->wait.looked(in.does, in.waits_for, !in.ended.empty(), r->applier.lasted());
  out_.report_changed = true;
}

}  // namespace mysos
