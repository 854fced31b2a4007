// SPDX-License-Identifier: Apache-2.0
#include "base/task_group.h"

#include "base/test_loop.h"

namespace mysos {
namespace {
using namespace std::chrono_literals;

asio::awaitable<void> wait_forever(bool& ended) {
  struct Mark {
    bool& flag;
    ~Mark() { flag = true; }
  };
  const Mark mark{ended};
  while (true) co_await sleep_for(1h);
}

TEST(TaskGroup, CancelAndJoinEndsWhatWaits) {
  TestLoop loop;
  bool first = false;
  bool second = false;
  TaskGroup group(loop.io.get_executor());
  group.spawn("first", wait_forever(first));
  group.spawn("second", wait_forever(second));
  ASSERT_EQ(group.size(), 2U);

  loop.run(group.cancel_and_join());

  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_EQ(group.size(), 0U);
  group.spawn("late", wait_forever(first));
  EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, JoinWaitsForWhatEndsByItself) {
  TestLoop loop;
  TaskGroup group(loop.io.get_executor());
  int done = 0;
  const auto work = [](int& count) -> asio::awaitable<void> {
    co_await sleep_for(1ms);
    ++count;
  };
  for (int i = 0; i < 3; ++i) group.spawn("work", work(done));

  loop.run(group.join());

  EXPECT_EQ(done, 3);
}

TEST(TaskGroup, AFailingTaskEndsAloneAndIsForgotten) {
  TestLoop loop;
  TaskGroup group(loop.io.get_executor());
  const auto broken = []() -> asio::awaitable<void> {
    co_await sleep_for(1ms);
    throw std::runtime_error("a bug");
  };
  group.spawn("broken", broken());

  loop.run(group.join());

  EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, MayOutliveItsLoop) {
  bool ended = false;
  auto io = std::make_unique<asio::io_context>();
  TaskGroup group(io->get_executor());
  group.spawn("waits", wait_forever(ended));
  io->poll();

  io.reset();

  EXPECT_TRUE(ended);
  EXPECT_EQ(group.size(), 0U);
}

TEST(Signal, WakesAllOrOne) {
  TestLoop loop;
  Signal signal(loop.io.get_executor());
  int woken = 0;
  TaskGroup group(loop.io.get_executor());
  const auto waiter = [](Signal& s, int& count) -> asio::awaitable<void> {
    co_await s.wait();
    ++count;
  };
  for (int i = 0; i < 3; ++i) group.spawn("waiter", waiter(signal, woken));
  loop.io.poll();

  signal.notify_one();
  EXPECT_TRUE(loop.run_until([&] { return woken == 1; }));
  signal.notify_all();
  loop.run(group.join());

  EXPECT_EQ(woken, 3);
}

TEST(Signal, WaitForSaysWhetherItWasWoken) {
  TestLoop loop;
  Signal signal(loop.io.get_executor());
  bool woken = true;
  const auto waiter = [&]() -> asio::awaitable<void> { woken = co_await signal.wait_for(1ms); };
  loop.run(waiter());
  EXPECT_FALSE(woken);
}

TEST(Deadline, ExpiresOnceUnlessDisarmed) {
  TestLoop loop;
  int expired = 0;
  const Deadline soon(loop.io.get_executor(), 1ms, [&] { ++expired; });
  Deadline never(loop.io.get_executor(), 1ms, [&] { expired += 100; });
  never.disarm();
  {
    const Deadline gone(loop.io.get_executor(), 0ms, [&] { expired += 100; });
  }

  EXPECT_TRUE(loop.run_until([&] { return soon.expired(); }));

  loop.io.restart();
  loop.io.run();
  EXPECT_EQ(expired, 1);
}

}  // namespace
}  // namespace mysos
