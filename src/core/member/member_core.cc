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
  MYSOS_ASSERT(state_ == ServerState::kNone, "a server is adopted before anything else happens");
  adopted_ = in.incarnation;
  state_ = ServerState::kStarting;
  // The executor before this one promised to throw the data away, and died before it had ended their server.
  if (!promise_.seeded) kill_server("the data are being rebuilt");
}

void MemberCore::take(const member_input::ServerUp& in, Instant now) {
  // A rebuild may have been ordered while it started: that server is already being killed.
  if (state_ != ServerState::kStarting) return;
  state_ = ServerState::kRunning;
  running_ = Running{.incarnation = in.incarnation, .version = in.version, .server_id = in.server_id};
  running_->server.heard(now);
  up_since_ = now;
  crashed_ = false;
  problem_.clear();
  const bool same = adopted_ == in.incarnation && promise_.incarnation == in.incarnation;
  adopted_.reset();
  settle_started(same);
  out_.report_changed = true;
}

// What a server that has just answered may be. A fresh one is quiet. One found alive goes on as it was promised, but is
// not settled until it is told again: its last plan may have been cut off anywhere.
void MemberCore::settle_started(bool adopted) {
  const bool fenced = promise_.pair.epoch > 0 && promise_.pair.config == 0;
  user_ready_ = false;
  settled_ = false;
  promoted_.reset();
  followed_.reset();
  if (adopted) {
    maybe_writable_ = true;
    if (promise_.role == MemberRole::kPrimary) {
      role_ = MemberRole::kPrimary;
      out_.server.emplace_back(server_action::EnsureUser{});
    } else if (promise_.role == MemberRole::kReplica) {
      role_ = MemberRole::kReplica;
    } else {
      role_ = fenced ? MemberRole::kFenced : MemberRole::kIdle;
      quiet(std::nullopt, After::kSettle);
    }
    return;
  }
  maybe_writable_ = false;
  role_ = fenced ? MemberRole::kFenced : MemberRole::kIdle;
  MemberPromise next = promise_;
  next.role = role_;
  next.incarnation = running_->incarnation;
  save(next);
}

void MemberCore::take(const member_input::ServerExited& in, Instant now) {
  if (state_ == ServerState::kNone || state_ == ServerState::kPreparing) return;
  const bool stable = running_ && now - up_since_ >= kStableAfter;
  const bool meant = state_ == ServerState::kStopping;
  running_.reset();
  adopted_.reset();
  state_ = ServerState::kExited;
  role_ = promise_.pair.epoch > 0 && promise_.pair.config == 0 ? MemberRole::kFenced : MemberRole::kIdle;
  settled_ = false;
  maybe_writable_ = false;
  user_ready_ = false;
  credentials_applied_ = 0;
  tampered_.clear();
  events_run_ = false;
  events_trouble_.clear();
  password_changed_ = false;
  promoted_.reset();
  followed_.reset();
  crashed_ = !meant;
  failed_fences_ = 0;
  draining_since_.reset();
  applier_asked_.reset();
  readers_asked_.reset();
  idle_readers_asked_ = {};
  if (in.out_of_memory) ++memory_kills_;
  if (!meant) problem_ = in.how;
  abandon_plan(Error{Errc::kUnavailable, "mysqld ended: " + in.how, ""});
  if (stable || meant) {
    backoff_ = config_.restart_min;
    start_at_ = meant ? now : now + config_.news_first;
  } else {
    back_off(now);
  }
  out_.report_changed = true;
}

void MemberCore::take(const member_input::Snapshot& in, Instant now) {
  if (!running_) return;
  const bool first = !running_->read;
  const bool changed = note_read(in.server, now);
  if (memory_kills_ > 0 && now - up_since_ >= kLastsAfter) memory_kills_ = 0;
  end_copies_in_the_way(now);
  look_after_readers(now);
  if (plan_) {
    out_.report_changed |= changed;
    return;
  }
  // A fresh server is quiet: one read makes that a report. Others settle at the end of a plan.
  if (first && !maybe_writable_ && role_ != MemberRole::kPrimary && role_ != MemberRole::kReplica) settled_ = true;
  // A step of an older plan may come through late (its session was given up, not the statement).
  const bool woke = (role_ == MemberRole::kFenced || role_ == MemberRole::kIdle) && in.server.receiver_running;
  const bool opened = role_ != MemberRole::kPrimary && !in.server.read_only;
  if ((opened || woke) && !stopping_) {
    maybe_writable_ |= opened;
    quiet(std::nullopt, After::kSettle);
  }
  if (!plan_ && !stopping_) apply_what_was_kept(now);
  watch_applier(now);
  notice_astray();
  out_.report_changed |= changed;
}

