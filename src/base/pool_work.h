// SPDX-License-Identifier: Apache-2.0
#pragma once
// Blocking work on a thread pool. The calling coroutine waits, and continues on its own executor when the work has ended.
//
// asio::co_spawn onto the pool's executor is not used for this. When the waiting task is cancelled while the coroutine on the
// pool completes, Boost 1.81 emits a cancellation signal that is destroyed already (chriskohlhoff/asio issue 1332).
//
// Invariants: the work runs once, to its end, on a thread of the pool; a cancelled caller waits for that end too, so the work
// may refer to what outlives the caller; what the work captured is destroyed before the caller continues. The result of a
// caller that was cancelled meanwhile is dropped: the call ends with operation_aborted. Called on the thread of the caller's
// executor. The pool is joined before the caller's io_context is destroyed.
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <expected>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/asio.h"

namespace mysos {

template <class Work>
std::expected<std::invoke_result_t<Work&>, std::exception_ptr> outcome_of(Work& work) {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Work&>>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (...) {
    return std::unexpected(std::current_exception());
  }
}

// What `work` returns, or throws. `work` takes no arguments and is no coroutine.
template <class Work>
asio::awaitable<std::invoke_result_t<Work&>> run_on_pool(asio::thread_pool& pool, Work work) {
  using Outcome = decltype(outcome_of(work));
  auto start = [&pool](auto caller, Work todo) {
    // The guard keeps the caller's io_context running. It goes back with the caller: nothing on the pool's thread refers to
    // the io_context after the caller was posted.
    auto executor = asio::get_associated_executor(caller);
    auto guard = asio::make_work_guard(executor);
    asio::post(pool, [executor, guard = std::move(guard), caller = std::move(caller),
                      todo = std::optional<Work>(std::move(todo))]() mutable {
      Outcome outcome = outcome_of(*todo);
      todo.reset();
      asio::post(executor, [guard = std::move(guard), caller = std::move(caller),
                            outcome = std::move(outcome)]() mutable { std::move(caller)(std::move(outcome)); });
    });
  };
  Outcome outcome = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Outcome)>(
      start, asio::use_awaitable, std::move(work));
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  if (!outcome) std::rethrow_exception(outcome.error());
  if constexpr (!std::is_void_v<std::invoke_result_t<Work&>>) co_return *std::move(outcome);
}

}  // namespace mysos
