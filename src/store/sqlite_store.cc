// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <optional>

#include "base/fd.h"
#include "base/fs.h"
#include "store/sqlite.h"

namespace mysos {
namespace {
// Migration i leads from schema version i to i + 1. Never change one that was released: add
// another.
constexpr std::array<const char*, 1> kMigrations = {R"(
  CREATE TABLE record (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX event_by_cluster ON event (cluster, seq);
)"};
constexpr auto kSchemaVersion = static_cast<std::int64_t>(kMigrations.size());

// The passwords in it are encrypted; the file is still nobody else's business.
Status make_private_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return std::unexpected(errno_error("open the store", path, errno));
  if (::fchmod(fd.get(), 0600) != 0)
    return std::unexpected(errno_error("protect the store", path, errno));
  return {};
}

Status migrate(SqliteDatabase& database, const std::string& path) {
  MYSOS_TRY(SqliteTransaction transaction, SqliteTransaction::begin(database));
  MYSOS_TRY(const std::int64_t version, database.number("PRAGMA user_version"));
  if (version > kSchemaVersion) {
    return fail(Errc::kConflict,
                "the store " + path + " has schema version " + std::to_string(version) +
                    ", written by a newer Mysos; this one knows up to " +
                    std::to_string(kSchemaVersion) + ": start the newer one again");
  }
  if (version == kSchemaVersion) return {};
  for (auto i = static_cast<std::size_t>(version); i < kMigrations.size(); ++i) {
    MYSOS_TRY_VOID(database.execute(kMigrations[i]));
  }
  MYSOS_TRY_VOID(database.execute("PRAGMA user_version=" + std::to_string(kSchemaVersion)));
  return transaction.commit();
}
}  // namespace

struct SqliteStore::Impl {
  Impl(SqliteDatabase opened, SqliteOptions given) : database(std::move(opened)), options(given) {}

  Status prepare() {
    MYSOS_TRY(put, database.prepare("INSERT INTO record VALUES (?, ?, ?) "
                                    "ON CONFLICT DO UPDATE SET json = excluded.json"));
    MYSOS_TRY(erase, database.prepare("DELETE FROM record WHERE kind = ? AND key = ?"));
    MYSOS_TRY(append,
              database.prepare("INSERT INTO event (cluster, time_ms, json) VALUES (?, ?, ?)"));
    // AUTOINCREMENT numbers without gaps where nothing but this trims, so the newest n are those
    // above max - n.
    MYSOS_TRY(trim,
              database.prepare("DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?"));
    return {};
  }

  Status apply(const StoreChange& change) {
    if (const auto* record = std::get_if<PutRecord>(&change)) {
      put->bind(1, record->kind);
      put->bind(2, record->key);
      put->bind(3, record->json);
      return put->run();
    }
    if (const auto* record = std::get_if<EraseRecord>(&change)) {
      erase->bind(1, record->kind);
      erase->bind(2, record->key);
      return erase->run();
    }
    const auto& event = std::get<AppendEvent>(change);
    append->bind(1, event.cluster);
    append->bind(2, event.time_ms);
    append->bind(3, event.json);
    MYSOS_TRY_VOID(append->run());
    trim->bind(1, static_cast<std::int64_t>(options.max_events));
    return trim->run();
  }

  SqliteDatabase database;  // outlives its statements
  SqliteOptions options;
  std::optional<SqliteStatement> put;
  std::optional<SqliteStatement> erase;
  std::optional<SqliteStatement> append;
  std::optional<SqliteStatement> trim;
};

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path,
                                                       SqliteOptions options) {
  MYSOS_TRY_VOID(make_private_file(path));
  MYSOS_TRY(SqliteDatabase database, SqliteDatabase::open(path));
  database.set_busy_timeout(options.busy_timeout_ms);
  MYSOS_TRY_VOID(
      database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"));
  MYSOS_TRY_VOID(migrate(database, path));
  if (options.max_pages > 0) {
    MYSOS_TRY_VOID(database.execute("PRAGMA max_page_count=" + std::to_string(options.max_pages)));
  }
  auto impl = std::make_unique<Impl>(std::move(database), options);
  MYSOS_TRY_VOID(impl->prepare());
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

Result<Snapshot> SqliteStore::load() {
  MYSOS_TRY(SqliteStatement all, impl_->database.prepare("SELECT kind, key, json FROM record"));
  Snapshot snapshot;
  while (true) {
    MYSOS_TRY(const bool row, all.step());
    if (!row) return snapshot;
    snapshot[all.text(0)][all.text(1)] = all.text(2);
  }
}

Status SqliteStore::commit(const std::vector<StoreChange>& changes) {
  MYSOS_TRY_VOID(check_changes(changes));
  if (changes.empty()) return {};
  MYSOS_TRY(SqliteTransaction transaction, SqliteTransaction::begin(impl_->database));
  for (const auto& change : changes) MYSOS_TRY_VOID(impl_->apply(change));
  return transaction.commit();
}

Result<std::vector<StoredEvent>> SqliteStore::events(const EventQuery& query) {
  const std::string_view sql =
      query.cluster
          ? "SELECT seq, cluster, time_ms, json FROM event WHERE seq > ?1 AND cluster = ?3 ORDER "
            "BY seq LIMIT ?2"
          : "SELECT seq, cluster, time_ms, json FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2";
  MYSOS_TRY(SqliteStatement select, impl_->database.prepare(sql));
  select.bind(1, static_cast<std::int64_t>(query.after_seq));
  select.bind(2, static_cast<std::int64_t>(query.limit));
  if (query.cluster) select.bind(3, *query.cluster);
  std::vector<StoredEvent> found;
  while (true) {
    MYSOS_TRY(const bool row, select.step());
    if (!row) return found;
    found.push_back({static_cast<std::uint64_t>(select.number(0)), select.text(1), select.number(2),
                     select.text(3)});
  }
}

Result<std::uint64_t> SqliteStore::last_event_seq() {
  MYSOS_TRY(const std::int64_t seq,
            impl_->database.number("SELECT seq FROM sqlite_sequence WHERE name = 'event'"));
  return static_cast<std::uint64_t>(seq);
}

}  // namespace mysos
