// SPDX-License-Identifier: Apache-2.0
// A record that may be old: who is asked, and whom the members prove to be complete (ADR 9).
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

// The record says that c-0 is the primary of epoch 3. In truth c-1 has been the primary of epoch 5 since.
EpochWorld put_back(int members = 3) {
  EpochWorld w(members);
  w.cluster.spec.name = "shop";
  w.cluster.doubt = RecordDoubt{.why = "state.db was put back"};
  for (int i = 0; i < members; ++i) {
    w.r(i).promised = {5, 2};
    w.r(i).led = 0;
    w.r(i).role = MemberRole::kReplica;
    w.r(i).source = id(1);
    w.r(i).writable = false;
    w.r(i).receiver_running = w.r(i).receiver_connected = true;
  }
  w.r(0).led = 3;
  w.r(1).led = 5;
  w.r(1).role = MemberRole::kPrimary;
  w.r(1).writable = true;
  w.r(1).receiver_running = w.r(1).receiver_connected = false;
  for (int i = 0; i < members; ++i) w.r(i).executed = w.r(i).received = gtid("0-1-12");
  return w;
}

// The election that asks every member, with all of them fenced.
EpochWorld asked(int members = 3) {
  EpochWorld w = put_back(members);
  w.persist();
  w.cluster.doubt->asking = w.cluster.epoch.pair.epoch;
  for (int i = 0; i < members; ++i) w.fence(i);
  return w;
}

TEST(EpochDoubt, LeavesTheClusterAloneUntilAllItsMembersAreInReach) {
  EpochWorld w = put_back();
  w.v(2).connected = false;
  w.now += std::chrono::minutes(10);

  const EpochDecision d = w.plan();

  EXPECT_FALSE(d.next);
  EXPECT_TRUE(d.orders.empty());
  EXPECT_NE(d.waiting_for.find("c-2, which is unreachable"), std::string::npos) << d.waiting_for;
  EXPECT_NE(d.waiting_for.find("mysos failover shop --accept-loss"), std::string::npos) << d.waiting_for;
}

TEST(EpochDoubt, WaitsForAServerThatDoesNotRunAndForALostVolume) {
  EpochWorld w = put_back();
  w.r(0).server = ServerState::kExited;
  w.r(0).problem = "no space";
  w.v(2).volume_lost = true;
  w.v(2).report = SharedValue<MemberReport>();

  const EpochDecision d = w.plan();

  EXPECT_FALSE(d.next);
  EXPECT_NE(d.waiting_for.find("c-0, whose mysqld does not run (no space)"), std::string::npos) << d.waiting_for;
  EXPECT_NE(d.waiting_for.find("c-2, which has lost its volume"), std::string::npos) << d.waiting_for;
}

TEST(EpochDoubt, AMemberThatPromisedNothingIsNotTakenForOneThatHeldNothing) {
  EpochWorld w = put_back();
  w.r(2).promised = {};
  w.r(2).executed = w.r(2).received = GtidSet();

  const EpochDecision d = w.plan();

  EXPECT_FALSE(d.next);
  EXPECT_NE(d.waiting_for.find("c-2, which has promised nothing"), std::string::npos) << d.waiting_for;
}

TEST(EpochDoubt, AsksAllAboveWhatAnybodyHasPromised) {
  EpochWorld w = put_back();

  const EpochDecision d = w.plan();

  ASSERT_TRUE(d.next);
  EXPECT_EQ(d.next->pair, (Pair{6, 0}));
  EXPECT_TRUE(d.next->electing);
  EXPECT_EQ(d.kind, EventKind::kRecordAsked);
}

TEST(EpochDoubt, DoesNotEndAnElectionOfTheOldRecord) {
  EpochWorld w = put_back();
  w.cluster.epoch.pair = {4, 0};
  w.cluster.epoch.electing = true;
  w.v(1).connected = false;

  const EpochDecision d = w.plan();

  EXPECT_FALSE(d.next);
  EXPECT_TRUE(d.orders.empty());
}

TEST(EpochDoubt, OneOfAllThatHasExecutedEverythingIsChosen) {
  EpochWorld w = asked();
  w.r(1).executed = gtid("0-1-12");
  w.r(0).executed = w.r(0).received = gtid("0-1-10");
  w.r(2).executed = gtid("0-1-11");
  w.r(2).received = gtid("0-1-12");

  const EpochDecision d = w.persist();

  EXPECT_EQ(w.cluster.epoch.primary, id(1));
  EXPECT_EQ(w.cluster.epoch.pair, (Pair{6, 1}));
  EXPECT_EQ(w.cluster.epoch.floor, gtid("0-1-12"));
  EXPECT_EQ(d.kind, EventKind::kRecordRenewed);
}

