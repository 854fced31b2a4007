// SPDX-License-Identifier: Apache-2.0
#include "mysql/server_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace mysos::mysql {
namespace {

constexpr Logger kLog{"events"};
constexpr Duration kConnectTimeout = std::chrono::seconds(2);
constexpr unsigned kNoSuchTable = 1146;
constexpr std::size_t kNamesPerStatement = 200;

Duration left(Instant until) { return std::max(until - steady_now(), Duration::zero()); }

SessionTarget without_binlog(SessionTarget target) {
  target.write_binlog = false;
  return target;
}

SessionTarget as_owner(SessionTarget target) {
  target.user = kOwnerAccount;
  return target;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
}

std::set<EventName> names_of(const Rows& events) {
  std::set<EventName> out;
  for (std::size_t i = 0; i < events.size(); ++i) out.emplace(events.text(i, "db"), events.text(i, "name"));
  return out;
}

// Those of `names` that are not in `known`, as "('db','name'),...", a few in each.
std::vector<std::string> lists_of_new(const std::set<EventName>& names, const std::set<EventName>& known) {
  std::vector<std::string> out;
  std::size_t n = 0;
  for (const EventName& name : names) {
    if (known.contains(name)) continue;
    if (n++ % kNamesPerStatement == 0) out.emplace_back();
    out.back() += fmt::format("{}({},{})", out.back().empty() ? "" : ",", quote(name.first), quote(name.second));
  }
  return out;
}

}  // namespace

// A server writes the client's character set into the event with each change, and reads the event's body by it. Names that
// the event's own character set may not have are sent in ours.
std::vector<std::string> settle_event_sql(const Rows& events, std::size_t row, bool enabled) {
  const std::string definer = events.text(row, "definer");
  const std::size_t at = std::min(definer.rfind('@'), definer.size());
  const std::string host = at < definer.size() ? definer.substr(at + 1) : "%";
  std::string alter = fmt::format("ALTER DEFINER={} EVENT {}.{} {}", quote_account(definer.substr(0, at), host),
                                  quote_name(events.text(row, "db")), quote_name(events.text(row, "name")),
                                  enabled ? "ENABLE" : "DISABLE");
  std::vector<std::string> out;
  const bool plain = is_ascii(alter);
  if (plain) {
    out.push_back(fmt::format("SET character_set_client={}, collation_connection={}", quote(events.text(row, "client")),
                              quote(events.text(row, "collation"))));
  }
  out.push_back(std::move(alter));
  if (plain) out.emplace_back("SET NAMES utf8mb4");
  return out;
}

std::vector<std::string> record_events_sql(const std::set<EventName>& recorded, const std::set<EventName>& disabled) {
  std::vector<std::string> out = {"START TRANSACTION"};
  for (const std::string& gone : lists_of_new(recorded, disabled)) {
    out.push_back(fmt::format("DELETE FROM {} WHERE (db, name) IN ({})", kDisabledEvents, gone));
  }
  for (const std::string& more : lists_of_new(disabled, recorded)) {
    out.push_back(fmt::format("INSERT IGNORE INTO {} (db, name) VALUES {}", kDisabledEvents, more));
  }
  out.emplace_back("COMMIT");
  return out;
}

ServerEvents::ServerEvents(const asio::any_io_executor& executor, const ServerOpsConfig& config)
    : flavour_(flavour(config.flavour)), owner_(as_owner(config.admin)), session_(executor, without_binlog(config.admin)) {}

void ServerEvents::close() { session_.close(); }

asio::awaitable<Result<Rows>> ServerEvents::sql(std::string text, Instant until) {
  if (!session_.connected()) MYSOS_CO_TRY_VOID(co_await session_.connect(std::min(left(until), kConnectTimeout)));
  co_return co_await session_.query(std::move(text), left(until));
}

