// SPDX-License-Identifier: Apache-2.0
#include "core/member/member_core.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace mysos {
namespace {

// While a source is about to be called silent it is looked at often: each look that is waited for is part of an outage.
constexpr Duration kListenFrom = std::chrono::milliseconds(600);
constexpr Duration kListenTo = std::chrono::milliseconds(1500);
constexpr Duration kLastsAfter = std::chrono::minutes(10);  // up for this long: what it was killed for is over
constexpr Duration kStableAfter = std::chrono::seconds(10);  // up for this long: the next crash restarts at once

}  // namespace

MemberCore::MemberCore(MemberPromise recovered, MemberConfig config, bool has_secrets)
    : config_(std::move(config)), promise_(std::move(recovered)), has_secrets_(has_secrets) {
  backoff_ = config_.restart_min;
  recover_seeding();
}

void MemberCore::step(const MemberInput& input, Instant now) {
  std::visit([&](const auto& in) { take(in, now); }, input);
  drive(now);
}

MemberOutput MemberCore::take_output() { return std::exchange(out_, {}); }

// ---- mysqld ----

void MemberCore::take(const member_input::ServerAdopted& in, Instant /*now*/) {
  MYSOS_ASSERT(state_of(life_) == ServerState::kNone, "a server is adopted before anything else happens");
  life_ = Starting{.adopted = in.incarnation};
  // The executor before this one promised to throw the data away, and died before it had ended their server.
  if (!promise_.seeded) kill_server("the data are being rebuilt");
}

void MemberCore::take(const member_input::ServerUp& in, Instant now) {
  const auto* starting = std::get_if<Starting>(&life_);
  if (starting == nullptr) return;  // a rebuild may have been ordered meanwhile: that server is already being killed
  const bool same = starting->adopted == in.incarnation && promise_.incarnation == in.incarnation;
  Running fresh{.incarnation = in.incarnation, .version = in.version, .server_id = in.server_id, .up_since = now};
  fresh.server.heard(now);
  life_ = std::move(fresh);
  problem_.clear();
  settle_started(*server(), same);
  out_.report_changed = true;
}

// What a server is that nobody has told anything.
MemberRole MemberCore::role_at_rest() const {
  return promise_.pair.epoch > 0 && promise_.pair.config == 0 ? MemberRole::kFenced : MemberRole::kIdle;
}

// What a server that has just answered may be. A fresh one is quiet. One found alive goes on as it was promised, but is
// not settled until its next order, because its last plan may have ended at any step.
void MemberCore::settle_started(Running& r, bool adopted) {
  r.role = role_at_rest();
  if (adopted) {
    r.maybe_writable = true;
    if (promise_.role == MemberRole::kPrimary) {
      r.role = MemberRole::kPrimary;
      out_.server.emplace_back(server_action::EnsureUser{});
    } else if (promise_.role == MemberRole::kReplica) {
      r.role = MemberRole::kReplica;
    } else {
      quiet(r, std::nullopt, After::kSettle);
    }
    return;
  }
  MemberPromise next = promise_;
  next.role = r.role;
  next.incarnation = r.incarnation;
  save(next);
}

void MemberCore::take(const member_input::ServerExited& in, Instant now) {
  const Running* r = server();
  const bool meant = is<Stopping>();
  if (r == nullptr && !meant && !is<Starting>()) return;
  const bool stable = r != nullptr && now - r->up_since >= kStableAfter;
  abandon_plan(Error{Errc::kUnavailable, "mysqld ended: " + in.how, ""});
  crashed_ = !meant;
  if (in.out_of_memory) ++memory_kills_;
  if (!meant) problem_ = in.how;
  if (stable || meant) backoff_ = config_.restart_min;
  const Instant start_at = meant ? now : stable ? now + config_.news_first : after_backoff(now);
  life_ = Down{.as = ServerState::kExited, .start_at = start_at};
  out_.report_changed = true;
}

