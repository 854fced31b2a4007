// SPDX-License-Identifier: Apache-2.0
// An applier that has stopped. Its executor starts it again, once at once and then ever more rarely; what the scheduler does
// about one that stops at the same place again is in epochs/rebuild.cc. The receiver goes on all the while: MariaDB throws the
// relay log away when replication starts after both threads had stopped.
#include <algorithm>
#include <utility>

#include "core/member/member_core.h"
#include "model/stalled_applier.h"

namespace mysos {
namespace {

constexpr Duration kApplierSettles = std::chrono::seconds(1);   // one that stops again has done so by then
constexpr Duration kApplierLasts = std::chrono::seconds(10);    // one that has run for so long goes on
constexpr Duration kApplierBackoffMin = std::chrono::seconds(5);
constexpr Duration kApplierBackoffMax = std::chrono::minutes(1);
constexpr Duration kKeptRetry = std::chrono::seconds(1);
constexpr Duration kKeptRetryAfterError = std::chrono::seconds(10);

// It has received what it has not executed.
bool has_a_rest(const ServerSnapshot& seen) {
  return !seen.receiver_host.empty() && !seen.executed.contains(seen.received);
}

// What it received will not be executed: its applier has stopped with an error, or waits for a lock that no session holds.
bool stuck(const server_life::Running& r) {
  const ServerSnapshot& seen = r.seen;
  const bool waits = r.wait.lasted(r.applier.lasted()) >= kStalledAfter;
  return r.read && has_a_rest(seen) && (seen.applier_running ? waits : seen.applier_error.any());
}

// It has to follow another source, and gives its relay log up for that.
bool abandons(const server_life::Running& r, const order::Follow& o) {
  const ServerSnapshot& seen = r.seen;
  return stuck(r) && (seen.receiver_host != o.host || seen.receiver_port != o.port);
}

}  // namespace

void MemberCore::watch_applier(const Running& r, Instant now) {
  const ServerSnapshot& seen = r.seen;
  if (r.role != MemberRole::kReplica || !r.settled || r.plan || stopping_ || !seen.receiver_running) return;
  if (!promise_.seeded) return;  // these data are about to be thrown away
  if (seen.applier_running) {
    if (!data_.applier_stop) return;
    const bool lasts = now - data_.applier_stop->asked_at >= kApplierLasts;
    if (!lasts && seen.executed == data_.applier_stop->executed) return;
    out_.report_changed = true;
    return data_.applier_stop.reset();
  }
  if (!data_.applier_stop || data_.applier_stop->executed != seen.executed) {
    data_.applier_stop = ApplierStop{.executed = seen.executed, .next = now, .backoff = kApplierBackoffMin};
  }
  ApplierStop& stop = *data_.applier_stop;
  if (stop.asked && now - stop.asked_at >= kApplierSettles) {
    stop.asked = false;
    ++stop.restarts;
    stop.next = now + stop.backoff;
    stop.backoff = std::min(stop.backoff * 2, kApplierBackoffMax);
    out_.report_changed = true;
  }
  if (stop.asked || now < stop.next) return;
  stop.asked = true;
  stop.asked_at = now;
  out_.server.emplace_back(server_action::StartApplier{});
}

// A server that starts applies nothing before it is told to follow. Where it is fenced, nobody tells it that, and an election
// may wait for what is in the relay log that MySQL kept: for ever, if the old primary does not come back.
void MemberCore::apply_what_was_kept(Running& r, Instant now) {
  const ServerSnapshot& seen = r.seen;
  const bool undrained = !seen.applier_running && !seen.executed.contains(seen.received);
  if (r.role != MemberRole::kFenced || !r.settled || !undrained || !config_.relay_log_survives) return;
  const Duration pause = seen.applier_error.any() ? kKeptRetryAfterError : kKeptRetry;
  if (r.drain_asked && now - *r.drain_asked < pause) return;
  r.drain_asked = now;
  quiet(r, std::nullopt, After::kSettle);
  out_.plan->afterwards = {step::Drain{}};
}

// A server wants its relay log executed before it follows another source. Where that will not be, the log is given up: the
// source has all of it, as the step before has required.
std::vector<ServerStep> MemberCore::pointing_at(const Running& r, const order::Follow& o, bool relay_log_may_go) {
  const step::SetSource point{o.host, o.port, relay_log_may_go};
  if (!abandons(r, o)) return {point};
  return {step::StopReplication{}, step::AbandonRelayLog{}, point};
}

// A member that is promoted has executed all that counts: the floor. If its applier has stopped or is stalled, the rest
// of its relay log was never acknowledged, or an operator gave it up; it is kept aside.
std::vector<ServerStep> MemberCore::coming_to_rest(const Running& r, const order::Promote& o) {
  const ServerSnapshot& seen = r.seen;
  const bool still = r.read && has_a_rest(seen) && seen.applier_running && r.applier.lasted() >= kStalledAfter;
  if (!stuck(r) && !still) return {step::Drain{}, step::RequireExecuted{o.floor}, step::StopReplication{}};
  return {step::RequireExecuted{o.floor}, step::StopReplication{},
          step::KeepRelayLog{o.pair.epoch, seen.received.minus(seen.executed)}, step::AbandonRelayLog{}};
}

// What this member holds may have been acknowledged in the epoch of that pair: an election of the next epoch counts on it.
bool MemberCore::counts(const Pair& pair) const {
  return promise_.role == MemberRole::kReplica && promise_.acking && promise_.pair.epoch == pair.epoch;
}

// The server has received transactions that it has not executed, and forgets them when it obeys: it is told to abandon its
// relay log, or it is a MariaDB whose applier has stopped, which throws the relay log away once both threads had stopped.
bool MemberCore::loses_relay(const Running& r, const order::Follow& o) const {
  const bool throws_away = !config_.relay_log_survives && !r.seen.applier_running;
  return has_a_rest(r.seen) && (throws_away || abandons(r, o));
}

// Before a relay log that counts is lost, its member has to know all that was in it. Only a stopped receiver can tell. So the
// receiver is stopped first, and the order is refused: it was not promised. False: the order goes on now.
bool MemberCore::makes_sure_of_relay(Running& r, std::uint64_t id, const order::Follow& o) {
  if (!counts(o.pair)) return false;
  if (!r.read && !config_.relay_log_survives) {
    answer(id, Error{Errc::kUnavailable, "mysqld was not read yet: its relay log may hold what was acknowledged", ""});
    return true;
  }
  if (!r.read || !loses_relay(r, o) || !r.seen.receiver_running) return false;
  quiet(r, std::nullopt, After::kSettle);
  answer(id, Error{Errc::kUnavailable, "its receiver stops first: the relay log holds what was acknowledged", ""});
  return true;
}

// The member promises that it has forgotten what its relay log holds, as before a restart of a MariaDB server. The promise
// says what that was, so that an election waits for it (ADR 9).
void MemberCore::forgets_relay(const Running& r, MemberPromise& next) const {
  next.known = promise_.amnesiac && !promise_.known ? std::nullopt : std::optional(r.seen.received);
  if (next.known && promise_.known) next.known = next.known->united(*promise_.known);
  next.amnesiac = true;
}

}  // namespace mysos
