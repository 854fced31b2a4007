// SPDX-License-Identifier: Apache-2.0
#include "mysql/server_ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "mysql/client_sessions.h"
#include "mysql/server_ops_impl.h"

namespace mysos::mysql {
namespace {

constexpr Duration kBinlogLook = std::chrono::milliseconds(200);
constexpr Duration kBinlogLookEvery = std::chrono::seconds(5);
constexpr Duration kPoll = std::chrono::milliseconds(2);
constexpr unsigned kNoSuchThread = 1094;
constexpr std::size_t kMaxKillBatch = 200;

SessionTarget lane(SessionTarget target) {
  target.write_binlog = false;
  target.multi_statements = true;
  return target;
}

// A status of semi-sync by the end of its name, which both flavours have in common.
std::uint64_t semi_sync_status(const std::vector<Rows>& snapshot, std::string_view end) {
  for (const Rows& answer : snapshot) {
    for (std::size_t i = 0; i < answer.size(); ++i) {
      if (!answer.text(i, std::size_t{0}).ends_with(end)) continue;
      return std::strtoull(answer.text(i, std::size_t{1}).c_str(), nullptr, 10);
    }
  }
  return 0;
}
bool runs_events(const std::vector<Rows>& snapshot) {
  return std::ranges::any_of(snapshot, [](const Rows& answer) { return answer.text(0, "events") == "ON"; });
}
bool is_one_of(const Rows& list, std::size_t row, const std::set<std::string>& names) {
  return names.contains(list.text(row, "User"));
}

}  // namespace

asio::awaitable<Status> ensure_connected(Session& session, Duration at_most) {
  if (session.connected()) co_return Status{};
  co_return co_await session.connect(std::min(at_most, kConnectTimeout));
}

bool is_any_client(const Rows& list, std::size_t row, const std::set<std::string>&) { return is_client(list, row); }

bool is_client_named(const Rows& list, std::size_t row, const std::set<std::string>& names) {
  return is_client(list, row) && names.contains(list.text(row, "User"));
}

ServerOps::ServerOps(const asio::any_io_executor& executor, ServerOpsConfig config)
    : config_(std::move(config)),
      flavour_(flavour(config_.flavour)),
      steps_(executor, lane(config_.admin)),
      reads_(executor, lane(config_.admin)),
      guards_(executor, lane(config_.admin)),
      guard_(flavour_, config_.secrets),
      engines_(flavour_) {}

void ServerOps::close() {
  steps_.close();
  reads_.close();
  guards_.close();
}

asio::awaitable<Result<Rows>> ServerOps::sql(std::string text, Budget budget) {
  MYSOS_CO_TRY_VOID(co_await ensure_connected(steps_, budget.left()));
  co_return co_await steps_.query(std::move(text), budget.left());
}

asio::awaitable<Result<std::vector<Rows>>> ServerOps::look(Budget budget) {
  MYSOS_CO_TRY_VOID(co_await ensure_connected(steps_, budget.left()));
  co_return co_await steps_.query_all(flavour_.snapshot_sql(), budget.left());
}

asio::awaitable<Result<ServerSnapshot>> ServerOps::look_parsed(Budget budget) {
  MYSOS_CO_TRY(const auto answers, co_await look(budget));
  co_return flavour_.parse_snapshot(answers);
}

asio::awaitable<Result<ServerSnapshot>> ServerOps::read(Duration at_most) {
  const Budget budget{steady_now() + at_most};
  MYSOS_CO_TRY_VOID(co_await ensure_connected(reads_, budget.left()));
  MYSOS_CO_TRY(const auto answers, co_await reads_.query_all(flavour_.snapshot_sql(), budget.left()));
  MYSOS_CO_TRY(ServerSnapshot out, flavour_.parse_snapshot(answers));
  commits_waited_ = static_cast<std::uint32_t>(semi_sync_status(answers, "_wait_sessions"));
  commits_acknowledged_ = semi_sync_status(answers, "_yes_tx");
  events_on_ = runs_events(answers);
  if (!flavour_.oldest_binlog_sql().empty()) {
    if (!binlog_complete_) co_await look_at_binlogs();
    out.binlog_complete = binlog_complete_.value_or(false);
  }
  co_return out;
}

// On a session of its own: it may hang for as long as a commit waits for an acker.
asio::awaitable<void> ServerOps::look_at_binlogs() {
  if (binlogs_looked_at_ != Instant{} && steady_now() - binlogs_looked_at_ < kBinlogLookEvery) co_return;
  binlogs_looked_at_ = steady_now();
  Session session(co_await asio::this_coro::executor, lane(config_.admin));
  if (!co_await session.connect(kBinlogLook)) co_return;
  const auto oldest = co_await session.query(flavour_.oldest_binlog_sql(), kBinlogLook);
  if (oldest && !oldest->empty()) binlog_complete_ = oldest->text(0, "Log_name").ends_with(".000001");
}

asio::awaitable<Result<std::string>> ServerOps::version(Duration at_most) {
  const Budget budget{steady_now() + at_most};
  MYSOS_CO_TRY_VOID(co_await ensure_connected(reads_, budget.left()));
  MYSOS_CO_TRY(const Rows rows, co_await reads_.query("SELECT VERSION()", budget.left()));
  co_return rows.text(0, std::size_t{0});
}

asio::awaitable<Result<std::string>> ServerOps::server_id(Duration at_most) {
  const Budget budget{steady_now() + at_most};
  MYSOS_CO_TRY_VOID(co_await ensure_connected(reads_, budget.left()));
  MYSOS_CO_TRY(const Rows rows, co_await reads_.query("SELECT @@GLOBAL.server_id", budget.left()));
  co_return rows.text(0, std::size_t{0});
}

asio::awaitable<Status> ServerOps::run(ServerStep step, Duration at_most) {
  const std::string what = describe(step);
  auto done = co_await dispatch(std::move(step), Budget{steady_now() + at_most});
  if (!done) co_return std::unexpected(std::move(done).error().with_context(what));
  co_return Status{};
}

asio::awaitable<Status> ServerOps::dispatch(ServerStep step, Budget budget) {
  using namespace mysos::step;
  if (std::holds_alternative<KillClients>(step)) co_return co_await kill_clients(budget);
  if (const auto* s = std::get_if<SetReadOnly>(&step)) co_return co_await set_read_only(s->on, budget);
  if (const auto* s = std::get_if<SemiSyncSource>(&step)) {
    if (s->d > flavour_.max_d()) {
      co_return fail(Errc::kInvalid, fmt::format("{} waits for {} replica at most", flavour_.name(), flavour_.max_d()));
    }
    MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.semi_sync_source(s->d), budget));
    co_return Status{};
  }
  if (const auto* s = std::get_if<SemiSyncReplica>(&step)) {
    MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.semi_sync_replica(s->on), budget));
    co_return Status{};
  }
  if (std::holds_alternative<SyncRelayLog>(step) || std::holds_alternative<KeepRelayLog>(step)) {
    co_return fail(Errc::kInvalid, "no statement does that: " + describe(step));
  }
  if (std::holds_alternative<StartApplier>(step)) co_return co_await start_applier(budget);
  if (std::holds_alternative<AbandonRelayLog>(step)) co_return co_await abandon_relay_log(budget);
  if (std::holds_alternative<StopReceiver>(step)) co_return co_await stop_receiver(budget);
  if (std::holds_alternative<StopReplication>(step)) co_return co_await stop_replication(budget);
  if (const auto* s = std::get_if<StartReplication>(&step)) co_return co_await start_replication(*s, budget);
  if (std::holds_alternative<ForgetSource>(step)) co_return co_await forget_source(budget);
  if (const auto* s = std::get_if<ShutOut>(&step)) co_return co_await shut_out(*s, budget);
  if (const auto* s = std::get_if<SetSource>(&step)) co_return co_await set_source(*s, budget);
  if (const auto* s = std::get_if<AwaitReceived>(&step)) co_return co_await await_received(s->set, budget);
  if (std::holds_alternative<Drain>(step)) {
    MYSOS_CO_TRY([[maybe_unused]] const auto rest, co_await drain(false, budget));
    co_return Status{};
  }
  if (const auto* s = std::get_if<RequireExecuted>(&step)) co_return co_await require(s->set, true, budget);
  co_return co_await require(std::get<RequireContainedIn>(step).set, false, budget);
}

