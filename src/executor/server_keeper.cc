// SPDX-License-Identifier: Apache-2.0
#include "executor/server_keeper.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "executor/stuck_commits.h"
#include "mysql/relay_log.h"

namespace mysos {
namespace {

constexpr Logger kLog{"server"};

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

bool turns_read_only(const ServerStep& step) {
  const auto* s = std::get_if<step::SetReadOnly>(&step);
  return s != nullptr && s->on;
}

// The last line of the server's log that says ERROR, without its time stamp.
std::string last_error_line(const std::string& log) {
  const std::size_t at = log.rfind("[ERROR]");
  if (at == std::string::npos) return {};
  return log.substr(at, log.find('\n', at) - at);
}

}  // namespace

struct ServerKeeper::Run {
  Run(const asio::any_io_executor& executor, mysql::ServerProcess p, mysql::ServerOpsConfig config)
      : process(std::move(p)), ops(executor, std::move(config)), border(executor) {}
  mysql::ServerProcess process;
  mysql::ServerOps ops;
  Signal border;            // a plan has left the server
  bool busy = false;        // a plan is at work
  std::uint64_t steps = 0;  // ended ones
  bool restarting = false;  // its receiver, between two tries to connect
  bool up = false;
  std::optional<Instant> asked;  // when the read began that is under way
  StuckCommits stuck;
  bool pushing = false;
};

// One plan at a time is at work on a server.
class ServerKeeper::Turn {
 public:
  explicit Turn(Run& run) : run_(run) { run_.busy = true; }
  ~Turn() {
    run_.busy = false;
    run_.border.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Run& run_;
};

Result<std::uint32_t> server_id_of(std::uint32_t index, std::uint64_t generation) {
  constexpr std::uint64_t kMaxGeneration = (std::uint64_t{1} << 24) - 1;
  if (index >= 255 || generation > kMaxGeneration) {
    return fail(Errc::kInvalid, "no server id is left for member " + std::to_string(index) +
                                    ", datadir generation " + std::to_string(generation));
  }
  return static_cast<std::uint32_t>((generation << 8) | (index + 1));
}

ServerKeeper::ServerKeeper(TaskGroup& tasks, KeeperConfig config,
                           std::function<void(MemberInput)> tell)
    : tasks_(tasks),
      config_(std::move(config)),
      layout_(mysql::server_layout(config_.server_dir)),
      tell_(std::move(tell)),
      maker_(pool_, config_.errant_dir, tell_),
      snapshots_(snapshot_eyes()),
      poll_now_(tasks.executor()) {}

ServerKeeper::~ServerKeeper() { pool_.join(); }

Status ServerKeeper::use_secrets(const json::object& secrets) {
  auto parsed = from_json<mysql::Secrets>(secrets);
  if (!parsed) {
    parsed.error().field = "secrets." + parsed.error().field;
    return std::unexpected(std::move(parsed).error());
  }
  secrets_ = *std::move(parsed);
  return {};
}

// ---- the process ----

std::optional<std::string> ServerKeeper::adopt() {
  mysql::end_seed_server(layout_);
  auto found = mysql::ServerProcess::adopt(layout_);
  if (!found) return std::nullopt;
  if (!secrets_) {
    kLog.error("a server runs here whose secrets are lost: it is killed");
    (void)found->kill();
    return std::nullopt;
  }
  kLog.info("adopted mysqld, pid {}", found->pid());
  begin(*std::move(found));
  return run_->process.incarnation();
}

void ServerKeeper::begin(mysql::ServerProcess process) {
  mysql::ServerOpsConfig ops{.flavour = config_.distribution.kind,
                             .admin = mysql::admin_target(layout_, *secrets_),
                             .member = config_.spec.member,
                             .secrets = *secrets_};
  run_ = std::make_shared<Run>(tasks_.executor(), std::move(process), std::move(ops));
  user_wanted_ = false;
}

void ServerKeeper::begin_adopted() {
  tasks_.spawn("watch mysqld", watch_exit(run_));
  tasks_.spawn("reach mysqld", bring_up(run_));
}

void ServerKeeper::act(const ServerAction& action) {
  std::visit(Overloaded{
                 [&](const server_action::MakeDatadir& m) {
                   tasks_.spawn("make the datadir", make_datadir(m));
                 },
                 [&](const server_action::ReadRelay& r) {
                   tasks_.spawn("read the relay logs", read_relay(r.keep_earlier));
                 },
                 [&](const server_action::DropRelay&) {
                   tasks_.spawn("drop the kept relay logs", drop_relay());
                 },
                 [&](const server_action::Start& s) { start(s.generation); },
                 [&](const server_action::Shutdown&) {
                   if (run_) tasks_.spawn("shut mysqld down", shut_down(run_));
                 },
                 [&](const server_action::Kill&) { kill(); },
                 [&](const server_action::EnsureUser&) { ensure_user(); },
                 [&](const server_action::EndCopies&) { end_copies(); },
             },
             action);
}

void ServerKeeper::kill() {
  if (run_) (void)run_->process.kill();
}

asio::awaitable<void> ServerKeeper::make_datadir(server_action::MakeDatadir wanted) {
  const auto server_id = server_id_of(config_.spec.index, wanted.generation);
  Status made = server_id ? Status{} : Status(std::unexpected(server_id.error()));
  if (made) {
    mysql::SeedSpec spec{server_spec(*server_id), config_.template_dir, *secrets_};
    made = co_await maker_.make(std::move(wanted), std::move(spec));
  }
  if (made) {
    tell_(member_input::DatadirReady{});
  } else {
    tell_(member_input::DatadirFailed{"make the datadir: " + made.error().message});
  }
}

mysql::ServerSpec ServerKeeper::server_spec(std::uint32_t server_id) const {
  return {.distribution = config_.distribution,
          .layout = layout_,
          .user = config_.user,
          .memory = config_.spec.mem,
          .cpus = static_cast<double>(config_.spec.cpus_milli) / 1000,
          .port = config_.spec.port,
          .bind_address = config_.spec.bind,
          .report_host = config_.spec.bind,
          .server_id = server_id};
}

// Before a server is started that throws them away. They are kept beside the datadir, for a person who must look for a write.
asio::awaitable<void> ServerKeeper::read_relay(bool keep_earlier) {
  const Instant began = steady_now();
  auto look = [this, keep_earlier]() -> asio::awaitable<Result<GtidSet>> {
    if (!keep_earlier) (void)remove_tree(kept_relay());
    const Status kept = mysql::keep_relay_logs(layout_.datadir, kept_relay());
    if (!kept) kLog.warn("the relay logs are not kept: {}", kept.error().message);
    co_return mysql::read_relay_logs(layout_.datadir);
  };
  const auto held = co_await asio::co_spawn(pool_, look(), asio::use_awaitable);
  if (held) {
    kLog.info("the relay logs hold {}, read in {} ms", held->to_string(), to_ms(steady_now() - began));
  } else {
    kLog.warn("what the relay logs hold is not certain: {}", held.error().message);
  }
  tell_(member_input::RelayRead{held ? std::optional(*held) : std::nullopt});
}

asio::awaitable<void> ServerKeeper::drop_relay() {
  auto drop = [this]() -> asio::awaitable<Status> { co_return remove_tree(kept_relay()); };
  const Status dropped = co_await asio::co_spawn(pool_, drop(), asio::use_awaitable);
  if (!dropped) kLog.warn("kept relay logs are still there: {}", dropped.error().message);
}

void ServerKeeper::start(std::uint64_t generation) {
  const auto fail_start = [&](const Error& error) {
    tell_(member_input::ServerExited{error.message});
  };
  const auto server_id = server_id_of(config_.spec.index, generation);
  if (!server_id) return fail_start(server_id.error());
  auto process = mysql::ServerProcess::start(server_spec(*server_id), *secrets_);
  if (!process) return fail_start(process.error());
  kLog.info("started {}, pid {}", config_.distribution.server, process->pid());
  begin(*std::move(process));
  begin_adopted();
}

asio::awaitable<void> ServerKeeper::watch_exit(RunPtr run) {
  const ExitStatus status = co_await run->process.wait_exit();
  if (run_ == run) run_.reset();
  run->ops.close();
  run->border.notify_all();
  std::string how = to_string(status);
  // What a server that gave up by itself has to say; one that was killed has nothing.
  if (status.kind == ExitStatus::Kind::kExited && status.value != 0) {
    const std::string why = last_error_line(run->process.last_words());
    if (!why.empty()) how += ": " + why;
  }
  tell_(member_input::ServerExited{"mysqld: " + how});
}

asio::awaitable<void> ServerKeeper::bring_up(RunPtr run) {
  const Instant began = steady_now();
  const Status ready = co_await run->process.wait_ready(*secrets_, kMaxServerStart);
  if (run_ != run) co_return;
  if (!ready) {
    // One that ended is told by watch_exit; one that will not have us is of no use.
    kLog.error("mysqld does not come up: {}", ready.error().message);
    if (!run->process.try_wait()) (void)run->process.kill();
    co_return;
  }
  const auto version = co_await run->ops.version(kReadDeadline);
  const auto server_id = co_await run->ops.server_id(kReadDeadline);
  if (run_ != run) co_return;
  kLog.info("mysqld serves after {} ms", to_ms(steady_now() - began));
  run->up = true;
  tell_(member_input::ServerUp{run->process.incarnation(), version.value_or(""),
                               server_id.value_or("")});
  tasks_.spawn("listen to mysqld", listen(run));
  co_await poll(run);
}

asio::awaitable<void> ServerKeeper::shut_down(RunPtr run) {
  const ExitStatus status = co_await run->process.shutdown(shutdown_grace_);
  kLog.info("mysqld was shut down: {}", to_string(status));
}

// ---- copies that others make of it ----

SnapshotSource::Eyes ServerKeeper::snapshot_eyes() {
  const auto server = [this]() -> std::optional<SnapshotSource::Server> {
    if (!run_ || !run_->up) return std::nullopt;
    return SnapshotSource::Server{server_spec(0), *secrets_};
  };
  const auto executed = [this]() -> asio::awaitable<Result<GtidSet>> {
    const RunPtr run = run_;
    if (!run) co_return fail(Errc::kUnavailable, "mysqld does not run here");
    MYSOS_CO_TRY(const ServerSnapshot seen, co_await run->ops.read(kReadDeadline));
    co_return seen.executed;
  };
  return {[this] { return secrets_; }, server, executed};
}

void ServerKeeper::end_copies() {
  snapshots_.end();
  if (run_ && mysql::flavour(config_.distribution.kind).has_clone()) tasks_.spawn("end clones", end_clones(run_));
}

asio::awaitable<void> ServerKeeper::end_clones(RunPtr run) {
  const Status ended = co_await run->ops.end_clones(kReadDeadline);
  if (!ended) kLog.warn("clones of this server cannot be ended: {}", ended.error().message);
}

// ---- reading ----

void ServerKeeper::poll_fast(bool fast) {
  if (fast && !fast_) poll_now_.notify_all();
  fast_ = fast;
}

asio::awaitable<void> ServerKeeper::poll(RunPtr run) {
  bool failing = false;
  Duration fast_pause = kPollFastMin;
  while (run_ == run) {
    const std::uint64_t steps = run->steps;
    run->asked = steady_now();
    const auto seen = co_await run->ops.read(kReadDeadline);
    run->asked.reset();
    if (run_ != run) co_return;
    if (!seen && !failing) kLog.warn("the server cannot be read: {}", seen.error().message);
    failing = !seen;
    if (seen && steps == run->steps && !run->restarting) tell_(member_input::Snapshot{*seen});
    if (run_ != run) co_return;
    const bool stuck = seen && run->stuck.look(*seen, run->ops.commits_waited(), steady_now());
    if (stuck && !run->pushing) tasks_.spawn("push commits", push_commits(run));
    fast_pause = fast_ ? std::min(fast_pause * 5 / 4, kPollFastMax) : kPollFastMin;
    // Never in step with another member's: of two reads that are compared the replica's has to be the later one.
    const Duration apart{steady_now().time_since_epoch().count() % kPollSpread.count()};
    co_await poll_now_.wait_for(fast_ ? fast_pause : kPollEvery - apart);
  }
}

// A read that hangs says something long before it is given up.
asio::awaitable<void> ServerKeeper::listen(RunPtr run) {
  while (run_ == run) {
    co_await sleep_for(kPollEvery);
    if (run_ == run && run->asked && steady_now() - *run->asked >= kPollEvery) tell_(member_input::Unanswered{});
  }
}

asio::awaitable<void> ServerKeeper::push_commits(RunPtr run) {
  run->pushing = true;
  const Status pushed = co_await run->ops.push_commits(kReadDeadline);
  run->pushing = false;
  kLog.info("commits waited for an acker that is there: {}", pushed ? "they have gone on" : pushed.error().message);
}

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

asio::awaitable<void> ServerKeeper::tidy(RunPtr run, std::uint64_t plan, std::vector<ServerStep> steps, Instant at) {
  if (at > steady_now()) co_await sleep_for(at - steady_now());
  for (const ServerStep& step : steps) {
    if (!current(run, plan) || run->busy) co_return;
    const Turn turn(*run);
    const Instant began = steady_now();
    const Status done = co_await run->ops.run(step, kTidyDeadline);
    ++run->steps;
    kLog.info("afterwards, {}: {} in {} us", describe(step), done ? "done" : done.error().message,
              (steady_now() - began).count());
    if (!done) co_return;
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
    const Instant began = steady_now();
    if (began >= until) co_return "no time is left to " + describe(step);
    const Status done = co_await run->ops.run(step, until - began);
    ++run->steps;
    kLog.info("{}: {} in {} us", describe(step), done ? "done" : done.error().message,
              (steady_now() - began).count());
    if (!done) co_return done.error().message;
  }
  co_return std::nullopt;
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
  Duration backoff = kAckersLookMin;
  while (run_ == run && user_wanted_) {
    const auto seen = co_await run->ops.read(kReadDeadline);
    if (seen && !seen->read_only && seen->semi_sync_clients >= seen->semi_sync_d) co_return true;
    co_await sleep_for(backoff);
    backoff = std::min(backoff * 2, kAckersLookMax);
  }
  co_return false;
}

asio::awaitable<void> ServerKeeper::make_user(RunPtr run) {
  struct Lane {
    bool& busy;
    ~Lane() { busy = false; }
  };
  {
    const Lane lane{user_lane_busy_};
    Duration backoff = kUserRetryMin;
    bool told = false;
    // Where it came with the data, clients need not wait until the ackers are there: their commits will.
    const auto there = co_await run->ops.user_is_there(kUserDeadline);
    if (run_ == run && user_wanted_ && there && *there) {
      user_wanted_ = false;
      tell_(member_input::UserReady{true});
    }
    while (user_wanted_ && co_await ackers_are_there(run)) {
      const Status made = co_await run->ops.ensure_user(kUserDeadline);
      if (run_ == run && user_wanted_ && made) {
        user_wanted_ = false;
        tell_(member_input::UserReady{true});
        break;
      }
      if (!made && !told) kLog.warn("the user's account: {}; trying again", made.error().message);
      told = true;
      co_await sleep_for(backoff);
      backoff = std::min(backoff * 2, kUserRetryMax);
    }
  }
  if (run_ && run_ != run && user_wanted_) ensure_user();  // asked for on the next server meanwhile
}

}  // namespace mysos
