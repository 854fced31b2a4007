// SPDX-License-Identifier: Apache-2.0
// Whether an operator's failover is taken: where it is, it must also be carried out.
#include "core/switchover.h"

#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

TEST(CheckFailover, IsTakenWhereAnElectionCanEnd) {
  EpochWorld w(3);
  w.v(0).connected = false;
  EXPECT_TRUE(check_failover(w.cluster, w.views, {}));
}

TEST(CheckFailover, AnAckerWhoseVolumeTakesNoWritesProvesNothing) {
  EpochWorld w(3);
  w.v(0).connected = false;
  w.r(2).write_trouble = "no space is left on the volume";
  const Status refused = check_failover(w.cluster, w.views, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("1 of 2 needed ackers"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(check_failover(w.cluster, w.views, {.accept_loss = true}));

  w.cluster.failover = FailoverRequest{};
  EXPECT_FALSE(w.plan().next) << "the planner sees it so, too";
}

TEST(CheckFailover, SaysThatNobodyIsLeftOnWhomUsersDidNotWrite) {
  EpochWorld w(3);
  w.v(0).connected = false;
  w.cluster.epoch.floor = gtid("0-1-4");
  for (const int i : {1, 2}) {
    w.r(i).gtid_source = "0-" + std::to_string(i + 1);
    w.r(i).received = w.r(i).executed = gtid("0-1-9," + w.r(i).gtid_source + "-1");
  }
  const Status refused = check_failover(w.cluster, w.views, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("XA transaction"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(check_failover(w.cluster, w.views, {.accept_loss = true}));
  w.r(2).received = gtid("0-1-9");
  EXPECT_TRUE(check_failover(w.cluster, w.views, {})) << "c-2 can take over";
}

TEST(CheckFailover, TellsWhoseReceiverCannotStop) {
  EpochWorld w(2);
  w.v(0).connected = false;
  w.r(1).write_trouble = "no space is left on the volume";
  w.cluster.failover = FailoverRequest{.accept_loss = true};
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
  w.r(1).promised = w.cluster.epoch.pair;
  const std::string waits = w.plan().waiting_for;
  EXPECT_NE(waits.find("the volume of c-1 takes no writes"), std::string::npos) << waits;
}

}  // namespace
}  // namespace mysos
