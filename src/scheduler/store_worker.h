// SPDX-License-Identifier: Apache-2.0
#pragma once
// The store, off the loop: each call runs on one thread of its own and comes back to the loop's.
// Invariant: one call at a time reaches the store, in the order they were made. The destructor
// waits for the call under way.
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <vector>

#include "base/asio.h"
#include "store/store.h"

namespace mysos {

class StoreWorker {
 public:
  explicit StoreWorker(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  ~StoreWorker() { pool_.join(); }
  StoreWorker(const StoreWorker&) = delete;
  StoreWorker& operator=(const StoreWorker&) = delete;

  // The seq of the newest event after it.
  asio::awaitable<Result<std::uint64_t>> commit(std::vector<StoreChange> changes);
  asio::awaitable<Result<std::vector<StoredEvent>>> events(EventQuery query);
  // Before the first of the others only: blocks.
  Store& at_start() { return *store_; }

 private:
  std::unique_ptr<Store> store_;
  asio::thread_pool pool_{1};
};

}  // namespace mysos
