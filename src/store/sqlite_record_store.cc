// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_record_store.h"

#include <array>
#include <optional>

namespace mysos {
namespace {

constexpr std::array<const char*, 3> kMigrations = {
    // 0.1 kept the events here, too: SqliteEventLog::take_events_of_0_1() moves them.
    R"(
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
)",
    R"(
  CREATE TABLE term (newest INTEGER NOT NULL) STRICT;
  INSERT INTO term VALUES (0);
)",
    // From here on records have versions (core/state/records.h). A Mysos that would not look at them does not open the file.
    ""};
constexpr auto kNewestTerm = "SELECT newest FROM term";

}  // namespace

struct SqliteRecordStore::Impl {
  explicit Impl(SqliteDatabase opened) : database(std::move(opened)) {}

  Status prepare() {
    MYSOS_TRY(put, database.prepare("INSERT INTO record VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET json = excluded.json"));
    MYSOS_TRY(erase, database.prepare("DELETE FROM record WHERE kind = ? AND key = ?"));
    return {};
  }

  Status apply(const RecordChange& change) {
    if (const auto* record = std::get_if<PutRecord>(&change)) {
      put->bind(1, record->kind);
      put->bind(2, record->key);
      put->bind(3, record->json);
      return put->run();
    }
    const auto& record = std::get<EraseRecord>(change);
    erase->bind(1, record.kind);
    erase->bind(2, record.key);
    return erase->run();
  }

  SqliteDatabase database;  // outlives its statements
  std::optional<SqliteStatement> put;
  std::optional<SqliteStatement> erase;
};

SqliteRecordStore::SqliteRecordStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteRecordStore::~SqliteRecordStore() = default;

Result<std::unique_ptr<SqliteRecordStore>> SqliteRecordStore::open(const std::string& path, SqliteOptions options) {
  MYSOS_TRY(SqliteDatabase database, open_sqlite_file(path, kMigrations, options));
  auto impl = std::make_unique<Impl>(std::move(database));
  MYSOS_TRY_VOID(impl->prepare());
  return std::unique_ptr<SqliteRecordStore>(new SqliteRecordStore(std::move(impl)));
}

Result<Snapshot> SqliteRecordStore::load() {
  MYSOS_TRY(SqliteStatement all, impl_->database.prepare("SELECT kind, key, json FROM record"));
  Snapshot snapshot;
  while (true) {
    MYSOS_TRY(const bool row, all.step());
    if (!row) return snapshot;
    snapshot[all.text(0)][all.text(1)] = all.text(2);
  }
}

Result<Term> SqliteRecordStore::begin_term() {
  MYSOS_TRY(SqliteTransaction transaction, SqliteTransaction::begin(impl_->database));
  MYSOS_TRY_VOID(impl_->database.execute("UPDATE term SET newest = newest + 1"));
  MYSOS_TRY(const std::int64_t newest, impl_->database.number(kNewestTerm));
  MYSOS_TRY_VOID(transaction.commit());
  return static_cast<Term>(newest);
}

Status SqliteRecordStore::commit(Term term, const std::vector<RecordChange>& changes) {
  MYSOS_TRY_VOID(check_changes(changes));
  MYSOS_TRY(SqliteTransaction transaction, SqliteTransaction::begin(impl_->database));
  MYSOS_TRY(const std::int64_t newest, impl_->database.number(kNewestTerm));
  if (static_cast<Term>(newest) != term) return deposed(term, static_cast<Term>(newest));
  for (const auto& change : changes) MYSOS_TRY_VOID(impl_->apply(change));
  return transaction.commit();
}

}  // namespace mysos
