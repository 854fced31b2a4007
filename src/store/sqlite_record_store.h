// SPDX-License-Identifier: Apache-2.0
#pragma once
// The records in one SQLite file (sqlite_file.h).
#include <memory>
#include <string>

#include "store/record_store.h"
#include "store/sqlite_file.h"

namespace mysos {

class SqliteRecordStore final : public RecordStore {
 public:
  static Result<std::unique_ptr<SqliteRecordStore>> open(const std::string& path, SqliteOptions options = {});
  ~SqliteRecordStore() override;

  Result<Snapshot> load() override;
  Result<Term> begin_term() override;
  Status commit(Term term, const std::vector<RecordChange>& changes) override;

 private:
  struct Impl;
  explicit SqliteRecordStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mysos
