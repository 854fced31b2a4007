// SPDX-License-Identifier: Apache-2.0
// Elections after users wrote on replicas: that was never acknowledged, and on MySQL it may have undone what was.
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

using World = EpochWorld;
using std::chrono::seconds;

void write_on(World& w, int i) {
  w.r(i).executed = w.r(i).received = w.r(i).received.united(gtid(w.r(i).gtid_source + "-1"));
}

// The primary c-0 has failed; both its ackers are fenced.
World without_primary(Flavour flavour) {
  World w(3, flavour);
  for (int i = 0; i < 3; ++i) w.r(i).gtid_source = "0-" + std::to_string(i + 1);
  w.crash_primary();
  w.v(0).connected = false;
  w.r(0).server = ServerState::kExited;
  w.cluster.spec.name = "shop";
  w.cluster.epoch.pair = {4, 0};
  w.cluster.epoch.electing = true;
  for (const int i : {1, 2}) {
    w.fence(i);
    w.r(i).applier_running = true;
  }
  return w;
}

class LocalWrites : public ::testing::TestWithParam<Flavour> {};
INSTANTIATE_TEST_SUITE_P(Both, LocalWrites, testing::Values(Flavour::kMysql, Flavour::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(LocalWrites, TheReplicaOnWhichNobodyWroteIsChosenAtOnce) {
  World w = without_primary(GetParam());
  write_on(w, 1);
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(2));
  EXPECT_FALSE(w.cluster.epoch.ackers.contains(id(1)));
}

TEST_P(LocalWrites, AnOperatorsTargetOnWhichSomebodyWroteIsNotChosen) {
  World w = without_primary(GetParam());
  w.cluster.failover = FailoverRequest{.to = id(1), .accept_loss = false};
  write_on(w, 1);
  (void)w.plan();
  w.now += w.times.target_wait;
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(2));
}

TEST_P(LocalWrites, TheOldPrimaryComesBackAndGoesOn) {
  World w = without_primary(GetParam());
  for (const int i : {1, 2}) write_on(w, i);
  EXPECT_FALSE(w.plan().next);
  w.v(0).connected = true;
  w.r(0).server = ServerState::kRunning;
  w.fence(0);
  w.now += w.times.loss_wait;
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(0));
}

// XA ROLLBACK of a replicated transaction, on each of them: an XA PREPARE that was acknowledged is undone.
TEST(LocalWritesOnMysql, NobodyIsChosenWhereSomebodyWroteOnEachUntilAnOperatorSaysSo) {
  World w = without_primary(Flavour::kMysql);
  for (const int i : {1, 2}) write_on(w, i);
  (void)w.plan();
  w.now += seconds(60);
  const EpochDecision d = w.plan();
  EXPECT_FALSE(d.next);
  EXPECT_NE(d.waiting_for.find("c-1: 0-2-1, c-2: 0-3-1"), std::string::npos) << d.waiting_for;
  EXPECT_NE(d.waiting_for.find("failover shop --accept-loss"), std::string::npos) << d.waiting_for;

  w.cluster.failover = FailoverRequest{.to = std::nullopt, .accept_loss = true};
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverForced);
}

// MariaDB refuses to end a replicated XA transaction on a replica.
TEST(LocalWritesOnMariadb, WhatUsersWroteOnTwoReplicasKeepsNoElectionWaiting) {
  World w = without_primary(Flavour::kMariadb);
  for (const int i : {1, 2}) write_on(w, i);
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.target_wait;
  EXPECT_EQ(w.persist().kind, EventKind::kPrimaryChosen);
}

TEST_P(LocalWrites, WhatAnEarlierPrimaryWroteAndOthersHoldIsNotLeftOut) {
  World w = without_primary(GetParam());
  w.r(1).received = gtid("0-1-9,0-2-1");
  w.r(2).received = gtid("0-1-9,0-2-1");  // it has spread; it is not executed yet
  w.r(1).executed = gtid("0-1-9");
  (void)w.plan();
  w.now += seconds(60);
  EXPECT_FALSE(w.plan().next);
}

// An old record does not know who wrote as the primary; what the last leader holds says it.
TEST(LocalWritesOnMysql, InDoubtTooTheOneOnWhichNobodyWroteIsChosen) {
  World w = without_primary(Flavour::kMysql);
  w.cluster.doubt = RecordDoubt{.why = "state.db was put back"};
  w.cluster.doubt->asking = 4;
  w.v(0).connected = true;
  w.r(0).server = ServerState::kRunning;
  for (int i = 0; i < 3; ++i) {
    w.fence(i);
    w.r(i).led = 0;
  }
  w.r(0).led = 3;
  w.cluster.epoch.primary = id(1);  // of the old record
  w.v(0).connected = false;  // it said what it holds, and cannot be told to open
  write_on(w, 1);
  (void)w.plan();
  w.now += w.times.target_wait;
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(2));
}

}  // namespace
}  // namespace mysos