TEST(EpochDoubt, NobodyIsChosenBeforeAllHaveSaidWhatTheyHold) {
  EpochWorld w = asked();
  w.r(0).busy = true;
  w.now += std::chrono::minutes(10);

  const EpochDecision d = w.plan();

  EXPECT_FALSE(d.next);
  EXPECT_NE(d.waiting_for.find("c-0 to say what it holds"), std::string::npos) << d.waiting_for;
}

// c-0, the primary of the old record, wrote after it had been cut off: nobody acknowledged that.
TEST(EpochDoubt, TheLastPrimaryIsCompleteWhereAnOlderOneHoldsMore) {
  EpochWorld w = asked();
  w.r(0).executed = w.r(0).received = gtid("0-1-9,1-7-3");
  w.r(1).executed = w.r(1).received = w.r(2).executed = w.r(2).received = gtid("0-1-12");

  const EpochDecision d = w.persist();

  EXPECT_NE(w.cluster.epoch.primary, id(0)) << d.why;
  EXPECT_FALSE(w.cluster.epoch.ackers.contains(id(0)));
}

TEST(EpochDoubt, WhatTheLastPrimaryHoldsProvesNothingOnceItsDataWereThrownAway) {
  EpochWorld w = asked();
  w.r(0).executed = w.r(0).received = gtid("0-1-9,1-7-3");
  w.r(1).led_kept = false;
  w.r(1).executed = w.r(1).received = GtidSet();

  const EpochDecision d = w.plan();

  EXPECT_FALSE(d.next);
  EXPECT_NE(d.waiting_for.find("an operator"), std::string::npos) << d.waiting_for;
  EXPECT_NE(d.waiting_for.find("c-1 lacks 15"), std::string::npos) << d.waiting_for;
}

TEST(EpochDoubt, AMemberThatDoesNotKnowWhenItWasPrimaryMayHaveBeenTheLast) {
  EpochWorld w = asked();
  w.r(0).executed = w.r(0).received = gtid("0-1-9,1-7-3");
  w.r(2).led.reset();

  EXPECT_FALSE(w.plan().next);
}

// Its server does not run before somebody tells it whom to copy, and in doubt nobody does.
TEST(EpochDoubt, AMemberThatWaitsForACopyIsAskedAndHoldsNothing) {
  EpochWorld w = put_back();
  w.r(2).server = ServerState::kPreparing;
  w.r(2).needs_copy = true;
  w.r(2).executed = w.r(2).received = GtidSet();
  w.persist();
  w.cluster.doubt->asking = w.cluster.epoch.pair.epoch;
  w.fence(0);
  w.fence(1);
  EXPECT_TRUE(EpochWorld::ordered<order::Fence>(w.plan(), 2));
  EXPECT_FALSE(w.plan().next);

  w.r(2).promised = w.cluster.epoch.pair;
  const EpochDecision d = w.persist();

  EXPECT_EQ(d.kind, EventKind::kRecordRenewed);
  EXPECT_NE(w.cluster.epoch.primary, id(2));
}

TEST(EpochDoubt, ACandidateHasExecutedTheFloorOfTheOldRecord) {
  EpochWorld w = asked();
  w.cluster.epoch.floor = gtid("0-1-14");

  EXPECT_FALSE(w.plan().next);
}

TEST(EpochDoubt, AVirginRecordMakesNoFirstPrimaryOfMembersThatHadOne) {
  EpochWorld w = asked();
  w.cluster.epoch.mode = EpochMode::kVirgin;
  w.cluster.epoch.primary.reset();
  w.cluster.epoch.ackers.clear();
  w.cluster.epoch.floor = GtidSet();
  w.r(0).executed = w.r(0).received = gtid("0-1-9,1-7-40000");  // more, and not what was acknowledged

  const EpochDecision d = w.persist();

  EXPECT_NE(w.cluster.epoch.primary, id(0));
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kNormal);
  EXPECT_EQ(d.kind, EventKind::kRecordRenewed);
}

TEST(EpochDoubt, AnybodyMayBeginWhereThereNeverWasAPrimary) {
  EpochWorld w = asked();
  for (int i = 0; i < 3; ++i) w.r(i).led = 0;
  w.r(0).executed = w.r(0).received = gtid("0-1-1");
  w.r(1).executed = w.r(1).received = gtid("0-2-1");
  w.r(2).executed = w.r(2).received = GtidSet();
  w.cluster.epoch.floor = GtidSet();

  EXPECT_TRUE(w.plan().next);
}

TEST(EpochDoubt, AnOrderThatWasUnderWayForLongMakesItAskAgain) {
  EpochWorld w = asked();
  w.r(2).promised = {7, 1};
  w.r(2).role = MemberRole::kReplica;

  const EpochDecision d = w.plan();

  ASSERT_TRUE(d.next);
  EXPECT_EQ(d.next->pair, (Pair{8, 0}));
  EXPECT_TRUE(d.next->electing);
}

