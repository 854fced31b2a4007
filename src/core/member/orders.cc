// SPDX-License-Identifier: Apache-2.0
// What MemberCore does with an order, and what it does by itself when it is isolated.
#include <algorithm>
#include <utility>

#include "core/member/member_core.h"
#include "model/server_id.h"

namespace mysos {
namespace {

constexpr std::uint64_t kNobody = 0;  // an order that nobody waits for

void append(std::vector<ServerStep>& to, std::vector<ServerStep> more) {
  to.insert(to.end(), more.begin(), more.end());
}

// In one epoch, to the same end.
bool same_aim(order::Follow a, const order::Follow& b) {
  if (a.pair.epoch != b.pair.epoch) return false;
  a.pair = b.pair;
  return same_intent(Order(a), Order(b));
}

}  // namespace

// How a server that may be serving is made quiet. Semi-sync goes off later, in time for what it shall follow: to switch it off
// releases commits that no acker has, so no session may wait for one by then; and nobody waits for it, because MySQL takes up
// to a second while replicas are connected and have nothing to say.
std::vector<ServerStep> MemberCore::quieting() {
  return {step::KillClients{}, step::SetReadOnly{true}, step::KillClients{}, step::StopReceiver{}};
}

// ---- orders ----

void MemberCore::take(const member_input::OrderGiven& in, Instant /*now*/) {
  if (stopping_) {
    answer(in.id, Error{Errc::kUnavailable, "this member is being stopped", ""});
    return;
  }
  std::visit([&](const auto& o) { obey(in.id, o); }, in.order);
  out_.report_changed = true;
}

std::optional<Error> MemberCore::refusal(const Pair& pair, bool needs_server) const {
  if (pair < promise_.pair) {
    return Error{Errc::kFenced, "promised " + to_string(promise_.pair) + ", so " + to_string(pair) + " comes too late", ""};
  }
  if (needs_server && server() == nullptr) return Error{Errc::kUnavailable, "mysqld is not running", ""};
  return std::nullopt;
}

void MemberCore::obey(std::uint64_t id, const order::Setup& /*o*/) {
  if (has_secrets_) {
    answer(id);
  } else {
    waiting_setup_.push_back(id);
  }
}

void MemberCore::obey(std::uint64_t id, const order::Meet& o) {
  MemberPromise next = promise_;
  next.peers = o.peers;
  if (next != promise_) save(next);
  answer(id);
}

void MemberCore::obey(std::uint64_t id, const order::Fence& o) {
  if (auto no = refusal(o.pair, false)) return answer(id, std::move(no));
  Running* r = server();
  if (r != nullptr && o.pair == promise_.pair) {
    if (r->role == MemberRole::kFenced && r->settled && !r->plan) return answer(id);
    if (r->plan && r->plan->fence) return r->plan->orders.push_back(id);
  }
  MemberPromise next = promise_;
  next.pair = o.pair;
  next.role = MemberRole::kFenced;
  save(next);
  if (r == nullptr) return answer(id);  // the promise is all there is to keep: a server starts quiet
  r->followed.reset();
  r->promoted.reset();
  quiet(*r, id, After::kSettle, o.receive);
  if (!o.next_host.empty()) out_.plan->afterwards.emplace_back(step::SetSource{o.next_host, o.next_port});
}

void MemberCore::obey(std::uint64_t id, const order::Promote& o) {
  if (auto no = refusal(o.pair, true)) return answer(id, std::move(no));
  Running& r = *server();
  const bool in_force = r.role == MemberRole::kPrimary && r.settled && r.promoted == o && o.pair == promise_.pair &&
                        !r.seen.read_only && r.seen.semi_sync_d == o.d;
  if (in_force) return answer(id);
  if (r.plan && r.plan->promote == o) return r.plan->orders.push_back(id);
  // Opening is a promotion's last step: a primary of this epoch that is open has been through all of them.
  const bool goes_on = r.role == MemberRole::kPrimary && o.pair.epoch == promise_.pair.epoch && r.read &&
                       !r.seen.read_only;
  MemberPromise next = promise_;
  next.pair = o.pair;
  next.role = MemberRole::kPrimary;
  next.led = o.pair.epoch;  // before it opens: what it holds may prove what was acknowledged (ADR 9)
  next.led_kept = true;
  next.source.reset();
  next.acking = false;
  if (o.names_from) next.names_from = std::max(next.names_from, *o.names_from);
  if (o.names_from > promise_.made_at) {  // the others are rebuilt from these data, whatever their transactions were called
    next.made_at = *o.names_from;
    next.renamed = promise_.renamed || promise_.logs_reset;
    next.logs_reset = false;
  }
  data_.written_on = false;
  remembers_all(next);  // the chosen one had executed all that counts; it owns no relay log from here on
  save(next);

  std::vector<ServerStep> steps;
  if (!goes_on) {
    out_.server.emplace_back(server_action::EndCopies{});
    if (r.maybe_writable) append(steps, quieting());
    append(steps, coming_to_rest(r, o));
    append(steps, {step::SemiSyncReplica{false}});
  }
  const step::ShutOut shut_out{o.replicas, o.shut_out};
  if (goes_on && o.d == 0) {
    // Commits that wait for an acknowledgement may hold locks on the accounts. It is solo already: they need not wait.
    append(steps, {step::SemiSyncSource{0}, shut_out, step::SetReadOnly{false}});
  } else {
    append(steps, {shut_out, step::SemiSyncSource{o.d}, step::SetReadOnly{false}});
  }
  Plan plan;
  plan.becomes = MemberRole::kPrimary;
  plan.orders = {id};
  plan.promote = o;
  run(r, std::move(plan), std::move(steps));
  // Servers take their time for it, and clients wait for this plan.
  out_.plan->afterwards = {step::ForgetSource{}};
  out_.plan->afterwards_in = config_.tidy_after;
  r.maybe_writable = true;
}

void MemberCore::obey(std::uint64_t id, const order::Follow& o) {
  if (auto no = refusal(o.pair, true)) return answer(id, std::move(no));
  Running& r = *server();
  // Attached without a break in this epoch: what it holds came from this source.
  const bool attached = r.role == MemberRole::kReplica && r.settled && !r.plan && r.followed &&
                        r.followed->source == o.source && r.followed->host == o.host && r.followed->port == o.port &&
                        r.followed->pair.epoch == o.pair.epoch && r.seen.receiver_running;
  if (promise_.logs_reset && !(attached && r.followed->acking == o.acking)) return decline_to_follow(r, id, o);
  MemberPromise next = promise_;
  next.pair = o.pair;
  next.role = MemberRole::kReplica;
  next.source = o.source;
  next.acking = o.acking;
  // Starts nothing if the same plan is under way, or if the replica is attached as ordered.
  const bool in_place = attached && r.followed->acking == o.acking;
  const bool under_way = r.plan && r.plan->follow && same_aim(*r.plan->follow, o);
  const bool starts = !in_place && !under_way;
  if (starts && makes_sure_of_relay(r, id, o)) return;
  const bool counted = counts(o.pair);
  if (starts && counted && r.read && loses_relay(r, o)) forgets_relay(r, next);
  const bool relay_log_may_go = !counted || next.amnesiac;
  if (next != promise_) save(next);
  // What is under way already does not begin again for a later config, or for a newer read of the source.
  if (under_way) {
    r.plan->follow = o;
    return r.plan->orders.push_back(id);
  }
  if (in_place) {
    r.followed = o;
    return answer(id);
  }

  std::vector<ServerStep> steps;
  Plan plan;
  if (r.maybe_writable) {
    append(steps, quieting());
    plan.quiets = true;
  } else if (r.role != MemberRole::kFenced || !r.settled) {  // a fenced one has none that runs, and the next step would see it
    append(steps, {step::StopReceiver{}});
  }
  if (!attached) append(steps, {step::RequireContainedIn{o.source_executed}});
  // With it on, its own applier would hang.
  if (r.maybe_writable || r.seen.semi_sync_d > 0) append(steps, {step::SemiSyncSource{0}});
  if (o.acking) append(steps, {step::SyncRelayLog{}});  // it may be asked for what it received silently, too
  append(steps, {step::SemiSyncReplica{o.acking}});
  if (!attached) append(steps, pointing_at(r, o, relay_log_may_go));
  append(steps, {step::StartReplication{relay_log_may_go}});
  plan.becomes = MemberRole::kReplica;
  plan.orders = {id};
  plan.follow = o;
  plan.compares = !attached;
  run(r, std::move(plan), std::move(steps));
}

// Its binary logs were reset: its source would send again what its data hold already. It waits to be given other data.
void MemberCore::decline_to_follow(Running& r, std::uint64_t id, const order::Follow& o) {
  MemberPromise next = promise_;
  next.pair = o.pair;
  next.role = MemberRole::kIdle;
  next.source.reset();
  next.acking = false;
  if (next != promise_) save(next);
  r.followed.reset();
  if (r.role == MemberRole::kErrant && r.settled && !r.plan) return answer(id);
  Plan plan;
  plan.becomes = MemberRole::kErrant;
  plan.quiets = r.maybe_writable;
  plan.orders = {id};
  run(r, std::move(plan), r.maybe_writable ? quieting() : std::vector<ServerStep>{step::StopReceiver{}});
}

void MemberCore::obey(std::uint64_t id, const order::Certify& o) {
  if (auto no = refusal(o.pair, true)) return answer(id, std::move(no));
  const Running& r = *server();
  const bool proven = o.pair == promise_.pair && r.role == MemberRole::kReplica && r.settled &&
                      o.incarnation == r.incarnation && r.seen.received.contains(o.executed);
  if (!proven) return answer(id, Error{Errc::kConflict, "this member does not contain that read, or has restarted since", ""});
  MemberPromise next = promise_;
  remembers_all(next);
  if (next != promise_) save(next);
  answer(id);
}

void MemberCore::obey(std::uint64_t id, const order::Rebuild& o) {
  if (auto no = refusal(o.pair, false)) return answer(id, std::move(no));
  if (o.generation != promise_.generation) {
    return answer(id, Error{Errc::kConflict, "the data that the order replaces do not exist any more", ""});
  }
  if (state_of(life_) == ServerState::kPreparing) {
    return answer(id, Error{Errc::kUnavailable, "the data are already being made", ""});
  }
  if (promise_.role == MemberRole::kPrimary || promise_.acking) {
    return answer(id, Error{Errc::kConflict, "a primary or an acker is never rebuilt", ""});
  }
  if (promise_.seeded && o.server_id == promise_.server_id) {
    return answer(id, Error{Errc::kConflict, "the present data already have this server id", ""});
  }
  MemberPromise next = promise_;
  next.pair = o.pair;
  next.role = MemberRole::kIdle;
  next.led_kept = led_by(promise_) == 0;
  next.source.reset();
  remembers_all(next);
  next.amnesiac = !config_.relay_log_survives;
  if (promise_.seeded) {
    next.errant = o.errant;
    next.errant_generation = promise_.generation;
  }
  next.seeded = false;
  next.rebuilding = true;
  next.copies = o.donor.has_value();
  next.copy_holds = o.holds;
  next.logs_reset = next.renamed = false;
  next.made_at = o.pair;
  next.generation += 1;
  next.server_id = o.server_id != 0 ? o.server_id : server_id_of_0_1(config_.index, next.generation);
  save(next);
  data_ = {};
  wanted_copy_ = o.donor;
  answer(id);
  if (server() != nullptr || is<Starting>()) kill_server("the data are being rebuilt");
}

// ---- isolation ----

// A server may be pointed elsewhere behind our back: by a statement whose session was given up, or by hand. Only who knows
// what the source holds may point it back, so it is not settled until its next order.
void MemberCore::notice_astray(Running& r) {
  if (r.plan || stopping_ || r.role != MemberRole::kReplica || !r.settled || !r.followed) return;
  const ServerSnapshot& seen = r.seen;
  if (seen.receiver_host == r.followed->host && seen.receiver_port == r.followed->port) return;
  problem_ = "its server is pointed at " + seen.receiver_host + ":" + std::to_string(seen.receiver_port) + ", not at " +
             r.followed->source.value;
  r.settled = false;
  r.followed.reset();
  out_.report_changed = true;
}

// With itself, more than half of the members. One that was never told of others is a majority.
bool MemberCore::in_touch() const {
  const auto reached = std::ranges::count_if(promise_.peers, [&](const Peer& p) { return contact_.peers.contains(p.member); });
  return contact_.scheduler || static_cast<std::size_t>(reached + 1) * 2 > promise_.peers.size() + 1;
}

// Somebody else may have been made primary: nobody shall go on reading here. Nothing is promised by this, so it serves
// on when it is in touch again, if it was not told otherwise meanwhile.
void MemberCore::watch_isolation(Running& r, Instant now) {
  if (r.role == MemberRole::kPrimary) r.isolated = false;
  if (r.isolated && !r.plan && in_touch()) {
    r.isolated = false;
    const auto reopen = std::exchange(r.reopen, std::nullopt);
    if (reopen && reopen->pair == promise_.pair) obey(kNobody, *reopen);
    return;
  }
  if (r.role != MemberRole::kPrimary || r.plan || in_touch()) return r.alone_since.reset();
  if (!r.alone_since) r.alone_since = now;
  if (now - *r.alone_since < config_.isolate_after) return;
  r.alone_since.reset();
  r.isolated = true;
  r.reopen = r.promoted;
  quiet(r, std::nullopt, After::kSettle);
  out_.report_changed = true;
}

}  // namespace mysos
