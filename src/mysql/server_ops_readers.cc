// SPDX-License-Identifier: Apache-2.0
// The parts of ServerOps that end users' sessions on a replica. On a session of their own: a step may hang on what those hold.
#include <fmt/format.h>

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

std::string were_ended(const std::vector<ClientSession>& sessions, const std::string& why) {
  return named(sessions) + (sessions.size() == 1 ? " was ended: " : " were ended: ") + why;
}

}  // namespace

asio::awaitable<Result<std::string>> ServerOps::end_readers(Duration watched, Duration at_most) {
  const Instant until = steady_now() + at_most;
  Session session(co_await asio::this_coro::executor, own_session(config_.admin));
  MYSOS_CO_TRY_VOID(co_await session.connect(at_most));
  MYSOS_CO_TRY(Connected seen, co_await look_around(session, until - steady_now()));
  if (in_the_way(seen, 1).empty() && in_the_way(seen, kRounds).empty()) co_return std::string();
  co_await sleep_for(watched);
  std::vector<ClientSession> ended;
  std::string waited_for;
  for (int round = 1; round <= kRounds && steady_now() < until; ++round) {
    MYSOS_CO_TRY(seen, co_await look_around(session, until - steady_now()));
    if (seen.applier_waits_for.empty()) break;
    waited_for = seen.applier_waits_for;
    const std::vector<ClientSession> those = in_the_way(seen, round);
    if (those.empty()) continue;
    MYSOS_CO_TRY_VOID(co_await end_all(session, those, until));
    ended.insert(ended.end(), those.begin(), those.end());
    co_await sleep_for(kBetweenRounds);
  }
  if (ended.empty()) co_return std::string();
  co_return were_ended(ended, "the applier waited for " + waited_for);
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
