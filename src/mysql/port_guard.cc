// SPDX-License-Identifier: Apache-2.0
#include "mysql/port_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/clock.h"
#include "mysql/accounts.h"
#include "mysql/server_ops_impl.h"

namespace mysos::mysql {
namespace {

constexpr unsigned kNoSuchThread = 1094;
constexpr Duration kForOne = std::chrono::milliseconds(20);  // what one KILL may take
constexpr std::string_view kNotLoggedIn = "unauthenticated user";

SessionTarget own_session(SessionTarget target) {
  target.write_binlog = false;
  target.multi_statements = true;
  return target;
}

// Of the status of semi-sync, on either flavour.
std::int64_t status_number(const Rows& status, std::string_view suffix) {
  for (std::size_t i = 0; i < status.size(); ++i) {
    if (status.text(i, "Variable_name").ends_with(suffix)) return status.number(i, "Value").value_or(0);
  }
  return 0;
}

Duration left(Instant until) { return std::max(until - steady_now(), Duration::zero()); }

}  // namespace

Strangers strangers(const Rows& list, const TcpPeers& peers) {
  Strangers out;
  std::set<std::string> users;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string user = list.text(i, "User"), host = list.text(i, "Host");
    const std::string command = list.text(i, "Command");
    if (!peers.contains(host) || is_own_session(user, host) || command == "Killed") continue;
    const auto id = static_cast<std::uint64_t>(list.number(i, "Id").value_or(0));
    if (user == kNotLoggedIn) {
      out.not_logged_in.push_back(id);
    } else {
      out.logged_in.push_back(id);
      users.insert(user);
    }
  }
  out.users.assign(users.begin(), users.end());
  return out;
}

PortGuard::PortGuard(const asio::any_io_executor& executor, const ServerOpsConfig& config)
    : flavour_(flavour(config.flavour)), session_(executor, own_session(config.admin)) {}

asio::awaitable<Result<Strangers>> PortGuard::look(TcpPeers peers, Duration at_most) {
  const Instant until = steady_now() + at_most;
  MYSOS_CO_TRY_VOID(co_await ensure_connected(session_, left(until)));
  MYSOS_CO_TRY(const Rows list, co_await session_.query("SHOW PROCESSLIST", left(until)));
  Strangers out = strangers(list, peers);
  std::map<std::uint64_t, Instant> seen;
  std::vector<std::uint64_t> slow;
  for (const std::uint64_t id : out.not_logged_in) {
    const auto known = first_seen_.find(id);
    const Instant since = seen[id] = known == first_seen_.end() ? steady_now() : known->second;
    if (steady_now() - since >= kLoginTime) slow.push_back(id);
  }
  first_seen_ = std::move(seen);
  out.not_logged_in = std::move(slow);
  co_return out;
}

asio::awaitable<Status> PortGuard::end(Strangers who, Duration at_most) {
  const Instant until = steady_now() + at_most;
  MYSOS_CO_TRY_VOID(co_await ensure_connected(session_, left(until)));
  MYSOS_CO_TRY_VOID(co_await kill(who.not_logged_in, until));
  if (who.logged_in.empty()) co_return Status{};
  if (flavour_.hold_commits().empty()) co_return co_await kill(who.logged_in, until);
  co_return co_await kill_held(who.logged_in, until);
}

asio::awaitable<Status> PortGuard::kill(const std::vector<std::uint64_t>& ids, Instant until) {
  for (const std::uint64_t id : ids) {
    if (left(until) < kForOne) co_return Status{};  // the next look finds the rest
    const auto killed = co_await session_.query(fmt::format("KILL {}", id), left(until));
    if (!killed && session_.last_errno() != kNoSuchThread) co_return std::unexpected(killed.error());
  }
  co_return Status{};
}

// The server limits its wait for commits under way by itself: this connection may be abandoned before the wait has ended.
asio::awaitable<Status> PortGuard::kill_held(const std::vector<std::uint64_t>& ids, Instant until) {
  MYSOS_CO_TRY(const Rows status, co_await session_.query("SHOW GLOBAL STATUS LIKE 'Rpl\\_semi\\_sync%'", left(until)));
  if (status_number(status, "_wait_sessions") > 0 && status_number(status, "_clients") == 0) {
    co_return fail(Errc::kUnavailable, "a commit waits for an acker, and none is connected");
  }
  const std::string hold = "SET SESSION lock_wait_timeout=1; " + flavour_.hold_commits();
  const auto held = co_await session_.query_all(hold, left(until));
  Status killed;
  if (held) killed = co_await kill(ids, until);
  if (session_.connected()) {  // otherwise the server lets go of them by itself
    const auto released = co_await session_.query(flavour_.release_commits(), left(until));
    if (killed && held && !released) killed = std::unexpected(released.error());
  }
  if (!held) co_return std::unexpected(held.error());
  co_return killed;
}

}  // namespace mysos::mysql
