// SPDX-License-Identifier: Apache-2.0
#include "scheduler/stored_state.h"

#include "base/fs.h"
#include "scheduler/marked_store.h"
#include "store/sqlite_record_store.h"

namespace mysos {

namespace {

// To open it brings the tables into the form of this version.
Result<Snapshot> records_in(const std::string& copy) {
  MYSOS_TRY(const auto store, SqliteRecordStore::open(copy));
  return store->load();
}

}  // namespace

Result<SchedulerState> state_in_file(const std::string& database) {
  const std::string copy = database + ".look";
  MYSOS_TRY_VOID(remove_file(copy));
  MYSOS_TRY_VOID(copy_sqlite_file(database, copy));
  auto records = records_in(copy);
  for (const char* beside : {"", "-wal", "-shm"}) MYSOS_TRY_VOID(remove_file(copy + beside));
  if (!records) return std::unexpected(std::move(records).error());
  records->erase(kMarkKind);
  auto stored = read_state(*std::move(records));
  if (!stored) return std::unexpected(std::move(stored).error().with_context("understand the state"));
  return std::move(stored->state);
}

}  // namespace mysos
