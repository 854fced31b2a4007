// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the scheduler's records live. A record is a text (JSON) under a kind and a key. Two invariants:
//
// - One commit() is one durable transaction. After it returns, all of it is there for good. When it fails, or the process
//   dies inside it, either all of it is there or nothing.
// - Whoever began the newest term is the only writer. A commit of an earlier term fails with kFenced and changes nothing, so
//   a scheduler that was deposed cannot write over the decisions of its successor, whatever it believes.
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
struct EraseRecord {  // of a record that is not there: nothing happens
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
  // A term above every earlier one, durable.
  virtual Result<Term> begin_term() = 0;
  // Applied in order. kFenced for an earlier term than the newest, kTooLarge for a text over kMaxRecordBytes, kIo when the
  // disk is full or broken, kUnavailable when another process holds the store.
  virtual Status commit(Term term, const std::vector<RecordChange>& changes) = 0;
};

// kTooLarge, or kInvalid for an empty kind or key: what no store takes; part of every commit().
Status check_changes(const std::vector<RecordChange>& changes);
// The answer to a commit of an earlier term.
std::unexpected<Error> deposed(Term term, Term newest);

}  // namespace mysos
