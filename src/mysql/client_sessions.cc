// SPDX-License-Identifier: Apache-2.0
#include "mysql/client_sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "mysql/accounts.h"

namespace mysos::mysql {
namespace {

constexpr std::size_t kMostNamed = 3;

// It executes something: what others of the applier wait for may be a lock of this one.
bool is_at_work(const std::string& state) {
  return !state.starts_with("Waiting for ") && state.find("has read all relay log") == std::string::npos &&
         state != "Reading event from the relay log" && !state.empty();
}

// "Waiting for table metadata lock" and its kin; not "Waiting for prior transaction to commit", "... for work from SQL thread".
std::optional<std::string> lock_in(const std::string& state) {
  constexpr std::string_view kWaiting = "Waiting for ";
  if (!state.starts_with(kWaiting)) return std::nullopt;
  const std::string what = state.substr(kWaiting.size());
  const bool lock = what.ends_with(" lock") || what == "table flush";
  return lock ? std::optional("a " + what) : std::nullopt;
}

// mariadb-backup and CLONE hold it for a moment, and that is no user's doing.
bool is_of_backups(const std::string& lock) {
  return lock == "a backup lock" || lock == "a global read lock" || lock == "a commit lock";
}

constexpr std::string_view kRowLock = "a row lock";
constexpr Duration kClockGrain = std::chrono::seconds(2);  // of the age of a transaction, twice

struct Transaction {
  bool waits = false;
  bool locks = false;
  std::int64_t seconds = 0;
};

}  // namespace

std::string sessions_sql() {
  return "SHOW PROCESSLIST; "
         "SELECT trx_mysql_thread_id AS id, trx_state='LOCK WAIT' AS waits, trx_rows_locked > 0 AS locks, "
         "trx_rows_modified > 0 AS changes, TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS seconds "
         "FROM information_schema.innodb_trx";
}

// MySQL's receiver has a host, MariaDB's a command of its own.
bool is_applier(const Rows& list, std::size_t row) {
  return list.text(row, "User") == "system user" && list.text(row, "Host").empty() &&
         list.text(row, "Command") != "Slave_IO" && list.text(row, "Command") != "Daemon";
}

bool is_client(const Rows& list, std::size_t row) {
  const std::string user = list.text(row, "User");
  return user != "system user" && user != "event_scheduler" && !is_own_session(user, list.text(row, "Host")) &&
         list.text(row, "Command") != "Daemon" && list.text(row, "Command") != "Killed";
}

Connected connected(const Rows& list, const Rows& transactions) {
  Connected out;
  std::map<std::string, Transaction> open;
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    if (transactions.text(i, "id") == "0" && transactions.text(i, "changes") == "1") ++out.writers_without_session;
    open[transactions.text(i, "id")] = {.waits = transactions.text(i, "waits") == "1",
                                        .locks = transactions.text(i, "locks") == "1",
                                        .seconds = transactions.number(i, "seconds").value_or(0)};
  }
  bool works = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string id = list.text(i, "Id");
    const auto transaction = open.find(id);
    const auto lock = lock_in(list.text(i, "State"));
    const bool row_lock = transaction != open.end() && transaction->second.waits;
    const bool step = list.text(i, "User") == kAdminAccount;
    if (step && lock) out.applier_waits_for = *lock;
    if (is_applier(list, i)) {
      const std::string state = list.text(i, "State");
      const bool at_work = !lock && !row_lock && is_at_work(state);
      if (lock || row_lock) out.applier_waits_for = lock.value_or(std::string(kRowLock));
      if (lock || row_lock || (at_work && out.applier_waits_for.empty())) out.applier_does = state;
      works = works || at_work;
    }
    out.copied = out.copied || list.text(i, "User") == kBackupAccount;
    if (!is_client(list, i)) continue;
    ClientSession session;
    session.id = std::strtoull(id.c_str(), nullptr, 10);
    session.who = list.text(i, "User") + "@" + list.text(i, "Host");
    session.idle = list.text(i, "Command") == "Sleep";
    session.idle_seconds = session.idle ? list.number(i, "Time").value_or(0) : 0;
    session.waits = lock || row_lock;
    if (transaction != open.end()) session.open_seconds = transaction->second.seconds;
    session.locks_rows = transaction != open.end() && transaction->second.locks;
    out.clients.push_back(std::move(session));
  }
  if (works || (out.copied && is_of_backups(out.applier_waits_for))) out.applier_waits_for.clear();
  return out;
}

std::vector<ClientSession> in_the_way(const Connected& seen, int round, Duration waited) {
  std::vector<ClientSession> out;
  if (seen.applier_waits_for.empty() || ((seen.copied || seen.prepared) && round > 1)) return out;
  const bool rows = seen.applier_waits_for == kRowLock;
  for (const ClientSession& s : seen.clients) {
    if (rows && !s.locks_rows) continue;
    const bool younger = std::chrono::seconds(s.open_seconds) + kClockGrain < waited;
    const bool likely = round == 1 ? s.open_seconds >= 0 && !s.waits && !younger : round == 2 ? !s.waits : true;
    if (likely) out.push_back(s);
  }
  return out;
}

std::vector<ClientSession> idle_for(const Connected& seen, Duration limit) {
  std::vector<ClientSession> out;
  for (const ClientSession& s : seen.clients) {
    const bool open = s.open_seconds >= 0 && s.idle;
    if (open && std::chrono::seconds(s.idle_seconds) >= limit) out.push_back(s);
  }
  return out;
}

std::string named(const std::vector<ClientSession>& sessions) {
  std::string out;
  for (std::size_t i = 0; i < std::min(sessions.size(), kMostNamed); ++i) {
    const ClientSession& s = sessions[i];
    out += (i == 0 ? "" : ", ") + s.who;
    if (s.open_seconds >= 0) out += fmt::format(" ({} s in a transaction)", s.open_seconds);
  }
  if (sessions.size() > kMostNamed) out += fmt::format(" and {} more", sessions.size() - kMostNamed);
  return out;
}

}  // namespace mysos::mysql
