// SPDX-License-Identifier: Apache-2.0
#pragma once
// Runs the record store and the event log on two threads of their own, so that a slow or broken log delays no
// decision. Invariant: each gets one call at a time, in the order of the calls. The destructors wait for the
// running call.
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/asio.h"
#include "store/event_log.h"
#include "store/record_store.h"

namespace mysos {

class StoreWorker {
 public:
  explicit StoreWorker(std::unique_ptr<RecordStore> store) : store_(std::move(store)) {}
  ~StoreWorker() { pool_.join(); }
  StoreWorker(const StoreWorker&) = delete;
  StoreWorker& operator=(const StoreWorker&) = delete;

  // Begins a term, then reads the records. Blocks; call it first.
  Result<Snapshot> begin();
  // In the term that begin() began. Blocks; before the first call of the loop.
  Status commit_now(const std::vector<RecordChange>& changes) { return store_->commit(term_, changes); }

  asio::awaitable<Status> commit(std::vector<RecordChange> changes);

 private:
  std::unique_ptr<RecordStore> store_;
  Term term_ = 0;
  asio::thread_pool pool_{1};
};

class LogWorker {
 public:
  explicit LogWorker(std::unique_ptr<EventLog> log) : log_(std::move(log)) {}
  ~LogWorker() { pool_.join(); }
  LogWorker(const LogWorker&) = delete;
  LogWorker& operator=(const LogWorker&) = delete;

  // Blocks; before any other call.
  Result<std::uint64_t> last_seq() { return log_->last_seq(); }

  asio::awaitable<Result<std::uint64_t>> append(std::vector<NewEvent> events);
  asio::awaitable<Result<std::vector<StoredEvent>>> read(EventQuery query);
  asio::awaitable<Result<std::string>> newest_named(std::string cluster_name);

 private:
  std::unique_ptr<EventLog> log_;
  asio::thread_pool pool_{1};
};

}  // namespace mysos