// Lists and kills until a list shows nobody to kill.
asio::awaitable<Status> ServerOps::kill_sessions(bool (*wanted)(const Rows&, std::size_t, const std::set<std::string>&),
                                                 std::set<std::string> names, Budget budget) {
  for (bool first = true;; first = false) {
    MYSOS_CO_TRY(const Rows list, co_await sql("SHOW PROCESSLIST", budget));
    std::string kills;
    std::size_t n = 0;
    for (std::size_t i = 0; i < list.size() && n < kMaxKillBatch; ++i) {
      if (!wanted(list, i, names)) continue;
      kills += fmt::format("{}KILL {}", kills.empty() ? "" : "; ", list.text(i, "Id"));
      ++n;
    }
    if (n == 0) co_return Status{};
    if (budget.spent()) co_return fail(Errc::kTimeout, fmt::format("{} sessions are still there", n));
    if (!first) co_await sleep_for(kPoll);
    const auto killed = co_await steps_.query_all(std::move(kills), budget.left());
    if (!killed && steps_.last_errno() != kNoSuchThread) co_return std::unexpected(killed.error());
  }
}

// Where a kill could make the server acknowledge what no acker has, commits are held meanwhile. They cannot be while one
// waits for an acker: then this ends by its deadline, with nobody killed, and only the end of the server is safe.
asio::awaitable<Status> ServerOps::kill_held(bool (*wanted)(const Rows&, std::size_t, const std::set<std::string>&),
                                             std::set<std::string> names, Budget budget) {
  const std::string hold = flavour_.hold_commits();
  if (hold.empty()) co_return co_await kill_sessions(wanted, std::move(names), budget);
  MYSOS_CO_TRY_VOID(co_await ensure_connected(steps_, budget.left()));
  MYSOS_CO_TRY([[maybe_unused]] const auto held, co_await steps_.query_all(hold, budget.left()));
  auto killed = co_await kill_sessions(wanted, std::move(names), budget);
  if (steps_.connected()) {  // otherwise the server lets go of them by itself
    MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await steps_.query(flavour_.release_commits(), budget.left()));
  }
  co_return killed;
}

