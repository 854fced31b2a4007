// SPDX-License-Identifier: Apache-2.0
#include "scheduler/store_worker.h"

#include "base/pool_work.h"

namespace mysos {

asio::awaitable<Result<std::uint64_t>> StoreWorker::commit(std::vector<StoreChange> changes) {
  auto work = [store = store_.get(), changes = std::move(changes)]() -> Result<std::uint64_t> {
    MYSOS_TRY_VOID(store->commit(changes));
    return store->last_event_seq();
  };
  co_return co_await run_on_pool(pool_, std::move(work));
}

asio::awaitable<Result<std::vector<StoredEvent>>> StoreWorker::events(EventQuery query) {
  auto work = [store = store_.get(), query = std::move(query)] { return store->events(query); };
  co_return co_await run_on_pool(pool_, std::move(work));
}

}  // namespace mysos
