// SPDX-License-Identifier: Apache-2.0
#pragma once
// A store that notices that it was put back to an earlier state (docs/adr/0009-old-record.md). Each commit that changes a
// record raises a count in the store, then in a file beside it, before it returns. So a store that is put back has a lower
// count than the file. The store also keeps the ctime of DIR/secret.key, which no tool can set. A directory that was put back
// as a whole has another ctime. Not noticed: a disk that is put back below the file system (a snapshot of a virtual machine).
//
// A commit that failed must be tried again with the same changes before any other. One thread at a time.
#include <memory>
#include <string>

#include "scheduler/state_dir.h"
#include "store/record_store.h"

namespace mysos {

inline constexpr auto kMarkKind = "mark";  // of the one record that is not part of the state (core/state/records.h)

class MarkedStore final : public RecordStore {
 public:
  static Result<std::unique_ptr<MarkedStore>> open(std::unique_ptr<RecordStore> inner, const StateDir& dir);

  // How the store noticed that the state was put back, as a sentence; "" = it was not. The first commit clears this, so that
  // commit must contain everything that follows from it.
  [[nodiscard]] const std::string& put_back() const { return put_back_; }
  // The store is as new as the file beside it; only the directory is another one.
  [[nodiscard]] bool only_moved() const { return only_moved_; }

  Result<Snapshot> load() override;  // without the mark
  Result<Term> begin_term() override { return inner_->begin_term(); }
  Status commit(Term term, const std::vector<RecordChange>& changes) override;

 private:
  MarkedStore(std::unique_ptr<RecordStore> inner, std::string file) : inner_(std::move(inner)), file_(std::move(file)) {}

  std::unique_ptr<RecordStore> inner_;
  std::string file_;
  std::uint64_t count_ = 0;     // of the newest commit that both know
  std::int64_t key_since_ = 0;  // ctime of secret.key, ns
  std::string put_back_;
  bool only_moved_ = false;
  bool first_ = true;
  bool owed_ = false;           // the store has the next count, the file has not
};

}  // namespace mysos