// The event scheduler makes sessions as clients do, so it stops first; an event that runs is killed like a client.
asio::awaitable<Status> ServerOps::kill_clients(Budget budget) {
  MYSOS_CO_TRY([[maybe_unused]] const Rows none, co_await sql("SET GLOBAL event_scheduler=OFF", budget));
  co_return co_await kill_held(is_any_client, {}, budget);
}

// It waits for commits under way, and those may wait for an acker that never comes: the deadline is the caller's way out.
asio::awaitable<Status> ServerOps::set_read_only(bool on, Budget budget) {
  MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await sql(flavour_.set_read_only(on), budget));
  co_return Status{};
}

// Where super_read_only stops us too it is lifted for the moment; read_only stays, and so clients stay out.
asio::awaitable<Status> ServerOps::shut_out(step::ShutOut who, Budget budget) {
  MYSOS_CO_TRY(const Rows listed, co_await sql(flavour_.list_accounts(std::string(kOurPrefix) + "r%"), budget));
  std::vector<AccountState> known;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (listed.text(i, "host") != "%") continue;
    known.push_back({.name = listed.text(i, "name"),
                     .locked = listed.text(i, "locked") == "Y",
                     .verifier = listed.text(i, "verifier")});
  }
  // Its own account is there too, locked: a client of MySQL could otherwise make one of that name, and the replicas, where it
  // is, could not.
  std::set<MemberId> shut_out = who.shut_out;
  shut_out.insert(config_.member);
  const auto wanted = shut_out_sql(flavour_, config_.secrets, known, who.replicas, shut_out);
  if (!wanted.empty()) {
    std::string all;
    for (const std::string& s : wanted) all += (all.empty() ? "" : "; ") + s;
    if (flavour_.super_read_only()) {
      MYSOS_CO_TRY(const Rows now, co_await sql("SELECT @@GLOBAL.super_read_only", budget));
      if (now.text(0, std::size_t{0}) == "1") {
        all = "SET GLOBAL super_read_only=OFF; " + all + "; SET GLOBAL super_read_only=ON";
      }
    }
    const auto made = co_await steps_.query_all(std::move(all), budget.left());
    if (!made) co_return std::unexpected(made.error());
  }
  std::set<std::string> locked;
  for (const MemberId& member : who.shut_out) locked.insert(replication_account(member));
  shut_out_ = std::move(who);
  if (locked.empty()) co_return Status{};
  co_return co_await kill_sessions(is_one_of, std::move(locked), budget);
}

asio::awaitable<Status> ServerOps::require(GtidSet set, bool executed, Budget budget) {
  MYSOS_CO_TRY(const ServerSnapshot seen, co_await look_parsed(budget));
  if (executed) {
    const GtidSet missing = set.minus(seen.executed);
    if (missing.empty()) co_return Status{};
    co_return fail(Errc::kConflict, "it has not executed " + missing.to_string());
  }
  if (seen.receiver_running) co_return fail(Errc::kConflict, "the receiver runs");
  const GtidSet extra = seen.received.united(seen.executed).minus(set);
  if (extra.empty()) co_return Status{};
  co_return fail(Errc::kConflict, "it holds transactions that the source lacks: " + extra.to_string());
}

// On a session of its own: a step may hang on what the clones hold. A donor waits minutes for a recipient whose connection
// has ended, which KILL does, and would go on: not while this lasts.
asio::awaitable<Status> ServerOps::end_clones(Duration at_most) {
  const Budget budget{steady_now() + at_most};
  Session session(co_await asio::this_coro::executor, config_.admin);
  MYSOS_CO_TRY_VOID(co_await session.connect(std::min(budget.left(), kConnectTimeout)));
  const std::string patience = "SET GLOBAL clone_donor_timeout_after_network_failure=";
  MYSOS_CO_TRY([[maybe_unused]] const Rows none, co_await session.query(patience + "0", budget.left()));
  std::size_t left = 1;
  while (left > 0 && !budget.spent()) {
    MYSOS_CO_TRY(const Rows list, co_await session.query("SHOW PROCESSLIST", budget.left()));
    left = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list.text(i, "User") != kBackupAccount) continue;
      ++left;
      const auto killed = co_await session.query("KILL " + list.text(i, "Id"), budget.left());
      if (!killed && session.last_errno() != kNoSuchThread) co_return std::unexpected(killed.error());
    }
    if (left > 0) co_await sleep_for(kPoll);
  }
  MYSOS_CO_TRY([[maybe_unused]] const Rows again, co_await session.query(patience + "DEFAULT", kConnectTimeout));
  if (left == 0) co_return Status{};
  co_return fail(Errc::kTimeout, "some are still there");
}

}  // namespace mysos::mysql