asio::awaitable<Result<std::set<EventName>>> ServerEvents::read_recorded(Instant until) {
  const auto rows = co_await sql(fmt::format("SELECT db, name FROM {}", kDisabledEvents), until);
  table_is_there_ = rows.has_value();
  if (rows) co_return names_of(*rows);
  if (session_.last_errno() == kNoSuchTable) co_return std::set<EventName>{};
  co_return std::unexpected(rows.error());
}

asio::awaitable<Result<std::size_t>> ServerEvents::settle_all(Instant until) {
  MYSOS_CO_TRY(const Rows events, co_await sql(flavour_.list_events("LIKE '%SIDE\\_DISABLED'"), until));
  MYSOS_CO_TRY(const std::set<EventName> disabled, co_await read_recorded(until));
  std::string first_failure;
  std::size_t done = 0, failed = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const EventName name{events.text(i, "db"), events.text(i, "name")};
    for (std::string& statement : settle_event_sql(events, i, !disabled.contains(name))) {
      const auto altered = co_await sql(std::move(statement), until);
      if (altered) continue;
      if (!session_.connected()) co_return std::unexpected(altered.error());
      ++failed;
      if (first_failure.empty()) first_failure = name.first + "." + name.second + ": " + altered.error().message;
    }
    ++done;
  }
  if (failed == 0) co_return done;
  co_return fail(Errc::kInternal, fmt::format("{} event(s) stay disabled; {}", failed, first_failure));
}

asio::awaitable<Status> ServerEvents::start(Duration at_most) {
  const Instant until = steady_now() + at_most;
  recorded_.reset();
  settled_ = 0;
  MYSOS_CO_TRY(const Rows state, co_await sql("SELECT @@GLOBAL.read_only", until));
  if (state.text(0, std::size_t{0}) != "0") co_return fail(Errc::kConflict, "the server is read-only");
  const auto settled = co_await settle_all(until);
  // It may have become read-only since.
  MYSOS_CO_TRY([[maybe_unused]] const Rows on,
               co_await sql("SET GLOBAL event_scheduler=IF(@@GLOBAL.read_only, 'OFF', 'ON')", until));
  if (!settled) co_return std::unexpected(settled.error());
  if (*settled > 0) kLog.info("{} events that replication had disabled are as their owners left them", *settled);
  settled_ = *settled;
  co_return Status{};
}

asio::awaitable<Status> ServerEvents::stop(Duration at_most) {
  MYSOS_CO_TRY([[maybe_unused]] const Rows off, co_await sql("SET GLOBAL event_scheduler=OFF", steady_now() + at_most));
  co_return Status{};
}

asio::awaitable<Status> ServerEvents::record(Duration at_most) {
  const Instant until = steady_now() + at_most;
  if (!recorded_) {
    MYSOS_CO_TRY(recorded_, co_await read_recorded(until));
  }
  MYSOS_CO_TRY(const Rows events, co_await sql(flavour_.list_events("<> 'ENABLED'"), until));
  std::set<EventName> disabled = names_of(events);
  if (disabled == *recorded_) co_return Status{};
  co_return co_await write(std::move(disabled), until);
}

asio::awaitable<Status> ServerEvents::write(std::set<EventName> disabled, Instant until) {
  Session session(co_await asio::this_coro::executor, owner_);
  MYSOS_CO_TRY_VOID(co_await session.connect(std::min(left(until), kConnectTimeout)));
  std::vector<std::string> statements = record_events_sql(*std::exchange(recorded_, std::nullopt), disabled);
  if (!table_is_there_) {
    statements.insert(statements.begin(),
                      fmt::format("CREATE TABLE IF NOT EXISTS {} (db VARCHAR(64) NOT NULL, name VARCHAR(64) NOT NULL, "
                                  "PRIMARY KEY (db, name)) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin "
                                  "COMMENT='Mysos: events that are disabled'",
                                  kDisabledEvents));
  }
  for (std::string& statement : statements) {
    const auto done = co_await session.query(std::move(statement), left(until));
    if (!done) co_return std::unexpected(done.error());
  }
  table_is_there_ = true;
  recorded_ = std::move(disabled);
  co_return Status{};
}

}  // namespace mysos::mysql
