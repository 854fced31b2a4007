// SPDX-License-Identifier: Apache-2.0
// The parts of ServerOps that end users' sessions on a replica. On a session of their own: a step may hang on what those hold.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "mysql/client_sessions.h"
#include "mysql/server_ops_impl.h"

namespace mysos::mysql {
namespace {

constexpr Duration kBetweenRounds = std::chrono::milliseconds(100);
constexpr unsigned kNoSuchThread = 1094;
constexpr std::size_t kMostAtOnce = 200;

SessionTarget own_session(SessionTarget target) {
  target.write_binlog = false;
  target.multi_statements = true;
  return target;
}

// Nobody, where the server has been opened for writes meanwhile: commits may wait for an acker there.
asio::awaitable<Result<Connected>> look_around(Session& session, Duration at_most) {
  MYSOS_CO_TRY(const auto answers, co_await session.query_all(sessions_sql() + "; SELECT @@GLOBAL.read_only", at_most));
  if (answers.size() != 3) co_return fail(Errc::kInternal, "a look at the sessions has three answers");
  if (answers[2].text(0, std::size_t{0}) == "0") co_return Connected{};
  co_return connected(answers[0], answers[1]);
}

// One that has gone by itself meanwhile is as good as ended.
asio::awaitable<Status> end_all(Session& session, const std::vector<ClientSession>& sessions, Instant until) {
  for (std::size_t i = 0; i < std::min(sessions.size(), kMostAtOnce); ++i) {
    const auto ended = co_await session.query(fmt::format("KILL {}", sessions[i].id), until - steady_now());
    if (!ended && session.last_errno() != kNoSuchThread) co_return std::unexpected(ended.error());
  }
  co_return Status{};
}

// What was executed, and what is prepared.
std::string prepared_sql(const Flavour& flavour) { return flavour.executed_sql() + "; " + flavour.list_prepared(); }

// The server rolls back none that has a session. One that is gone by now is as good as rolled back, and not counted.
asio::awaitable<std::set<Xid>> roll_back(Session& session, std::set<Xid> xids, Instant until) {
  std::set<Xid> done;
  for (const Xid& xid : xids) {
    if (done.size() == kMostAtOnce || steady_now() >= until) break;
    if (co_await session.query("XA ROLLBACK " + xid.sql(), until - steady_now())) done.insert(xid);
  }
  co_return done;
}

std::string were_ended(const std::vector<ClientSession>& sessions, const std::string& why) {
  return named(sessions) + (sessions.size() == 1 ? " was ended: " : " were ended: ") + why;
}

}  // namespace

// What is prepared on the server, and what it had executed then.
struct ServerOps::Prepared {
  std::string executed;
  std::set<Xid> xids;
};

// Of the XA transactions that were prepared at `before` already, those that a user prepared here; none where that is not
// certain. A replicated one has changed rows: each transaction of that kind is found in the binlogs, or nothing is certain.
// Nothing was executed since `before`, so none of them was just about to be written there.
asio::awaitable<Result<std::set<Xid>>> ServerOps::users_prepared(Session& session, const Prepared& before, Budget budget) {
  std::set<Xid> none;
  if (!flavour_.keeps_idle_prepared() || before.xids.empty()) co_return none;
  MYSOS_CO_TRY(const auto answers, co_await session.query_all(prepared_sql(flavour_) + "; " + sessions_sql(), budget.left()));
  if (answers.size() != 4) co_return fail(Errc::kInternal, "a look at prepared transactions has four answers");
  std::set<Xid> out;
  std::ranges::set_intersection(before.xids, prepared_xids(answers[1]), std::inserter(out, out.end()));
  const std::size_t replicated = connected(answers[2], answers[3]).writers_without_session;
  if (answers[0].text(0, std::size_t{0}) != before.executed) co_return none;
  if (replicated == 0) co_return out;
  if (out.size() <= replicated) co_return none;  // all of them are
  if (!config_.prepared_in_binlogs) co_return none;
  MYSOS_CO_TRY(const std::set<Xid> known, co_await config_.prepared_in_binlogs(replicated));
  for (const Xid& xid : known) out.erase(xid);
  co_return out;
}

asio::awaitable<Result<ApplierLook>> ServerOps::end_readers(Duration watched, Duration at_most) {
  const Budget budget{steady_now() + at_most};
  Session session(co_await asio::this_coro::executor, own_session(config_.admin));
  MYSOS_CO_TRY_VOID(co_await session.connect(at_most));
  MYSOS_CO_TRY(Connected seen, co_await look_around(session, budget.left()));
  if (seen.applier_waits_for.empty()) {
    waits_at_.reset();
    co_return ApplierLook{.ended = {}, .does = seen.applier_does, .waits_for = {}};
  }
  MYSOS_CO_TRY(const auto told, co_await session.query_all(prepared_sql(flavour_), budget.left()));
  const Prepared before{told[0].text(0, std::size_t{0}), prepared_xids(told[1])};
  std::set<Xid> left = before.xids;
  if (std::exchange(waits_at_, before.executed) != std::optional(before.executed)) waits_since_ = steady_now();
  const Duration waited = steady_now() - waits_since_;
  co_await sleep_for(watched);
  std::vector<ClientSession> ended;
  std::set<Xid> rolled_back;
  std::string waited_for = seen.applier_waits_for, unknown;
  for (int round = 1; round <= kRounds && !budget.spent(); ++round) {
    if (round == 1) {
      const auto users = co_await users_prepared(session, before, budget);
      if (!users) unknown = users.error().message;
      rolled_back = co_await roll_back(session, users.value_or(std::set<Xid>{}), budget.until);
      for (const Xid& xid : rolled_back) left.erase(xid);
      if (!rolled_back.empty()) co_await sleep_for(kBetweenRounds);
    }
    MYSOS_CO_TRY(seen, co_await look_around(session, budget.left()));
    if (seen.applier_waits_for.empty()) break;
    seen.prepared = flavour_.keeps_idle_prepared() ? !left.empty() : seen.writers_without_session > 0;
    waited_for = seen.applier_waits_for;
    const std::vector<ClientSession> those = in_the_way(seen, round, waited);
    if (those.empty()) continue;
    MYSOS_CO_TRY_VOID(co_await end_all(session, those, budget.until));
    ended.insert(ended.end(), those.begin(), those.end());
    co_await sleep_for(kBetweenRounds);
  }
  ApplierLook out{.ended = {}, .does = seen.applier_does, .waits_for = {}};
  if (!ended.empty()) out.ended = were_ended(ended, "the applier waited for " + waited_for);
  if (!rolled_back.empty()) {
    out.ended += fmt::format("{}prepared XA transaction(s) {} of users of this replica were rolled back: "
                             "the applier waited for {}", out.ended.empty() ? "" : "; ", shown(rolled_back), waited_for);
  }
  if (!out.ended.empty() || seen.copied || seen.applier_waits_for.empty()) co_return out;
  out.waits_for = seen.applier_waits_for + " that no session holds";
  if (seen.prepared) out.waits_for += "; prepared XA transactions there: " + shown(left);
  if (!unknown.empty()) out.waits_for += " (which of them users of this replica made is not known: " + unknown + ")";
  co_return out;
}

asio::awaitable<Result<std::string>> ServerOps::end_idle_readers(Duration limit, Duration at_most) {
  const Instant until = steady_now() + at_most;
  Session session(co_await asio::this_coro::executor, own_session(config_.admin));
  MYSOS_CO_TRY_VOID(co_await session.connect(at_most));
  MYSOS_CO_TRY(const Connected seen, co_await look_around(session, until - steady_now()));
  const std::vector<ClientSession> those = idle_for(seen, limit);
  if (those.empty()) co_return std::string();
  MYSOS_CO_TRY_VOID(co_await end_all(session, those, until));
  co_return were_ended(those, fmt::format("a transaction on a replica may be idle for {} s", to_ms(limit) / 1000));
}

}  // namespace mysos::mysql
