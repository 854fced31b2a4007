// SPDX-License-Identifier: Apache-2.0
#include "base/insist.h"

#include <gtest/gtest.h>

#include "base/test_loop.h"

namespace mysos {
namespace {
using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsBound) {
  Backoff pauses{100ms, 350ms};
  EXPECT_EQ(pauses.next(), 100ms);
  EXPECT_EQ(pauses.next(), 200ms);
  EXPECT_EQ(pauses.next(), 350ms);
  EXPECT_EQ(pauses.next(), 350ms);
  pauses.reset();
  EXPECT_EQ(pauses.next(), 100ms);
}

TEST(Backoff, InsistsUntilItIsDone) {
  TestLoop loop;
  int tries = 0;
  loop.run([](int& count) -> asio::awaitable<void> {
    co_await insist(Backoff{1ms, 2ms}, [&]() -> asio::awaitable<bool> { co_return ++count == 4; });
  }(tries));
  EXPECT_EQ(tries, 4);
}

}  // namespace
}  // namespace mysos
