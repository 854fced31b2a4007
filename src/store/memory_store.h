// SPDX-License-Identifier: Apache-2.0
#pragma once
// A store that lives as long as the process: for tests and the simulator. It keeps the contract of
// store.h, durability aside; fail_next_commits() makes commits fail, so that callers can be tested.
#include <deque>

#include "store/store.h"

namespace mysos {

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::size_t max_events = kMaxStoredEvents) : max_events_(max_events) {}
  Result<Snapshot> load() override;
  Status commit(const std::vector<StoreChange>& changes) override;
  Result<std::vector<StoredEvent>> events(const EventQuery& query) override;
  Result<std::uint64_t> last_event_seq() override;

  void fail_next_commits(int count) { failures_ = count; }

 private:
  void apply(const StoreChange& change);

  Snapshot records_;
  std::deque<StoredEvent> events_;
  std::uint64_t last_seq_ = 0;
  std::size_t max_events_;
  int failures_ = 0;
};

}  // namespace mysos
