// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the scheduler's records live. A record is a text (JSON) under a kind and a key; an event is
// a text in a log that keeps the newest kMaxStoredEvents. Invariant: one commit() is one durable
// transaction: after it returns all of it is there for good, and when it fails, or the process dies
// inside it, either all of it is there or nothing. Calls block, come from one thread at a time, and
// there is one writer per store.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kMaxStoredEvents = 100'000;
inline constexpr std::size_t kMaxStoreValueBytes = std::size_t{4} << 20;  // of one record or event

struct PutRecord {
  std::string kind;
  std::string key;
  std::string json;
};
struct EraseRecord {  // of a record that is not there: nothing happens
  std::string kind;
  std::string key;
};
struct AppendEvent {
  std::string cluster;  // "" = concerns no cluster
  std::int64_t time_ms = 0;
  std::string json;
};
using StoreChange = std::variant<PutRecord, EraseRecord, AppendEvent>;

using Snapshot = std::map<std::string, std::map<std::string, std::string>>;  // kind, key, JSON text

struct StoredEvent {
  std::uint64_t seq = 0;  // rises by one, never reused, also not after a restart
  std::string cluster;
  std::int64_t time_ms = 0;
  std::string json;
};

struct EventQuery {
  std::uint64_t after_seq = 0;  // oldest first, from the one behind it
  std::size_t limit = 1000;
  std::optional<std::string> cluster = {};
};

class Store {
 public:
  virtual ~Store() = default;
  // All records. Kinds without records do not appear.
  virtual Result<Snapshot> load() = 0;
  // Applied in order. kTooLarge for a text over kMaxStoreValueBytes, kIo when the disk is full or
  // broken, kUnavailable when another process holds the store.
  virtual Status commit(const std::vector<StoreChange>& changes) = 0;
  virtual Result<std::vector<StoredEvent>> events(const EventQuery& query) = 0;
  virtual Result<std::uint64_t> last_event_seq() = 0;  // 0 = none yet
};

// kTooLarge or kInvalid (empty kind or key) for what no store takes; part of every commit().
Status check_changes(const std::vector<StoreChange>& changes);

}  // namespace mysos
