// SPDX-License-Identifier: Apache-2.0
#pragma once
// Stores in memory, for tests. They keep the contracts of record_store.h and event_log.h, except
// durability.
#include <deque>

#include "store/event_log.h"
#include "store/record_store.h"

namespace mysos {

class MemoryRecordStore final : public RecordStore {
 public:
  Result<Snapshot> load() override { return records_; }
  Result<Term> begin_term() override { return ++term_; }
  Status commit(Term term, const std::vector<RecordChange>& changes) override;

 private:
  void apply(const RecordChange& change);

  Snapshot records_;
  Term term_ = 0;
};

class MemoryEventLog final : public EventLog {
 public:
  explicit MemoryEventLog(std::size_t max_events = kMaxLoggedEvents) : max_events_(max_events) {}
  Result<std::uint64_t> append(const std::vector<NewEvent>& events) override;
  Result<std::vector<StoredEvent>> read(const EventQuery& query) override;
  Result<std::uint64_t> last_seq() override { return last_seq_; }
  Result<std::string> newest_named(const std::string& cluster_name) override;

 private:
  struct Kept {
    StoredEvent event;
    std::string cluster_name;
  };
  std::deque<Kept> events_;
  std::uint64_t last_seq_ = 0;
  std::size_t max_events_;
};

}  // namespace mysos
