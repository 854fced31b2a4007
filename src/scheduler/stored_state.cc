// SPDX-License-Identifier: Apache-2.0
#include "scheduler/stored_state.h"

#include "scheduler/marked_store.h"
#include "store/sqlite_record_store.h"

namespace mysos {

Result<SchedulerState> state_in_file(const std::string& database) {
  MYSOS_TRY(const auto store, SqliteRecordStore::open(database));
  MYSOS_TRY(Snapshot records, store->load());
  records.erase(kMarkKind);
  auto stored = read_state(std::move(records));
  if (!stored) return std::unexpected(std::move(stored).error().with_context("understand the state in " + database));
  return std::move(stored->state);
}

}  // namespace mysos
