// SPDX-License-Identifier: Apache-2.0
#pragma once
// The store of the scheduler's records. A record is a text (JSON) under a kind and a key. Two invariants:
//
// - One commit() is one durable transaction. After it returns, all its changes are durable. If it fails, or the process
//   dies during it, the store has either all changes or none.
// - Only the scheduler that began the newest term may write. A commit of an earlier term fails with kFenced and changes
//   nothing, so a deposed scheduler cannot overwrite the decisions of its successor.
//
// Calls block, and come from one thread at a time.
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kMaxRecordBytes = std::size_t{512} << 10;  // ZooKeeper takes less than 1 MB

struct PutRecord {
  std::string kind;
  std::string key;
  std::string json;
};
struct EraseRecord {  // does nothing if the record does not exist
  std::string kind;
  std::string key;
};
using RecordChange = std::variant<PutRecord, EraseRecord>;

using Snapshot = std::map<std::string, std::map<std::string, std::string>>;  // kind, key, JSON text
using Term = std::uint64_t;                                                   // 0 = none has begun

class RecordStore {
 public:
  virtual ~RecordStore() = default;
  // All records. Kinds without records do not appear.
  virtual Result<Snapshot> load() = 0;
  // Begins a term above every earlier term, durably.
  virtual Result<Term> begin_term() = 0;
  // Applied in order. kFenced for an earlier term than the newest, kTooLarge for a text over kMaxRecordBytes, kIo when the
  // disk is full or broken, kUnavailable when another process holds the store.
  virtual Status commit(Term term, const std::vector<RecordChange>& changes) = 0;
};

// kTooLarge, or kInvalid for an empty kind or key. commit() calls this.
Status check_changes(const std::vector<RecordChange>& changes);
// The error for a commit of an earlier term.
std::unexpected<Error> deposed(Term term, Term newest);

}  // namespace mysos
