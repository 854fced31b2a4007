// SPDX-License-Identifier: Apache-2.0
#pragma once
// The audit trail: what happened and why. It keeps the newest kMaxLoggedEvents. It is separate from the records, so that a
// broken log delays no decision, and a state that is put back still has the whole log.
//
// Invariant: append() is one durable transaction. Numbers rise by one and are never used again, also not after a restart.
// Calls block, and come from one thread at a time.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kMaxLoggedEvents = 100'000;
inline constexpr std::size_t kMaxEventBytes = std::size_t{64} << 10;

struct NewEvent {
  std::string cluster;       // id; "" = concerns no cluster
  std::string cluster_name;  // its name at that time
  std::int64_t time_ms = 0;
  std::string json;
};

struct StoredEvent {
  std::uint64_t seq = 0;
  std::string cluster;  // id
  std::int64_t time_ms = 0;
  std::string json;
};

struct EventQuery {
  std::uint64_t after_seq = 0;  // oldest first, from the one behind it
  std::size_t limit = 1000;
  std::optional<std::string> cluster = {};  // id
};

class EventLog {
 public:
  virtual ~EventLog() = default;
  // The number of the newest event after it. kTooLarge for a text over kMaxEventBytes; else as RecordStore::commit().
  virtual Result<std::uint64_t> append(const std::vector<NewEvent>& events) = 0;
  virtual Result<std::vector<StoredEvent>> read(const EventQuery& query) = 0;
  virtual Result<std::uint64_t> last_seq() = 0;  // 0 = none yet
  // The id of the cluster that had this name last, as far as the log goes back; "" = none.
  virtual Result<std::string> newest_named(const std::string& cluster_name) = 0;
};

// kTooLarge if the event is too large for any log. append() calls this.
Status check_events(const std::vector<NewEvent>& events);

}  // namespace mysos
