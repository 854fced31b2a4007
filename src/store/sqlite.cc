// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite.h"

#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/fs.h"

namespace mysos {
namespace {

std::string file_of(sqlite3* database) {
  const char* name = database != nullptr ? sqlite3_db_filename(database, "main") : nullptr;
  return name != nullptr ? name : "";
}

Error sqlite_error(sqlite3* database, int code) {
  const std::string path = file_of(database);
  const std::string where = path.empty() ? "the store" : "the store " + path;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return errno_error("write the store", path, ENOSPC);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Errc::kUnavailable, where + " is in use by another process", {}};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {Errc::kForbidden, where + " cannot be written: " + sqlite3_errstr(code), {}};
    case SQLITE_NOTADB:
      return {Errc::kIo, where + " is no SQLite file, or is damaged", {}};
    case SQLITE_CORRUPT:
      return {Errc::kIo, where + " is damaged; restore it from a backup", {}};
    default:
      break;
  }
  const int system = database != nullptr ? sqlite3_system_errno(database) : 0;
  if (system == ENOSPC || system == EDQUOT) return errno_error("write the store", path, system);
  std::string why = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  if ((code & 0xff) == SQLITE_IOERR && system != 0)
    why += std::string(" (") + std::strerror(system) + ")";
  return {Errc::kIo, where + ": " + why, {}};
}

std::unexpected<Error> failed(sqlite3* database, int code) {
  return std::unexpected(sqlite_error(database, code));
}
}  // namespace

void SqliteStatement::bind(int position, std::string_view text) {
  const int code =
      sqlite3_bind_text64(statement_.get(), position, text.data() != nullptr ? text.data() : "",
                          text.size(), SQLITE_STATIC, SQLITE_UTF8);
  MYSOS_ASSERT(code == SQLITE_OK, "a parameter is bound where there is one");
}

void SqliteStatement::bind(int position, std::int64_t number) {
  const int code = sqlite3_bind_int64(statement_.get(), position, number);
  MYSOS_ASSERT(code == SQLITE_OK, "a parameter is bound where there is one");
}

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const Error error = sqlite_error(sqlite3_db_handle(statement_.get()), code);
  reset();
  return std::unexpected(error);
}

Status SqliteStatement::run() {
  while (true) {
    MYSOS_TRY(const bool row, step());
    if (row) continue;
    reset();
    return {};
  }
}

void SqliteStatement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::string SqliteStatement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return text != nullptr ? std::string(text, size) : std::string();
}

std::int64_t SqliteStatement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

Result<SqliteDatabase> SqliteDatabase::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  SqliteDatabase database(raw);
  if (code != SQLITE_OK) return failed(raw, code);
  return database;
}

Result<SqliteStatement> SqliteDatabase::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return failed(database_.get(), code);
  return SqliteStatement(raw);
}

Status SqliteDatabase::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(database_.get(), code);
  return {};
}

Result<std::int64_t> SqliteDatabase::number(std::string_view sql) {
  MYSOS_TRY(SqliteStatement statement, prepare(sql));
  MYSOS_TRY(const bool row, statement.step());
  return row ? statement.number(0) : 0;
}

Result<SqliteTransaction> SqliteTransaction::begin(SqliteDatabase& database) {
  MYSOS_TRY_VOID(database.execute("BEGIN IMMEDIATE"));
  return SqliteTransaction(database);
}

Status SqliteTransaction::commit() {
  MYSOS_TRY_VOID(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

SqliteTransaction::~SqliteTransaction() {
  // SQLite has rolled back by itself after some errors; then this one says so, which is as good.
  if (database_ != nullptr) (void)database_->execute("ROLLBACK");
}

}  // namespace mysos
