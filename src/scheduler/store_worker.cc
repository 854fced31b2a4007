// SPDX-License-Identifier: Apache-2.0
#include "scheduler/store_worker.h"

namespace mysos {
namespace {

asio::awaitable<Result<std::uint64_t>> do_commit(Store* store, std::vector<StoreChange> changes) {
  MYSOS_CO_TRY_VOID(store->commit(changes));
  co_return store->last_event_seq();
}
asio::awaitable<Result<std::vector<StoredEvent>>> do_events(Store* store, EventQuery query) {
  co_return store->events(query);
}

}  // namespace

asio::awaitable<Result<std::uint64_t>> StoreWorker::commit(std::vector<StoreChange> changes) {
  co_return co_await asio::co_spawn(pool_, do_commit(store_.get(), std::move(changes)),
                                    asio::use_awaitable);
}

asio::awaitable<Result<std::vector<StoredEvent>>> StoreWorker::events(EventQuery query) {
  co_return co_await asio::co_spawn(pool_, do_events(store_.get(), std::move(query)),
                                    asio::use_awaitable);
}

}  // namespace mysos
