// SPDX-License-Identifier: Apache-2.0
#include "base/pool_work.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/prng.h"
#include "base/result.h"
#include "base/task_group.h"
#include "base/test_loop.h"

namespace mysos {
namespace {
using namespace std::chrono_literals;

TEST(PoolWork, RunsOnThePoolAndContinuesOnTheLoop) {
  TestLoop loop;
  asio::thread_pool pool(1);
  const auto here = std::this_thread::get_id();
  const auto task = [&]() -> asio::awaitable<void> {
    const auto there = co_await run_on_pool(pool, [] { return std::this_thread::get_id(); });
    EXPECT_NE(there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
    co_await run_on_pool(pool, [] {});  // nothing to return
    const Result<int> failed = co_await run_on_pool(pool, []() -> Result<int> { return fail(Errc::kIo, "no disk"); });
    EXPECT_EQ(failed.error().message, "no disk");
  };

  loop.run(task());

  pool.join();
}

TEST(PoolWork, AnExceptionComesBackToTheCaller) {
  TestLoop loop;
  asio::thread_pool pool(1);
  const auto task = [&]() -> asio::awaitable<void> {
    co_await run_on_pool(pool, []() -> int { throw std::runtime_error("a bug"); });
  };

  EXPECT_THROW(loop.run(task()), std::runtime_error);

  pool.join();
}

TEST(PoolWork, TheLoopWaitsForIt) {
  asio::thread_pool pool(1);
  asio::io_context io;
  bool ended = false;
  const auto task = [&]() -> asio::awaitable<void> {
    co_await run_on_pool(pool, [] { return 1; });
    ended = true;
  };
  asio::co_spawn(io, task(), [](const std::exception_ptr&) {});

  io.run();  // ends when nothing is outstanding

  EXPECT_TRUE(ended);
  pool.join();
}

// The work waits for `go`, so that the test decides when it ends.
struct Gate {
  std::atomic<bool> begun{false};
  std::atomic<bool> go{false};
  int pass() {
    begun = true;
    begun.notify_all();
    go.wait(false);
    return 1;
  }
  void open() {
    go = true;
    go.notify_all();
  }
};

TEST(PoolWork, ACancelledCallerWaitsForTheEndAndItsResultIsDropped) {
  TestLoop loop;
  asio::thread_pool pool(1);
  Gate gate;
  const auto captured = std::make_shared<int>(1);
  bool used = false;
  bool alone = false;
  const auto task = [&]() -> asio::awaitable<void> {
    struct Look {
      const std::shared_ptr<int>& it;
      bool& alone;
      ~Look() { alone = it.use_count() == 1; }
    } const look{captured, alone};
    co_await run_on_pool(pool, [&gate, captured] { return gate.pass() + *captured; });
    used = true;
  };
  TaskGroup group(loop.io.get_executor());
  group.spawn("work", task());
  loop.io.poll();
  gate.begun.wait(false);
  const auto cancel = [&]() -> asio::awaitable<void> {
    group.cancel();
    co_return;
  };
  loop.run(cancel());
  loop.io.poll();
  EXPECT_EQ(group.size(), 1U);  // the caller waits still

  gate.open();
  loop.run(group.join());

  EXPECT_FALSE(used);
  EXPECT_TRUE(alone);  // what the work captured was destroyed before the caller went on
  pool.join();
}

TEST(PoolWork, ACancelledTaskBeginsNoWork) {
  TestLoop loop;
  asio::thread_pool pool(1);
  int runs = 0;
  const auto task = [&]() -> asio::awaitable<void> {
    try {
      co_await sleep_for(1h);
    } catch (const boost::system::system_error&) {
    }
    co_await run_on_pool(pool, [&] { return ++runs; });
  };
  TaskGroup group(loop.io.get_executor());
  group.spawn("late", task());
  loop.io.poll();

  loop.run(group.cancel_and_join());

  pool.join();
  EXPECT_EQ(runs, 0);
}

TEST(PoolWork, MayOutliveItsLoop) {
  auto io = std::make_unique<asio::io_context>();
  asio::thread_pool pool(1);
  Gate gate;
  bool used = false;
  TaskGroup group(io->get_executor());
  const auto task = [&]() -> asio::awaitable<void> {
    co_await run_on_pool(pool, [&] { return gate.pass(); });
    used = true;
  };
  group.spawn("work", task());
  io->poll();
  gate.open();
  pool.join();

  io.reset();  // the caller is destroyed, not resumed

  EXPECT_FALSE(used);
  EXPECT_EQ(group.size(), 0U);
}

// Tasks are cancelled while their work begins, runs, or ends. With asio::co_spawn onto the pool, this crashes or is reported by
// the sanitizers.
TEST(PoolWork, CancelledAtAnyMomentNothingIsLost) {
  constexpr int kRounds = 300;
  constexpr int kTasks = 8;
  Prng prng(20260101);
  asio::thread_pool pool(2);
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  int results = 0;
  for (int round = 0; round < kRounds; ++round) {
    TestLoop loop;
    TaskGroup group(loop.io.get_executor());
    const auto task = [&]() -> asio::awaitable<void> {
      std::vector<int> local(64, 1);  // of the caller's frame, used by the work
      while (true) {
        const auto sum = co_await run_on_pool(pool, [&, more = std::vector<int>(64, 1)] {
          ++begun;
          int total = 0;
          for (const int i : local) total += i;
          for (const int i : more) total += i;
          ++ended;
          return total;
        });
        EXPECT_EQ(sum, 128);
        ++results;
      }
    };
    for (int i = 0; i < kTasks; ++i) group.spawn("work", task());
    const auto turns = prng.below(40);
    const auto stop = [&]() -> asio::awaitable<void> {
      for (std::uint64_t i = 0; i < turns; ++i) co_await asio::post(loop.io, asio::use_awaitable);
      co_await group.cancel_and_join();
    };

    loop.run(stop());

    EXPECT_EQ(group.size(), 0U);
    EXPECT_EQ(begun, ended);  // none of it runs once the group is joined
  }
  EXPECT_GT(ended, results);  // some were cancelled in flight
  pool.join();
}

}  // namespace
}  // namespace mysos
