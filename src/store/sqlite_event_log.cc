// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_event_log.h"

#include <array>
#include <optional>

namespace mysos {
namespace {

constexpr std::array<const char*, 1> kMigrations = {R"(
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster TEXT NOT NULL,
    cluster_name TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX event_by_cluster ON event (cluster, seq);
  CREATE INDEX event_by_name ON event (cluster_name, seq) WHERE cluster <> '';
)"};

// OR IGNORE: a process that died between the two steps of a move begins again.
constexpr auto kCopyOf01 = R"(
  INSERT OR IGNORE INTO event (seq, cluster, cluster_name, time_ms, json)
    SELECT e.seq, coalesce(c.key, ''), e.cluster, e.time_ms, e.json
    FROM old.event AS e LEFT JOIN old.record AS c
      ON c.kind = 'cluster' AND json_extract(c.json, '$.spec.name') = e.cluster
         AND json_extract(c.json, '$.created') <= e.time_ms
    ORDER BY e.seq
)";

}  // namespace

struct SqliteEventLog::Impl {
  Impl(SqliteDatabase opened, std::size_t most) : database(std::move(opened)), max_events(most) {}

  Status prepare() {
    MYSOS_TRY(add, database.prepare("INSERT INTO event (cluster, cluster_name, time_ms, json) VALUES (?, ?, ?, ?)"));
    // AUTOINCREMENT numbers without gaps where nothing but this trims, so the newest n are those above max - n.
    MYSOS_TRY(trim, database.prepare("DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?"));
    return {};
  }

  SqliteDatabase database;  // outlives its statements
  std::size_t max_events;
  std::optional<SqliteStatement> add;
  std::optional<SqliteStatement> trim;
};

SqliteEventLog::SqliteEventLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteEventLog::~SqliteEventLog() = default;

Result<std::unique_ptr<SqliteEventLog>> SqliteEventLog::open(const std::string& path, std::size_t max_events,
                                                             SqliteOptions options) {
  MYSOS_TRY(SqliteDatabase database, open_sqlite_file(path, kMigrations, options));
  auto impl = std::make_unique<Impl>(std::move(database), max_events);
  MYSOS_TRY_VOID(impl->prepare());
  return std::unique_ptr<SqliteEventLog>(new SqliteEventLog(std::move(impl)));
}

Result<std::uint64_t> SqliteEventLog::append(const std::vector<NewEvent>& events) {
  MYSOS_TRY_VOID(check_events(events));
  if (events.empty()) return last_seq();
  MYSOS_TRY(SqliteTransaction transaction, SqliteTransaction::begin(impl_->database));
  for (const NewEvent& event : events) {
    impl_->add->bind(1, event.cluster);
    impl_->add->bind(2, event.cluster_name);
    impl_->add->bind(3, event.time_ms);
    impl_->add->bind(4, event.json);
    MYSOS_TRY_VOID(impl_->add->run());
  }
  impl_->trim->bind(1, static_cast<std::int64_t>(impl_->max_events));
  MYSOS_TRY_VOID(impl_->trim->run());
  MYSOS_TRY(const std::uint64_t last, last_seq());
  MYSOS_TRY_VOID(transaction.commit());
  return last;
}

Result<std::vector<StoredEvent>> SqliteEventLog::read(const EventQuery& query) {
  const std::string_view sql =
      query.cluster ? "SELECT seq, cluster, time_ms, json FROM event WHERE seq > ?1 AND cluster = ?3 ORDER BY seq LIMIT ?2"
                    : "SELECT seq, cluster, time_ms, json FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2";
  MYSOS_TRY(SqliteStatement select, impl_->database.prepare(sql));
  select.bind(1, static_cast<std::int64_t>(query.after_seq));
  select.bind(2, static_cast<std::int64_t>(query.limit));
  if (query.cluster) select.bind(3, *query.cluster);
  std::vector<StoredEvent> found;
  while (true) {
    MYSOS_TRY(const bool row, select.step());
    if (!row) return found;
    found.push_back(
        {static_cast<std::uint64_t>(select.number(0)), select.text(1), select.number(2), select.text(3)});
  }
}

Result<std::uint64_t> SqliteEventLog::last_seq() {
  MYSOS_TRY(const std::int64_t seq, impl_->database.number("SELECT seq FROM sqlite_sequence WHERE name = 'event'"));
  return static_cast<std::uint64_t>(seq);
}

Result<std::string> SqliteEventLog::newest_named(const std::string& cluster_name) {
  MYSOS_TRY(SqliteStatement select,
            impl_->database.prepare(
                "SELECT cluster FROM event WHERE cluster_name = ? AND cluster <> '' ORDER BY seq DESC LIMIT 1"));
  select.bind(1, cluster_name);
  MYSOS_TRY(const bool row, select.step());
  return row ? select.text(0) : std::string();
}

Status SqliteEventLog::take_events_of_0_1(const std::string& record_file) {
  SqliteDatabase& database = impl_->database;
  MYSOS_TRY(SqliteStatement attach, database.prepare("ATTACH DATABASE ? AS old"));
  attach.bind(1, record_file);
  MYSOS_TRY_VOID(attach.run());
  const auto move = [&]() -> Status {
    MYSOS_TRY(const std::int64_t there, database.number("SELECT count(*) FROM old.sqlite_schema WHERE name = 'event'"));
    if (there == 0) return {};
    MYSOS_TRY_VOID(database.execute(kCopyOf01));
    return database.execute("DROP TABLE old.event");
  };
  const Status moved = move();
  MYSOS_TRY_VOID(database.execute("DETACH DATABASE old"));
  return moved;
}

}  // namespace mysos
