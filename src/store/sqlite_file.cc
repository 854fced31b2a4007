// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/fs.h"

namespace mysos {
namespace {

// The passwords in it are encrypted; the file is still nobody else's business.
Status make_private_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return std::unexpected(errno_error("open the store", path, errno));
  if (::fchmod(fd.get(), 0600) != 0) return std::unexpected(errno_error("protect the store", path, errno));
  return {};
}

Status migrate(SqliteDatabase& database, const std::string& path, std::span<const char* const> migrations) {
  const auto newest = static_cast<std::int64_t>(migrations.size());
  MYSOS_TRY(SqliteTransaction transaction, SqliteTransaction::begin(database));
  MYSOS_TRY(const std::int64_t version, database.number("PRAGMA user_version"));
  if (version > newest) {
    return fail(Errc::kConflict, "the store " + path + " has schema version " + std::to_string(version) +
                                     ", written by a newer Mysos; this one knows up to " + std::to_string(newest) +
                                     ": start the newer one again");
  }
  if (version == newest) return {};
  for (const char* migration : migrations.subspan(static_cast<std::size_t>(version))) {
    MYSOS_TRY_VOID(database.execute(migration));
  }
  MYSOS_TRY_VOID(database.execute("PRAGMA user_version=" + std::to_string(newest)));
  return transaction.commit();
}

}  // namespace

Result<SqliteDatabase> open_sqlite_file(const std::string& path, std::span<const char* const> migrations,
                                        SqliteOptions options) {
  MYSOS_TRY_VOID(make_private_file(path));
  MYSOS_TRY(SqliteDatabase database, SqliteDatabase::open(path));
  database.set_busy_timeout(options.busy_timeout_ms);
  MYSOS_TRY_VOID(database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"));
  MYSOS_TRY_VOID(migrate(database, path, migrations));
  if (options.max_pages > 0) {
    MYSOS_TRY_VOID(database.execute("PRAGMA max_page_count=" + std::to_string(options.max_pages)));
  }
  return database;
}

Status copy_sqlite_file(const std::string& from, const std::string& to) {
  if (!path_exists(from)) return fail(Errc::kNotFound, "there is no " + from);
  if (path_exists(to)) return fail(Errc::kConflict, to + " exists already");
  MYSOS_TRY_VOID(make_private_file(to));  // SQLite writes into an empty file
  MYSOS_TRY(SqliteDatabase source, SqliteDatabase::open(from));
  source.set_busy_timeout(SqliteOptions{}.busy_timeout_ms);
  {
    MYSOS_TRY(SqliteStatement copy, source.prepare("VACUUM INTO ?1"));
    copy.bind(1, to);
    if (Status done = copy.run(); !done) return std::unexpected(std::move(done).error().with_context("copy " + from));
  }
  MYSOS_TRY(SqliteDatabase made, SqliteDatabase::open(to));
  MYSOS_TRY(SqliteStatement check, made.prepare("PRAGMA integrity_check"));
  MYSOS_TRY(const bool row, check.step());
  if (row && check.text(0) == "ok") return {};
  return fail(Errc::kIo, "the copy of " + from + " is not sound: " + (row ? check.text(0) : "no answer"));
}

}  // namespace mysos
