// SPDX-License-Identifier: Apache-2.0
// A fence waits for the relay log to be durable, and for no other work of its executor.
#include "executor/relay_sync.h"

#include <latch>

#include "base/fs.h"
#include "base/pool_work.h"
#include "base/test_dir.h"
#include "base/test_loop.h"

namespace mysos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RelaySyncTest : public ::testing::Test {
 protected:
  RelaySyncTest() { EXPECT_TRUE(write_file_atomic(dir.path() + "/relay.000001", "events", 0600)); }
  ~RelaySyncTest() override {
    if (!gate.try_wait()) gate.count_down();
    loop.run([](TaskGroup& all) -> asio::awaitable<void> { co_await all.join(); }(tasks));
    pools.join();
  }
  // Work that ends with the test.
  void occupy(asio::thread_pool& pool) {
    tasks.spawn("occupied", [](asio::thread_pool& of, std::latch& until) -> asio::awaitable<void> {
      co_await run_on_pool(of, [&until] { until.wait(); });
    }(pool, gate));
  }
  Status make_durable(Duration at_most) {
    Status out;
    loop.run([](RelaySync& it, Duration time, Status& result) -> asio::awaitable<void> {
      result = co_await it.make_durable(time);
    }(*sync, at_most, out));
    return out;
  }

  TestDir dir;
  std::latch gate{1};
  Pools pools;
  TestLoop loop;
  TaskGroup tasks{loop.io.get_executor()};
  std::shared_ptr<RelaySync> sync = std::make_shared<RelaySync>(tasks, pools, dir.path());
};

TEST_F(RelaySyncTest, EndsWhileCopiesAndAllOtherWorkOccupyTheirThreads) {
  for (asio::thread_pool* pool : {&pools.copies, &pools.steps, &pools.binlogs, &pools.looks, &pools.sockets}) {
    for (int i = 0; i < 2; ++i) occupy(*pool);
  }

  EXPECT_TRUE(make_durable(seconds(20)));

  EXPECT_FALSE(gate.try_wait()) << "they are still at work";
}

TEST_F(RelaySyncTest, ADiskThatDoesNotTakeItIsWaitedForNoLongerThanItsCallerWants) {
  occupy(pools.syncs);
  loop.io.poll();

  const Status hangs = make_durable(milliseconds(20));
  ASSERT_FALSE(hangs);
  EXPECT_EQ(hangs.error().code, Errc::kTimeout);
  gate.count_down();

  EXPECT_TRUE(make_durable(seconds(20))) << "the same try has ended";
}

TEST_F(RelaySyncTest, OfAReplicaThatAcknowledgesIsDoneOnce) {
  EXPECT_TRUE(make_durable(seconds(20)));
  EXPECT_TRUE(remove_tree(dir.path()));
  EXPECT_TRUE(make_durable(seconds(20))) << "it is durable already";

  sync->silenced();

  EXPECT_FALSE(make_durable(seconds(20)));
}

}  // namespace
}  // namespace mysos