void MemberCore::take(const member_input::Snapshot& in, Instant now) {
  Running* const running = server();
  if (running == nullptr) return;
  Running& r = *running;
  const bool first = !r.read;
  const bool changed = note_read(r, in.server, now);
  if (memory_kills_ > 0 && now - r.up_since >= kLastsAfter) memory_kills_ = 0;
  end_copies_in_the_way(r, now);
  look_after_readers(r, now);
  if (r.plan) {
    out_.report_changed |= changed;
    return;
  }
  // A fresh server is quiet: one read makes that a report. Others settle at the end of a plan.
  if (first && !r.maybe_writable && r.role != MemberRole::kPrimary && r.role != MemberRole::kReplica) r.settled = true;
  // A step of an older plan may come through late (its session was given up, not the statement).
  const bool woke = (r.role == MemberRole::kFenced || r.role == MemberRole::kIdle) && in.server.receiver_running;
  const bool opened = r.role != MemberRole::kPrimary && !in.server.read_only;
  if ((opened || woke) && !stopping_) {
    r.maybe_writable |= opened;
    quiet(r, std::nullopt, After::kSettle);
  }
  if (!r.plan && !stopping_) apply_what_was_kept(r, now);
  watch_applier(r, now);
  notice_astray(r);
  out_.report_changed |= changed;
}

void MemberCore::take(const member_input::PlanEnded& in, Instant now) {
  Running* const running = server();
  if (running == nullptr || !running->plan || running->plan->id != in.plan) return;
  Running& r = *running;
  const Plan plan = *std::exchange(r.plan, std::nullopt);
  out_.report_changed = true;
  if (in.after) note_read(r, *in.after, now);
  if (plan.after == After::kShutdown) {
    tell_to_end(life_);
    out_.server.emplace_back(in.failure ? ServerAction(server_action::Kill{}) : ServerAction(server_action::Shutdown{}));
  } else if (in.failure) {
    plan_failed(r, plan, in);
  } else {
    plan_done(r, plan);
  }
}

void MemberCore::plan_done(Running& r, const Plan& plan) {
  r.failed_fences = 0;
  r.role = plan.becomes;
  r.settled = true;
  problem_.clear();
  if (r.role != MemberRole::kPrimary) r.maybe_writable = false;
  r.promoted = plan.promote;
  r.followed = plan.follow;
  if (r.role == MemberRole::kPrimary && !r.user_ready) out_.server.emplace_back(server_action::EnsureUser{});
  if (r.role != MemberRole::kPrimary) r.user_ready = false;
  for (const auto id : plan.orders) answer(id);
}

void MemberCore::plan_failed(Running& r, const Plan& plan, const member_input::PlanEnded& in) {
  problem_ = *in.failure;
  r.settled = false;
  for (const auto id : plan.orders) answer(id, Error{Errc::kUnavailable, *in.failure, ""});
  const bool errant = plan.follow && plan.compares && in.after && in.after->read_only && !in.after->receiver_running &&
                      !plan.follow->source_executed.contains(in.after->received);
  if (errant) {
    r.role = MemberRole::kErrant;
    r.settled = true;
    r.maybe_writable = false;
    r.followed.reset();
    return;
  }
  // A server that may be serving and cannot be made quiet in time is killed: it restarts quiet, and what its clients
  // were waiting for is never acknowledged.
  r.failed_fences = plan.fence && !plan.awaits ? r.failed_fences + 1 : 0;
  if (plan.quiets) {
    kill_server("it could not be stopped from serving: " + *in.failure);
  } else if (r.failed_fences > kFencesThatMayFail) {
    // Of a replica, too: an election waits for what it holds, and it says that once it has restarted.
    kill_server("it does not stop receiving: " + *in.failure);
  }
}

void MemberCore::take(const member_input::Contact& in, Instant /*now*/) {
  out_.report_changed |= in.peers != contact_.peers;
  contact_ = in;
}

void MemberCore::take(const member_input::VolumeProbed& in, Instant /*now*/) {
  out_.report_changed |= in.trouble != write_trouble_;
  write_trouble_ = in.trouble;
}

void MemberCore::take(const member_input::Stop& /*in*/, Instant /*now*/) {
  if (stopping_) return;
  stopping_ = true;
  for (const auto id : std::exchange(waiting_setup_, {})) {
    answer(id, Error{Errc::kUnavailable, "this member is being stopped", ""});
  }
  out_.report_changed = true;
  Running* r = server();
  if (r != nullptr && r->maybe_writable) {
    quiet(*r, std::nullopt, After::kShutdown);
  } else if (r != nullptr) {
    abandon_plan(Error{Errc::kUnavailable, "this member is being stopped", ""});
    tell_to_end(life_);
    out_.server.emplace_back(server_action::Shutdown{});
  } else if (is<Starting>()) {
    kill_server("the member is being stopped");
  }
}

void MemberCore::take(const member_input::Tick& /*in*/, Instant /*now*/) {}

void MemberCore::answer(std::uint64_t order, std::optional<Error> error) {
  out_.answers.push_back({order, std::move(error)});
}

