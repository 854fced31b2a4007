// SPDX-License-Identifier: Apache-2.0
#pragma once
// RAII wrappers of SQLite's C API: a database, its statements, a transaction that is rolled back
// unless it commits. An Error names the operation and has SQLite's message; a full disk is named
// as such. One thread at a time.
#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace mysos {

class SqliteStatement {
 public:
  // Positions count from 1. The text must live until the next step() or reset().
  void bind(int position, std::string_view text);
  void bind(int position, std::int64_t number);
  Result<bool> step();  // true: there is a row
  Status run();         // steps to the end and resets
  void reset();
  [[nodiscard]] std::string text(int column) const;  // columns count from 0
  [[nodiscard]] std::int64_t number(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteDatabase {
 public:
  static Result<SqliteDatabase> open(const std::string& path);

  Result<SqliteStatement> prepare(std::string_view sql);
  Status execute(const std::string& sql);             // any number of statements without rows
  Result<std::int64_t> number(std::string_view sql);  // the first column of the first row
  void set_busy_timeout(int ms) { sqlite3_busy_timeout(database_.get(), ms); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  explicit SqliteDatabase(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Close> database_;
};

class SqliteTransaction {
 public:
  static Result<SqliteTransaction> begin(
      SqliteDatabase& database);  // BEGIN IMMEDIATE: takes the writer's place at once
  SqliteTransaction(SqliteTransaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)) {}
  ~SqliteTransaction();
  Status commit();

 private:
  explicit SqliteTransaction(SqliteDatabase& database) : database_(&database) {}
  SqliteDatabase* database_;  // nullptr once it is over
};

}  // namespace mysos