TEST(EpochDoubt, AnAcceptedLossTakesTheLastPrimaryInReach) {
  EpochWorld w = put_back();
  w.cluster.failover = FailoverRequest{.to = std::nullopt, .accept_loss = true};
  w.v(1).connected = false;
  w.v(1).report = SharedValue<MemberReport>();
  w.r(0).promised = w.r(2).promised = {3, 1};
  w.r(2).executed = w.r(2).received = gtid("0-1-20");  // more, and it was never a primary

  const EpochDecision asked_for = w.persist();
  EXPECT_EQ(w.cluster.epoch.pair.config, 0U);
  EXPECT_GT(w.cluster.epoch.pair.epoch, 1000U) << "c-1 may have promised what no reachable member knows";
  EXPECT_EQ(asked_for.kind, EventKind::kRecordAsked);
  w.cluster.doubt->asking = w.cluster.epoch.pair.epoch;
  w.fence(0);
  w.fence(2);
  EXPECT_FALSE(w.plan().next) << "the third may come back";
  w.now += w.times.loss_wait;
  const EpochDecision d = w.persist();

  EXPECT_EQ(w.cluster.epoch.primary, id(0));
  EXPECT_EQ(d.kind, EventKind::kFailoverForced);
  EXPECT_NE(d.why.find("not asked: c-1"), std::string::npos) << d.why;
  EXPECT_NE(d.why.find("lost, as an operator accepted"), std::string::npos) << d.why;
}

// ---- who is fenced when ----

// The election that asks every member has begun, and nobody has heard of it yet. c-1 serves.
EpochWorld begun() {
  EpochWorld w = put_back();
  w.persist();
  w.cluster.doubt->asking = w.cluster.epoch.pair.epoch;
  return w;
}

TEST(EpochDoubt, TheTruePrimaryIsFencedBeforeThoseThatAcknowledgeItsCommits) {
  EpochWorld w = begun();
  const EpochDecision first = w.plan();
  EXPECT_TRUE(EpochWorld::ordered<order::Fence>(first, 1));
  EXPECT_FALSE(EpochWorld::ordered<order::Fence>(first, 0) || EpochWorld::ordered<order::Fence>(first, 2));
  EXPECT_LE(first.revisit, w.now + w.times.leader_wait);

  w.r(1).promised = w.cluster.epoch.pair;  // it is being made quiet
  w.r(1).busy = true;
  EXPECT_FALSE(EpochWorld::ordered<order::Fence>(w.plan(), 2));

  w.fence(1);
  w.r(1).executed = w.r(1).received = gtid("0-1-14");
  const EpochDecision then = w.plan();
  for (const int i : {0, 2}) {
    const auto fence = EpochWorld::ordered<order::Fence>(then, i);
    ASSERT_TRUE(fence) << i;
    EXPECT_EQ(fence->receive, gtid("0-1-14")) << "the rest is on its way to it";
  }
}

TEST(EpochDoubt, OneThatDoesNotFollowTheTruePrimaryIsFencedAtOnce) {
  EpochWorld w = begun();
  w.r(0).role = MemberRole::kPrimary;  // of the old record, cut off until now
  w.r(0).writable = true;
  const EpochDecision d = w.plan();
  EXPECT_TRUE(EpochWorld::ordered<order::Fence>(d, 0));
  EXPECT_TRUE(EpochWorld::ordered<order::Fence>(d, 1));
  EXPECT_FALSE(EpochWorld::ordered<order::Fence>(d, 2));
}

TEST(EpochDoubt, AllAreFencedWhereTheTruePrimaryDoesNotBecomeQuiet) {
  EpochWorld w = begun();
  (void)w.plan();
  w.r(1).promised = w.cluster.epoch.pair;
  w.r(1).busy = true;
  w.now += w.times.leader_wait;
  const EpochDecision late = w.plan();
  EXPECT_TRUE(EpochWorld::ordered<order::Fence>(late, 0) && EpochWorld::ordered<order::Fence>(late, 2));
}

TEST(EpochDoubt, AllAreFencedAtOnceWhereTheTruePrimaryIsNotThereOrIsKilled) {
  for (const int how : {0, 1, 2}) {
    EpochWorld w = begun();
    if (how == 0) w.v(1).connected = false;
    if (how == 1) w.r(1).server = ServerState::kStopping;
    if (how == 2) w.r(1).server_silent_ms = 1000;  // frozen: it will be killed
    const EpochDecision d = w.plan();
    EXPECT_TRUE(EpochWorld::ordered<order::Fence>(d, 0) && EpochWorld::ordered<order::Fence>(d, 2)) << how;
  }
}

}  // namespace
}  // namespace mysos
