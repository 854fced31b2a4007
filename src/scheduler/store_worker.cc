// SPDX-License-Identifier: Apache-2.0
#include "scheduler/store_worker.h"

#include "base/pool_work.h"

namespace mysos {

// The term comes first: what the scheduler before commits until then is read, and later it can commit nothing.
Result<Snapshot> StoreWorker::begin() {
  MYSOS_TRY(term_, store_->begin_term());
  return store_->load();
}

asio::awaitable<Status> StoreWorker::commit(std::vector<RecordChange> changes) {
  auto work = [store = store_.get(), term = term_, changes = std::move(changes)] { return store->commit(term, changes); };
  co_return co_await run_on_pool(pool_, std::move(work));
}

asio::awaitable<Result<std::uint64_t>> LogWorker::append(std::vector<NewEvent> events) {
  auto work = [log = log_.get(), events = std::move(events)] { return log->append(events); };
  co_return co_await run_on_pool(pool_, std::move(work));
}

asio::awaitable<Result<std::vector<StoredEvent>>> LogWorker::read(EventQuery query) {
  auto work = [log = log_.get(), query = std::move(query)] { return log->read(query); };
  co_return co_await run_on_pool(pool_, std::move(work));
}

asio::awaitable<Result<std::string>> LogWorker::newest_named(std::string cluster_name) {
  auto work = [log = log_.get(), name = std::move(cluster_name)] { return log->newest_named(name); };
  co_return co_await run_on_pool(pool_, std::move(work));
}

}  // namespace mysos
