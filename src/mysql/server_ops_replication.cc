// SPDX-License-Identifier: Apache-2.0
// The steps of ServerOps that make a server a replica, and no replica any more.
#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "mysql/client_sessions.h"
#include "mysql/server_ops_impl.h"

namespace mysos::mysql {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(2);
constexpr Duration kAwaitReceived = std::chrono::seconds(2);
constexpr double kDrainSlice = 0.2;  // seconds; between two looks at an applier that may have stopped
constexpr double kDrainLeast = 0.001;  // MySQL takes 0 for ever
constexpr unsigned kNoSuchThread = 1094;
constexpr int kAlignLooks = 5;
constexpr Duration kAborts = std::chrono::milliseconds(50);

}  // namespace

asio::awaitable<Status> ServerOps::stop_receiver(Budget budget) {
  for (;;) {
    MYSOS_CO_TRY(const ServerSnapshot seen, co_await look_parsed(budget));
    if (!seen.receiver_running) co_return Status{};
    if (budget.spent()) co_return fail(Errc::kTimeout, "the receiver still runs");
    MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.stop_receiver(), budget));
  }
}

asio::awaitable<Status> ServerOps::stop_replication(Budget budget) {
  for (;;) {
    MYSOS_CO_TRY(const ServerSnapshot seen, co_await look_parsed(budget));
    if (!seen.receiver_running && !seen.applier_running) co_return Status{};
    if (budget.spent()) co_return fail(Errc::kTimeout, "replication still runs");
    if (seen.receiver_running) {
      MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.stop_receiver(), budget));
    } else {
      MYSOS_CO_TRY_VOID(co_await stop_applier(seen, budget));
    }
  }
}

asio::awaitable<Status> ServerOps::stop_applier(ServerSnapshot seen, Budget budget) {
  if (!seen.executed.contains(seen.received)) co_return co_await abort_applier(budget);
  if (flavour_.stop_waits_for_rest()) co_return co_await kill_applier(budget);
  MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.stop_applier(), budget));
  co_return Status{};
}

// For an applier that has executed all that was received, or all but a transaction of which only the beginning came: that is
// rolled back, as it would be by a crash.
asio::awaitable<Status> ServerOps::kill_applier(Budget budget) {
  MYSOS_CO_TRY(const Rows list, co_await sql("SHOW PROCESSLIST", budget));
  std::optional<std::uint64_t> coordinator;  // starts before its workers; the receiver has a host
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.text(i, "User") != "system user" || !list.text(i, "Host").empty()) continue;
    const std::uint64_t id = std::strtoull(list.text(i, "Id").c_str(), nullptr, 10);
    if (!coordinator || id < *coordinator) coordinator = id;
  }
  if (coordinator) {
    const auto killed = co_await sql(fmt::format("KILL {}", *coordinator), budget);
    if (!killed && steps_.last_errno() != kNoSuchThread) co_return std::unexpected(killed.error());
  }
  co_await sleep_for(kPoll);
  co_return Status{};
}

// For an applier whose relay log is given up. To stop it would wait for as long as its transaction waits, or works; that is
// rolled back. The threads of an applier that is told to end so do not all heed it at once.
asio::awaitable<Status> ServerOps::abort_applier(Budget budget) {
  MYSOS_CO_TRY(const Rows list, co_await sql("SHOW PROCESSLIST", budget));
  std::set<std::uint64_t> threads;  // the coordinator's is the lowest: it gives its workers no more then
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (is_applier(list, i)) threads.insert(std::strtoull(list.text(i, "Id").c_str(), nullptr, 10));
  }
  for (const std::uint64_t id : threads) {
    const auto killed = co_await sql(fmt::format("KILL {}", id), budget);
    if (!killed && steps_.last_errno() != kNoSuchThread) co_return std::unexpected(killed.error());
  }
  co_await sleep_for(kAborts);
  co_return Status{};
}

// It has come, cannot come, or does not come in time.
asio::awaitable<Status> ServerOps::await_received(GtidSet set, Budget budget) {
  const Instant until = std::min(budget.until, steady_now() + kAwaitReceived);
  for (;;) {
    MYSOS_CO_TRY(const ServerSnapshot seen, co_await look_parsed(budget));
    if (seen.received.contains(set) || !seen.receiver_connected || steady_now() >= until) co_return Status{};
    co_await sleep_for(kPoll);
  }
}

// Until the receiver is stopped and all that was received is executed; then, if asked for, until the applier is stopped too.
// MariaDB with both threads stopped has nothing to drain: it will not read that relay log again, whatever is done. Returns the
// look that showed it.
asio::awaitable<Result<std::vector<Rows>>> ServerOps::drain(bool stop_too, Budget budget) {
  for (bool started = false;;) {
    MYSOS_CO_TRY(auto answers, co_await look(budget));
    MYSOS_CO_TRY(const ServerSnapshot seen, flavour_.parse_snapshot(answers));
    const bool drained = seen.receiver_host.empty() || seen.executed.contains(seen.received);
    const bool given_up = !seen.applier_running && !flavour_.relay_log_survives();
    const bool done = !seen.receiver_running && (drained || given_up);
    if (done && !(stop_too && seen.applier_running)) co_return answers;
    if (budget.spent()) co_return fail(Errc::kTimeout, "what was received is not executed in time");
    if (seen.receiver_running) {
      MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.stop_receiver(), budget));
    } else if (done) {
      MYSOS_CO_TRY_VOID(co_await stop_applier(seen, budget));
    } else if (seen.applier_running) {
      const double left = static_cast<double>(to_ms(budget.left())) / 1000;
      const std::string wait = flavour_.wait_executed(seen.received, std::clamp(left / 2, kDrainLeast, kDrainSlice));
      MYSOS_CO_TRY([[maybe_unused]] const Rows waited, co_await sql(wait, budget));
    } else if (started) {
      co_return fail(Errc::kConflict, "the applier stopped before all was applied: " + seen.last_error);
    } else {
      MYSOS_CO_TRY_VOID(co_await replicate(flavour_.start_applier(), budget));
      started = true;
    }
  }
}

