// SPDX-License-Identifier: Apache-2.0
#include "executor/server_keeper.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/overloaded.h"
#include "base/pool_work.h"
#include "base/port_check.h"
#include "executor/server_run.h"
#include "mysql/relay_log.h"

namespace mysos {
namespace {

constexpr Logger kLog{"server"};

// The last line of the server's log that says ERROR, without its time stamp.
std::string last_error_line(const std::string& log) {
  const std::size_t at = log.rfind("[ERROR]");
  if (at == std::string::npos) return {};
  return log.substr(at, log.find('\n', at) - at);
}

mysql::ServerLayout layout_of(const KeeperConfig& config) {
  mysql::ServerLayout out = mysql::server_layout(config.server_dir);
  out.admin_host = config.spec.bind;
  out.admin_port = config.spec.admin_port;
  return out;
}

}  // namespace

ServerKeeper::ServerKeeper(TaskGroup& tasks, KeeperConfig config,
                           std::function<void(MemberInput)> tell)
    : tasks_(tasks),
      config_(std::move(config)),
      layout_(layout_of(config_)),
      tell_(std::move(tell)),
      maker_(pools_, config_.errant_dir, tell_),
      snapshots_(snapshot_eyes()),
      poll_now_(tasks.executor()) {}

ServerKeeper::~ServerKeeper() { pools_.join(); }

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
                             .secrets = *secrets_,
                             .prepared_in_binlogs = [this](std::size_t wanted) { return prepared_in_binlogs(wanted); },
                             .any_engine = config_.spec.any_engine};
  run_ = std::make_shared<Run>(tasks_.executor(), std::move(process), std::move(ops),
                               std::make_shared<RelaySync>(tasks_, pools_, layout_.datadir));
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
                 [&](const server_action::Start& s) { start(s.server_id); },
                 [&](const server_action::Shutdown&) {
                   if (run_) tasks_.spawn("shut mysqld down", shut_down(run_));
                 },
                 [&](const server_action::Kill&) { kill(); },
                 [&](const server_action::EnsureUser&) { ensure_user(); },
                 [&](const server_action::StartApplier&) {
                   if (run_) tasks_.spawn("start the applier", start_applier(run_));
                 },
                 [&](const server_action::EndCopies&) { end_copies(); },
                 [&](const server_action::EndReaders& e) {
                   if (!run_ || std::exchange(run_->ending_readers, true)) return;
                   tasks_.spawn("end readers", end_readers(run_, e.watched));
                 },
                 [&](const server_action::EndIdleReaders& e) {
                   if (run_) tasks_.spawn("end idle readers", end_idle_readers(run_, e.limit));
                 },
             },
             action);
}

void ServerKeeper::kill() {
  if (run_) (void)run_->process.kill();
}

asio::awaitable<void> ServerKeeper::make_datadir(server_action::MakeDatadir wanted) {
  mysql::SeedSpec spec{server_spec(wanted.server_id), config_.template_dir, *secrets_};
  const Status made = co_await maker_.make(std::move(wanted), std::move(spec));
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
          .server_id = server_id,
          .any_engine = config_.spec.any_engine};
}

// Before a server is started that throws them away. They are kept beside the datadir, for a person who must look for a write.
asio::awaitable<void> ServerKeeper::read_relay(bool keep_earlier) {
  const Instant began = steady_now();
  auto look = [this, keep_earlier] {
    if (!keep_earlier) (void)remove_tree(kept_relay());
    const Status kept = mysql::keep_relay_logs(layout_.datadir, kept_relay());
    if (!kept) kLog.warn("the relay logs are not kept: {}", kept.error().message);
    return mysql::read_relay_logs(layout_.datadir);
  };
  const auto held = co_await run_on_pool(pools_.copies, look);
  if (held) {
    kLog.info("the relay logs hold {}, read in {} ms", held->to_string(), to_ms(steady_now() - began));
  } else {
    kLog.warn("what the relay logs hold is not certain: {}", held.error().message);
  }
  tell_(member_input::RelayRead{held ? std::optional(*held) : std::nullopt});
}

asio::awaitable<void> ServerKeeper::drop_relay() {
  const Status dropped = co_await run_on_pool(pools_.copies, [path = kept_relay()] { return remove_tree(path); });
  if (!dropped) kLog.warn("kept relay logs are still there: {}", dropped.error().message);
}

void ServerKeeper::start(std::uint32_t server_id) {
  const auto fail_start = [&](const Error& error) {
    tell_(member_input::ServerExited{error.message});
  };
  for (const std::uint16_t port : {config_.spec.port, config_.spec.admin_port}) {
    if (port == 0 || port_is_free(config_.spec.bind, port)) continue;
    return fail_start({Errc::kConflict, "port " + std::to_string(port) + " " + std::string(kPortTaken), {}});
  }
  auto process = mysql::ServerProcess::start(server_spec(server_id), *secrets_);
  if (!process) return fail_start(process.error());
  kLog.info("started {}, pid {}", config_.distribution.server, process->pid());
  begin(*std::move(process));
  begin_adopted();
}

asio::awaitable<void> ServerKeeper::watch_exit(RunPtr run) {
  const ExitStatus status = co_await run->process.wait_exit();
  if (run_ == run) run_.reset();
  run->ops.close();
  run->events.close();
  run->port_guard.close();
  run->border.notify_all();
  std::string how = to_string(status);
  // What a server that gave up by itself has to say; one that was killed has nothing.
  if (status.kind == ExitStatus::Kind::kExited && status.value != 0) {
    const std::string why = last_error_line(run->process.last_words());
    if (!why.empty()) how += ": " + why;
  }
  const bool for_memory = killed_for_memory(status, run->memory_kills, out_of_memory_kills());
  if (for_memory) how = out_of_memory_text(config_.spec.mem);
  tell_(member_input::ServerExited{"mysqld: " + how, for_memory});
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
  tasks_.spawn("guard mysqld", guard(run));
  if (layout_.admin_port != 0) tasks_.spawn("guard the admin port", guard_port(run));
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
    auto seen = co_await run->ops.read(kReadDeadline);
    run->asked.reset();
    if (run_ != run) co_return;
    const mysql::ServerOps& ops = run->ops;
    const bool push = seen && run->stuck.look(*seen, ops.commits_waited(), ops.commits_acknowledged(), steady_now());
    if (seen) seen->commits_stuck = run->stuck.hopeless();
    if (!seen && !failing) kLog.warn("the server cannot be read: {}", seen.error().message);
    failing = !seen;
    if (seen && steps == run->steps && !run->restarting) tell_(member_input::Snapshot{*seen});
    if (run_ != run) co_return;
    if (push && !run->pushing) tasks_.spawn("push commits", push_commits(run));
    if (seen && !run->busy) mind_events(run, *seen);
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

}  // namespace mysos
