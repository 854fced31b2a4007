// SPDX-License-Identifier: Apache-2.0
// What ServerKeeper does at MemberCore's word: plans of steps, what follows them, and the user's account.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/pool_work.h"
#include "executor/server_run.h"
#include "mysql/given_up.h"

namespace mysos {
namespace {

constexpr Logger kLog{"server"};

bool turns_read_only(const ServerStep& step) {
  const auto* s = std::get_if<step::SetReadOnly>(&step);
  return s != nullptr && s->on;
}

}  // namespace

// ---- plans ----

void ServerKeeper::run(StepPlan plan) {
  plan_ = plan.id;
  if (std::ranges::any_of(plan.steps, turns_read_only)) user_wanted_ = false;
  if (!run_) return;  // its end is on its way to the core, and ends the plan there
  tasks_.spawn("plan", carry_out(run_, std::move(plan)));
}

bool ServerKeeper::current(const RunPtr& run, std::uint64_t plan) const {
  return run_ == run && plan_ == plan;
}

asio::awaitable<void> ServerKeeper::carry_out(RunPtr run, StepPlan plan) {
  const std::uint64_t id = plan.id;
  const Instant until = steady_now() + plan.deadline;
  while (run->busy && current(run, id) && steady_now() < until) {
    co_await run->border.wait_for(until - steady_now());
  }
  if (!current(run, id)) co_return;
  if (run->busy) {
    run->ops.close();  // the one before it hangs in a step
    tell_(member_input::PlanEnded{id, "a step of the plan before it hangs", std::nullopt});
    co_return;
  }
  const bool attaches = std::ranges::any_of(
      plan.steps, [](const ServerStep& s) { return std::holds_alternative<step::StartReplication>(s); });
  const std::vector<ServerStep> afterwards = plan.afterwards;
  const Instant tidy_at = steady_now() + plan.afterwards_in;
  std::optional<Turn> turn(*run);
  const auto failure = co_await steps_of(run, std::move(plan), until);
  if (!current(run, id)) co_return;
  const auto after = co_await run->ops.read(kReadDeadline);
  turn.reset();
  if (!current(run, id)) co_return;
  tell_(member_input::PlanEnded{id, failure, after ? std::optional(*after) : std::nullopt});
  if (failure) co_return;
  if (attaches) co_await attach(run, id);
  if (!afterwards.empty()) co_await tidy(run, id, afterwards, tidy_at);
}

// One step on the server, and how long it took.
asio::awaitable<Status> ServerKeeper::do_step(RunPtr run, const ServerStep& step, Duration at_most, std::string_view when) {
  const Instant began = steady_now();
  const auto* acks = std::get_if<step::SemiSyncReplica>(&step);
  if (acks != nullptr && !acks->on) run->relay_sync->silenced();
  const bool files = std::holds_alternative<step::SyncRelayLog>(step);
  const auto* keeps = std::get_if<step::KeepRelayLog>(&step);
  Status done;
  if (keeps != nullptr) {
    done = co_await keep_given_up(*keeps);
  } else {
    done = files ? co_await run->relay_sync->make_durable(at_most) : co_await run->ops.run(step, at_most);
  }
  ++run->steps;
  kLog.info("{}{}: {} in {} us", when, describe(step), done ? "done" : done.error().message, (steady_now() - began).count());
  co_return done;
}

asio::awaitable<Status> ServerKeeper::keep_given_up(step::KeepRelayLog what) {
  mysql::GivenUpSpec spec{layout_.datadir, config_.errant_dir, what.epoch, std::move(what.rest)};
  auto kept = co_await run_on_pool(pools_.steps, [spec = std::move(spec)] { return mysql::keep_given_up(spec); });
  if (!kept) co_return std::unexpected(std::move(kept).error());
  tell_(member_input::ErrantKept{"errant/" + *kept});
  co_return Status{};
}

// Between two plans only: a plan may be about to stop the receiver, and the server would throw the relay log away.
asio::awaitable<void> ServerKeeper::start_applier(RunPtr run) {
  if (run->busy || run_ != run) co_return;
  const Turn turn(*run);
  (void)co_await do_step(run, step::StartApplier{}, kReadDeadline, "by itself, ");
}

asio::awaitable<void> ServerKeeper::tidy(RunPtr run, std::uint64_t plan, std::vector<ServerStep> steps, Instant at) {
  if (at > steady_now()) co_await sleep_for(at - steady_now());
  for (const ServerStep& step : steps) {
    if (!current(run, plan) || run->busy) co_return;
    const Turn turn(*run);
    const bool points = std::holds_alternative<step::SetSource>(step);
    if (!co_await do_step(run, step, points ? kPointDeadline : kTidyDeadline, "afterwards, ")) co_return;
  }
}

// A receiver whose first try is refused, because its source has yet to let it in, tries again only after a second, and a
// failover waits for it. For a while it is started anew at once.
asio::awaitable<void> ServerKeeper::attach(RunPtr run, std::uint64_t plan) {
  const Instant until = steady_now() + kAttachPatience;
  while (current(run, plan) && steady_now() < until) {
    const auto seen = co_await run->ops.read(kReadDeadline);
    if (!current(run, plan) || !seen) co_return;
    if (seen->receiver_connected || !seen->receiver_running) {
      poll_now_.notify_all();
      co_return;
    }
    if (!seen->last_error.empty() && !run->busy) {
      const Turn turn(*run);
      run->restarting = true;
      const Status stopped = co_await run->ops.run(step::StopReceiver{}, kReadDeadline);
      if (stopped) (void)co_await run->ops.run(step::StartReplication{}, kReadDeadline);
      run->restarting = false;
      ++run->steps;
    }
    co_await sleep_for(kAttachPause);
  }
}

asio::awaitable<std::optional<std::string>> ServerKeeper::steps_of(RunPtr run, StepPlan plan,
                                                                   Instant until) {
  for (const ServerStep& step : plan.steps) {
    if (!current(run, plan.id)) co_return std::nullopt;
    const Duration left = until - steady_now();
    if (left <= Duration::zero()) co_return "no time is left to " + describe(step);
    const Status done = co_await do_step(run, step, left, "");
    if (!done) co_return done.error().message;
  }
  co_return std::nullopt;
}

// ---- the clients' events ----

void ServerKeeper::mind_events(const RunPtr& run, const ServerSnapshot& seen) {
  if (seen.read_only && run->events_told > 0) {
    tell_(member_input::Noticed{NoticeKind::kEventsStopped,
                                "the clients' events do not run here any more: the server is read-only"});
    run->events_told = 0;
  }
  const EventDuty::Act act = run->event_duty.look(!seen.read_only, run->ops.events_on(), steady_now());
  if (act != EventDuty::Act::kNothing) tasks_.spawn("events", do_events(run, act));
}

asio::awaitable<void> ServerKeeper::do_events(RunPtr run, EventDuty::Act act) {
  Status done;
  switch (act) {
    case EventDuty::Act::kNothing: break;
    case EventDuty::Act::kStart: done = co_await start_events(run); break;
    case EventDuty::Act::kStop: done = co_await run->events.stop(kEventsDeadline); break;
    case EventDuty::Act::kRecord: done = co_await run->events.record(kEventsDeadline); break;
  }
  run->event_duty.done(done.has_value(), steady_now());
  if (run_ != run || act == EventDuty::Act::kNothing) co_return;
  if (!done) kLog.warn("the clients' events: {}", done.error().message);
  // One failure may come of a server that is being stopped, or made read-only.
  run->events_failed = done ? 0 : run->events_failed + 1;
  const bool lasts = !done && (run->events_failed > 1 || done.error().code == Errc::kInternal);
  if (done || lasts) {
    tell_(member_input::EventsMinded{act != EventDuty::Act::kStop, done ? "" : "the clients' events: " + done.error().message});
  }
}

asio::awaitable<Status> ServerKeeper::start_events(RunPtr run) {
  MYSOS_CO_TRY_VOID(co_await run->events.start(kEventsDeadline));
  if (run_ == run && run->events.settled() > 0) {
    run->events_told = run->events.settled();
    tell_(member_input::Noticed{NoticeKind::kEventsStarted,
                                fmt::format("the clients' events run here now: {} that replication had disabled are as their "
                                            "owners left them",
                                            run->events_told)});
  }
  co_return Status{};
}

// ---- the user's account ----

void ServerKeeper::ensure_user() {
  user_wanted_ = true;
  if (!run_ || user_lane_busy_) return;
  user_lane_busy_ = true;
  tasks_.spawn("user account", make_user(run_));
}

// MySQL commits a CREATE USER under the lock that every login needs, so one that waits for an acker
// which has yet to log in waits for ever. Hence not before enough of them are there.
asio::awaitable<bool> ServerKeeper::ackers_are_there(RunPtr run) {
  Backoff pauses{kAckersLookMin, kAckersLookMax};
  while (run_ == run && user_wanted_) {
    const auto seen = co_await run->ops.read(kReadDeadline);
    if (seen && !seen->read_only && seen->semi_sync_clients >= seen->semi_sync_d) co_return true;
    co_await sleep_for(pauses.next());
  }
  co_return false;
}

// A password that was changed meanwhile is asked for again by the core.
asio::awaitable<void> ServerKeeper::make_user(RunPtr run) {
  struct Lane {
    bool& busy;
    ~Lane() { busy = false; }
  };
  {
    const Lane lane{user_lane_busy_};
    Backoff pauses{kUserRetryMin, kUserRetryMax};
    bool told = false;
    const auto ready = [&](std::uint64_t credentials) {
      user_wanted_ = credentials != secrets_->user_version;
      run->user_made = true;
      tell_(member_input::UserReady{true, credentials});
    };
    // Where it came with the data, clients need not wait until the ackers are there: their commits will.
    const std::uint64_t first = secrets_->user_version;
    const auto there = co_await run->ops.user_is_there(kUserDeadline);
    if (run_ == run && user_wanted_ && there && *there) ready(first);
    while (user_wanted_ && co_await ackers_are_there(run)) {
      const std::uint64_t credentials = secrets_->user_version;
      const Status made = co_await run->ops.ensure_user(kUserDeadline);
      if (run_ == run && user_wanted_ && made) {
        ready(credentials);
        if (!user_wanted_) break;
      }
      if (!made && !told) kLog.warn("the user's account: {}; trying again", made.error().message);
      told = true;
      co_await sleep_for(pauses.next());
    }
  }
  if (run_ && run_ != run && user_wanted_) ensure_user();  // asked for on the next server meanwhile
}

}  // namespace mysos
