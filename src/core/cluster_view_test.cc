// SPDX-License-Identifier: Apache-2.0
#include "core/cluster_view.h"

#include "core/epochs/epoch_world.h"
#include "model/silence.h"

namespace mysos {
namespace {

ClusterState state(const EpochWorld& w) { return state_of(w.cluster, w.views, false); }

class ClusterViewTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Member running;
    running.stage = MemberStage::kRunning;
    for (const MemberView& v : w.views) {
      running.id = v.id;
      w.cluster.members.push_back(running);
    }
  }
  EpochWorld w{3};
};

TEST_F(ClusterViewTest, IsHealthyWhereAllAreInPlace) { EXPECT_EQ(state(w), ClusterState::kHealthy); }

TEST_F(ClusterViewTest, IsDegradedWhereAReplicaDoesNotReceive) {
  w.r(2).receiver_connected = false;
  EXPECT_EQ(state(w), ClusterState::kDegraded);
}

TEST_F(ClusterViewTest, IsNotHealthyWhereAVolumeTakesNoWrites) {
  w.r(2).write_trouble = "no space is left on the volume";
  EXPECT_EQ(state(w), ClusterState::kDegraded);
  w.r(0).write_trouble = "no space is left on the volume";
  EXPECT_EQ(state(w), ClusterState::kUnavailable) << "nobody can write";
}

TEST_F(ClusterViewTest, IsNotHealthyWhereOnlyAReplicaHoldsATransactionAlsoWhileItCarriesOutAnOrder) {
  w.r(0).gtid_source = "0-1";
  w.r(2).executed = w.r(2).received = gtid("0-1-9,0-3-1");
  EXPECT_EQ(state(w), ClusterState::kDegraded);
  w.r(2).busy = true;
  EXPECT_EQ(state(w), ClusterState::kDegraded) << "an executor that waits may be busy for minutes";
  w.r(2).executed = w.r(2).received = gtid("0-1-9");
  EXPECT_EQ(state(w), ClusterState::kHealthy);
}

TEST_F(ClusterViewTest, IsNotHealthyWhereAServerDoesNotAnswer) {
  for (const int i : {0, 2}) {
    w.r(i).server_silent_ms = kServerSilentMs;
    EXPECT_EQ(state(w), ClusterState::kDegraded) << i;
    w.r(i).server_silent_ms = 0;
  }
}

TEST_F(ClusterViewTest, SaysWhatIsAmissWithAReplica) {
  w.r(2).receiver_connected = false;
  EXPECT_EQ(w.plan().waiting_for, "c-2 to be connected to the primary");
  w.r(2).problem = "Access denied";
  EXPECT_EQ(w.plan().waiting_for, "c-2 to be connected to the primary (Access denied)");
  w.r(2).server_silent_ms = 60'000;
  EXPECT_EQ(w.plan().waiting_for, "mysqld of c-2 to answer");
  w.r(2).write_trouble = "no space is left on the volume";
  EXPECT_EQ(w.plan().waiting_for, "the volume of c-2 to take writes (no space is left on the volume)")
      << "a server that waits for its disk does not answer";
  w.r(2).server = ServerState::kExited;
  w.r(2).problem = "signal 9";
  EXPECT_EQ(w.plan().waiting_for, "mysqld of c-2 to run (signal 9)");
  w.v(2).connected = false;
  EXPECT_EQ(w.plan().waiting_for, "a report of c-2");
  w.v(2).volume_lost = true;
  EXPECT_EQ(w.plan().waiting_for, "c-2, whose volume came back empty, to be replaced: it counts no more");
}

TEST_F(ClusterViewTest, IsDegradedUntilAReplicaThatWasMadeAnewHasCaughtUpAndSaysSo) {
  w.r(0).executed = w.r(0).received = gtid("0-1-20000");
  w.r(1).executed = w.r(1).received = gtid("0-1-20000");
  w.r(2).executed = gtid("0-1-9999");
  w.r(2).received = gtid("0-1-20000");
  EXPECT_EQ(state(w), ClusterState::kDegraded);
  EXPECT_EQ(w.plan().waiting_for, "c-2 to catch up: it lacks 10001 transactions");

  w.r(2).executed = gtid("0-1-10000");

  EXPECT_EQ(state(w), ClusterState::kHealthy);
  EXPECT_EQ(w.plan().waiting_for, "");
}

TEST_F(ClusterViewTest, IsDegradedUntilAnyOneMemberMayDie) {
  w.cluster.epoch.ackers.erase(id(2));
  w.r(2).acking = false;
  w.r(2).amnesiac = true;
  EXPECT_EQ(state(w), ClusterState::kDegraded);
  EXPECT_EQ(w.plan().waiting_for, "c-2 to be able to acknowledge: it may have lost relay log, and is being checked");
  w.cluster.epoch.ackers.insert(id(2));
  w.r(2).acking = true;
  EXPECT_EQ(state(w), ClusterState::kDegraded) << "the next election would ask it in vain";
  EXPECT_EQ(w.plan().waiting_for, "c-2 to be checked: it may have lost relay log");
  w.r(2).amnesiac = false;
  EXPECT_EQ(state(w), ClusterState::kHealthy);
}

// The primary says that commits wait although every replica looks well: "healthy" beside "waiting for" is a contradiction.
TEST_F(ClusterViewTest, IsNotHealthyWhileAnythingIsWaitedFor) {
  w.r(0).commits_stuck = true;
  const std::string waits = w.plan().waiting_for;
  EXPECT_EQ(waits, "a replica to acknowledge writes");

  EXPECT_EQ(state_beside(state(w), waits), ClusterState::kDegraded);

  EXPECT_EQ(state_beside(ClusterState::kHealthy, ""), ClusterState::kHealthy);
  for (const ClusterState other : {ClusterState::kUnavailable, ClusterState::kFailingOver, ClusterState::kCreating}) {
    EXPECT_EQ(state_beside(other, waits), other);
  }
}

TEST_F(ClusterViewTest, IsDegradedWhileNobodyAcknowledges) {
  w.r(0).semi_sync_clients = 0;
  EXPECT_EQ(state(w), ClusterState::kDegraded);
  EXPECT_EQ(w.plan().waiting_for, "a replica to acknowledge writes");
  w.r(0).semi_sync_clients = 2;
  w.r(0).commits_stuck = true;
  EXPECT_EQ(state(w), ClusterState::kDegraded);
}

TEST_F(ClusterViewTest, IsFailingOverWhileItsPrimaryIsReplaced) {
  w.crash_primary();
  w.r(0).server = ServerState::kExited;
  EXPECT_EQ(state(w), ClusterState::kFailingOver);
  w.cluster.epoch.electing = true;
  EXPECT_EQ(state(w), ClusterState::kFailingOver);
}

}  // namespace
}  // namespace mysos