void MemberCore::abandon_plan(const Error& why) {
  Running* r = server();
  if (r == nullptr || !r->plan) return;
  for (const auto id : r->plan->orders) answer(id, why);
  r->plan.reset();
}

void MemberCore::run(Running& r, Plan plan, std::vector<ServerStep> steps) {
  abandon_plan(Error{Errc::kFenced, "a newer order came first", ""});
  if (plan.quiets) out_.server.emplace_back(server_action::EndCopies{});  // a backup would keep commits from being held
  r.settled = false;
  plan.id = next_plan_++;
  const Duration deadline = plan.quiets ? config_.demote_deadline : config_.step_deadline;
  out_.plan = StepPlan{plan.id, std::move(steps), deadline, {}, {}};
  r.plan = std::move(plan);
}

// `receive`: what a receiver shall still receive before it is stopped.
void MemberCore::quiet(Running& r, std::optional<std::uint64_t> order, After after, const GtidSet& receive) {
  Plan plan;
  plan.fence = promise_.pair.epoch > 0 && promise_.pair.config == 0 && after == After::kSettle;
  plan.becomes = plan.fence ? MemberRole::kFenced : MemberRole::kIdle;
  plan.after = after;
  if (order) plan.orders = {*order};
  plan.quiets = r.maybe_writable;
  std::vector<ServerStep> steps;
  plan.awaits = !r.maybe_writable && !receive.empty();
  if (plan.awaits) steps.emplace_back(step::AwaitReceived{receive});
  if (r.maybe_writable) {
    steps = quieting();
  } else {
    steps.emplace_back(step::StopReceiver{});
    if (plan.fence) steps.emplace_back(step::SyncRelayLog{});  // an election may count on what it says to hold
  }
  const bool semi_sync = r.maybe_writable && after == After::kSettle;
  run(r, std::move(plan), std::move(steps));
  if (semi_sync) out_.plan->afterwards = {step::SemiSyncSource{0}};
}

void MemberCore::kill_server(std::string why) {
  problem_ = std::move(why);
  abandon_plan(Error{Errc::kUnavailable, problem_, ""});
  tell_to_end(life_);
  out_.plan.reset();
  out_.server.emplace_back(server_action::Kill{});
}

Instant MemberCore::after_backoff(Instant now) {
  const Instant at = now + backoff_;
  backoff_ = std::min(backoff_ * 2, config_.restart_max);
  return at;
}

// The scheduler knows this member by another volume. What is on this one counts for nothing, and its server id may be taken.
bool MemberCore::on_another_volume() const {
  return !config_.volume_name.empty() && promise_.volume != config_.volume_name;
}

// Its data, or its server, may be brought up when the time has come.
bool MemberCore::may_start() const {
  return !stopping_ && is<Down>() && has_secrets_ && !needs_copy() && !on_another_volume();
}

// Brings the server to where it should be: data made, running.
void MemberCore::drive(Instant now) {
  if (stopping_) {
    out_.finished = is<Down>() || state_of(life_) == ServerState::kPreparing;
    return;
  }
  if (Running* r = server()) watch_isolation(*r, now);
  if (!may_start() || now < std::get<Down>(life_).start_at) return;
  // What a primary had received it has executed.
  const bool forgets = !config_.relay_log_survives && !promise_.incarnation.empty() && promise_.role != MemberRole::kPrimary;
  if (!promise_.seeded) {
    make_datadir(now);
  } else if (forgets && !std::get<Down>(life_).relay_read) {
    life_ = ReadingRelay{};
    out_.server.emplace_back(server_action::ReadRelay{promise_.amnesiac});
  } else {
    life_ = Starting{};
    out_.server.emplace_back(server_action::Start{promise_.server_id});
  }
  out_.report_changed = true;
}

Instant MemberCore::next_deadline() const {
  if (may_start()) return std::get<Down>(life_).start_at;
  const Running* r = server();
  return r != nullptr && r->alone_since && !stopping_ ? *r->alone_since + config_.isolate_after : kNever;
}

bool MemberCore::poll_fast() const {
  const Running* r = server();
  if (r == nullptr) return false;
  const bool undrained = r->read && !r->seen.executed.contains(r->seen.received);
  const Duration silent = r->source.lasted();
  const bool listening = silent >= kListenFrom && silent < kListenTo;
  return !r->read || listening || (r->role == MemberRole::kFenced && undrained);
}

}  // namespace mysos
