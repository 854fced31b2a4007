// SPDX-License-Identifier: Apache-2.0
#pragma once
// The store in one SQLite file (mode 0600): WAL, synchronous=FULL, so that a commit survives a
// power cut. The schema's version is in user_version: older ones are migrated at open, newer ones
// refused.
#include <memory>
#include <string>

#include "store/store.h"

namespace mysos {

struct SqliteOptions {
  std::size_t max_events = kMaxStoredEvents;
  int busy_timeout_ms = 5000;  // how long to wait for another process
  std::int64_t max_pages = 0;  // 0 = as the disk allows; a limit stands for a full disk in tests
};

class SqliteStore final : public Store {
 public:
  // Opens or makes it; the folder must be there.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& path,
                                                   SqliteOptions options = {});
  ~SqliteStore() override;

  Result<Snapshot> load() override;
  Status commit(const std::vector<StoreChange>& changes) override;
  Result<std::vector<StoredEvent>> events(const EventQuery& query) override;
  Result<std::uint64_t> last_event_seq() override;

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mysos
