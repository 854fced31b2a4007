// SPDX-License-Identifier: Apache-2.0
#pragma once
// The event log in one SQLite file (sqlite_file.h).
#include <memory>
#include <string>

#include "store/event_log.h"
#include "store/sqlite_file.h"

namespace mysos {

class SqliteEventLog final : public EventLog {
 public:
  static Result<std::unique_ptr<SqliteEventLog>> open(const std::string& path, std::size_t max_events = kMaxLoggedEvents,
                                                      SqliteOptions options = {});
  ~SqliteEventLog() override;

  Result<std::uint64_t> append(const std::vector<NewEvent>& events) override;
  Result<std::vector<StoredEvent>> read(const EventQuery& query) override;
  Result<std::uint64_t> last_seq() override;
  Result<std::string> newest_named(const std::string& cluster_name) override;

  // 0.1 kept the events in the file of the records, by the clusters' names. Moves them here, with their numbers: those of
  // clusters that `record_file` knows get their ids, the others none. Does nothing where nothing is left to move.
  Status take_events_of_0_1(const std::string& record_file);

 private:
  struct Impl;
  explicit SqliteEventLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mysos
