// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests of coroutines: runs one to its end on a fresh io_context, and fails the test when that
// takes too long.
#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/clock.h"

namespace mysos {

class TestLoop {
 public:
  asio::io_context io;

  // Runs the loop until `task` has ended.
  void run(asio::awaitable<void> task, Duration at_most = std::chrono::seconds(20)) {
    bool done = false;
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr e) {
      done = true;
      failure = std::move(e);
    });
    io.restart();
    const Instant until = steady_now() + at_most;
    while (!done && steady_now() < until) {
      io.run_one_for(until - steady_now());
      if (io.stopped() && !done) break;
    }
    if (!done) {
      io.stop();
      FAIL() << "the task did not end in time";
    }
    if (failure) std::rethrow_exception(failure);
  }

  // Lets the loop turn until the condition holds.
  bool run_until(const std::function<bool()>& condition,
                 Duration at_most = std::chrono::seconds(20)) {
    const Instant until = steady_now() + at_most;
    while (!condition()) {
      if (steady_now() >= until) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds(5));
    }
    return true;
  }
};

// Awaits until the condition holds; false when the time is up first.
inline asio::awaitable<bool> eventually(std::function<bool()> condition,
                                        Duration at_most = std::chrono::seconds(20)) {
  const Instant until = steady_now() + at_most;
  while (!condition()) {
    if (steady_now() >= until) co_return false;
    co_await sleep_for(std::chrono::milliseconds(1));
  }
  co_return true;
}

}  // namespace mysos