void MemberCore::take(const member_input::PlanEnded& in, Instant now) {
  if (!plan_ || plan_->id != in.plan) return;
  const Plan plan = *std::exchange(plan_, std::nullopt);
  out_.report_changed = true;
  if (in.after && running_) note_read(*in.after, now);
  if (plan.after == After::kShutdown) {
    state_ = ServerState::kStopping;
    out_.server.emplace_back(in.failure ? ServerAction(server_action::Kill{}) : ServerAction(server_action::Shutdown{}));
    return;
  }
  if (!in.failure) {
    failed_fences_ = 0;
    role_ = plan.becomes;
    settled_ = true;
    problem_.clear();
    if (role_ != MemberRole::kPrimary) maybe_writable_ = false;
    promoted_ = plan.promote;
    followed_ = plan.follow;
    if (role_ == MemberRole::kPrimary && !user_ready_) out_.server.emplace_back(server_action::EnsureUser{});
    if (role_ != MemberRole::kPrimary) user_ready_ = false;
    for (const auto id : plan.orders) answer(id);
    return;
  }

  problem_ = *in.failure;
  settled_ = false;
  for (const auto id : plan.orders) answer(id, Error{Errc::kUnavailable, *in.failure, ""});
  const bool errant = plan.follow && in.after && in.after->read_only && !in.after->receiver_running &&
                      !plan.follow->source_executed.contains(in.after->received);
  if (errant) {
    role_ = MemberRole::kErrant;
    settled_ = true;
    maybe_writable_ = false;
    followed_.reset();
    return;
  }
  // A server that may be serving and cannot be made quiet in time is killed: it restarts quiet, and what its clients
  // were waiting for is never acknowledged.
  failed_fences_ = plan.fence && !plan.awaits ? failed_fences_ + 1 : 0;
  if (plan.quiets) {
    kill_server("it could not be made quiet: " + *in.failure);
  } else if (failed_fences_ > kFencesThatMayFail) {
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
  if (running_ && maybe_writable_) {
    quiet(std::nullopt, After::kShutdown);
  } else if (running_) {
    abandon_plan(Error{Errc::kUnavailable, "this member is being stopped", ""});
    state_ = ServerState::kStopping;
    out_.server.emplace_back(server_action::Shutdown{});
  } else if (state_ == ServerState::kStarting) {
    kill_server("the member is being stopped");
  }
}

void MemberCore::take(const member_input::Tick& /*in*/, Instant /*now*/) {}


void MemberCore::answer(std::uint64_t order, std::optional<Error> error) {
  out_.answers.push_back({order, std::move(error)});
}

void MemberCore::abandon_plan(const Error& why) {
  if (plan_) {
    for (const auto id : plan_->orders) answer(id, why);
  }
  plan_.reset();
}

void MemberCore::run(Plan plan, std::vector<ServerStep> steps) {
  abandon_plan(Error{Errc::kFenced, "a newer order came first", ""});
  if (plan.quiets) out_.server.emplace_back(server_action::EndCopies{});  // a backup would keep commits from being held
  settled_ = false;
  plan.id = next_plan_++;
  const Duration deadline = plan.quiets ? config_.demote_deadline : config_.step_deadline;
  out_.plan = StepPlan{plan.id, std::move(steps), deadline, {}, {}};
  plan_ = std::move(plan);
}

// `receive`: what a receiver shall still receive before it is stopped.
void MemberCore::quiet(std::optional<std::uint64_t> order, After after, const GtidSet& receive) {
  Plan plan;
  plan.fence = promise_.pair.epoch > 0 && promise_.pair.config == 0 && after == After::kSettle;
  plan.becomes = plan.fence ? MemberRole::kFenced : MemberRole::kIdle;
  plan.after = after;
  if (order) plan.orders = {*order};
  plan.quiets = maybe_writable_;
  std::vector<ServerStep> steps;
  plan.awaits = !maybe_writable_ && !receive.empty();
  if (plan.awaits) steps.emplace_back(step::AwaitReceived{receive});
  if (maybe_writable_) {
    steps = quieting();
  } else {
    steps.emplace_back(step::StopReceiver{});
    if (plan.fence) steps.emplace_back(step::SyncRelayLog{});  // an election may count on what it says to hold
  }
  const bool semi_sync = maybe_writable_ && after == After::kSettle;
  run(std::move(plan), std::move(steps));
  if (semi_sync) out_.plan->afterwards = {step::SemiSyncSource{0}};
}

void MemberCore::kill_server(std::string why) {
  problem_ = std::move(why);
  state_ = ServerState::kStopping;
  abandon_plan(Error{Errc::kUnavailable, problem_, ""});
  out_.plan.reset();
  out_.server.emplace_back(server_action::Kill{});
}

void MemberCore::back_off(Instant now) {
  start_at_ = now + backoff_;
  backoff_ = std::min(backoff_ * 2, config_.restart_max);
}

// Brings the server to where it should be: data made, running.
void MemberCore::drive(Instant now) {
  if (stopping_) {
    out_.finished = down() || state_ == ServerState::kPreparing;
    return;
  }
  watch_isolation(now);
  if (!down() || !has_secrets_ || now < start_at_ || needs_copy() || on_another_volume()) return;
  // What a primary had received it has executed.
  const bool forgets = !config_.relay_log_survives && !promise_.incarnation.empty() && promise_.role != MemberRole::kPrimary;
  if (!promise_.seeded) {
    make_datadir(now);
  } else if (forgets && !std::exchange(relay_read_, false)) {
    state_ = ServerState::kPreparing;
    reading_relay_ = true;
    out_.server.emplace_back(server_action::ReadRelay{promise_.amnesiac});
  } else {
    relay_read_ = false;
    state_ = ServerState::kStarting;
    out_.server.emplace_back(server_action::Start{promise_.server_id});
  }
  out_.report_changed = true;
}

Instant MemberCore::next_deadline() const {
  const bool starts = !stopping_ && down() && has_secrets_ && !needs_copy() && !on_another_volume();
  const Instant start = starts ? start_at_ : kNever;
  return alone_since_ && !stopping_ ? std::min(start, *alone_since_ + config_.isolate_after) : start;
}

bool MemberCore::poll_fast() const {
  if (!running_) return false;
  const bool undrained = running_->read && !running_->seen.executed.contains(running_->seen.received);
  const Duration silent = running_->source.lasted();
  const bool listening = silent >= kListenFrom && silent < kListenTo;
  return !running_->read || listening || (role_ == MemberRole::kFenced && undrained);
}

}  // namespace mysos