// The applier may stop by itself at any moment, so a plan that was made while it ran can come to a server with both threads
// stopped.
Status ServerOps::keeps_relay_log(const ServerSnapshot& seen, bool may_go) const {
  const bool goes = !flavour_.relay_log_survives() && !seen.receiver_running && !seen.applier_running;
  if (may_go || !goes || seen.receiver_host.empty() || seen.executed.contains(seen.received)) return {};
  return fail(Errc::kConflict, "both replication threads have stopped: the server would throw away what it has received and "
                               "not executed: " + seen.received.minus(seen.executed).to_string());
}

asio::awaitable<Status> ServerOps::start_replication(step::StartReplication how, Budget budget) {
  if (!flavour_.relay_log_survives() && !how.relay_log_may_go) {
    MYSOS_CO_TRY(const ServerSnapshot seen, co_await look_parsed(budget));
    MYSOS_CO_TRY_VOID(keeps_relay_log(seen, false));
  }
  for (std::string& text : flavour_.start_replication()) MYSOS_CO_TRY_VOID(co_await replicate(std::move(text), budget));
  co_return Status{};
}

// One that points there already need only be started: it was prepared (order::Fence), or it followed that source before. Its
// applier goes on meanwhile, whatever it executes; to say it all again would cost the server several writes to its disk.
asio::awaitable<Status> ServerOps::set_source(step::SetSource to, Budget budget) {
  const SourceSpec source{.host = to.host,
                          .port = to.port,
                          .user = replication_account(config_.member),
                          .password = replication_password(config_.secrets, config_.member)};
  const auto there = [&](const ServerSnapshot& seen) {
    return seen.receiver_host == to.host && seen.receiver_port == to.port;
  };
  MYSOS_CO_TRY_VOID(co_await stop_receiver(budget));
  MYSOS_CO_TRY(auto answers, co_await look(budget));
  MYSOS_CO_TRY(ServerSnapshot seen, flavour_.parse_snapshot(answers));
  if (flavour_.relay_log_survives() && there(seen)) co_return Status{};
  // A commit of the applier shows for a moment in one of the positions and not yet in the other.
  for (int looks = 1; there(seen) && seen.applier_running; ++looks) {
    if (flavour_.align_position(answers).empty()) co_return Status{};
    if (looks == kAlignLooks || budget.spent()) break;
    co_await sleep_for(kPoll);
    MYSOS_CO_TRY(answers, co_await look(budget));
    MYSOS_CO_TRY(seen, flavour_.parse_snapshot(answers));
  }
  if (std::string only = flavour_.change_source_only(source, answers); !only.empty()) {
    co_return co_await replicate(std::move(only), budget);
  }
  MYSOS_CO_TRY(answers, co_await drain(true, budget));
  MYSOS_CO_TRY(seen, flavour_.parse_snapshot(answers));
  MYSOS_CO_TRY_VOID(keeps_relay_log(seen, to.relay_log_may_go));
  const std::string align = flavour_.align_position(answers);
  if (!align.empty()) {
    MYSOS_CO_TRY([[maybe_unused]] const Rows aligned, co_await sql(align, budget));
  }
  if (align.empty() && there(seen)) co_return Status{};
  co_return co_await replicate(flavour_.change_source(source), budget);
}

// A server that died while it forgot its source, or changed it, has deleted the relay log and still says that it has one.
// All in it was executed by then (drain), so what is left is forgotten too; whoever wanted this begins again.
asio::awaitable<Status> ServerOps::replicate(std::string text, Budget budget) {
  auto done = co_await sql(std::move(text), budget);
  if (done) co_return Status{};
  if (!flavour_.has_no_relay_log(steps_.last_errno())) co_return std::unexpected(std::move(done).error());
  MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.forget_source(), budget));
  co_return fail(Errc::kConflict, "the relay log is gone, so the source is forgotten: " + done.error().message);
}

asio::awaitable<Status> ServerOps::forget_source(Budget budget) {
  MYSOS_CO_TRY(const auto answers, co_await drain(true, budget));
  MYSOS_CO_TRY(const ServerSnapshot seen, flavour_.parse_snapshot(answers));
  if (seen.receiver_host.empty()) co_return Status{};
  MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.forget_source(), budget));
  co_return Status{};
}

asio::awaitable<Status> ServerOps::start_applier(Budget budget) {
  MYSOS_CO_TRY(const ServerSnapshot seen, co_await look_parsed(budget));
  if (seen.applier_running) co_return Status{};
  if (!seen.receiver_running && !flavour_.relay_log_survives()) {
    co_return fail(Errc::kConflict, "the receiver does not run: the server would throw its relay log away");
  }
  co_return co_await replicate(flavour_.start_applier(), budget);
}

asio::awaitable<Status> ServerOps::abandon_relay_log(Budget budget) {
  MYSOS_CO_TRY(const ServerSnapshot seen, co_await look_parsed(budget));
  if (seen.receiver_host.empty()) co_return Status{};
  if (seen.receiver_running || seen.applier_running) co_return fail(Errc::kConflict, "replication runs");
  MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.forget_source(), budget));
  co_return Status{};
}

}  // namespace mysos::mysql
