// SPDX-License-Identifier: Apache-2.0
// Whose data are rebuilt, and from whom.
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

using World = EpochWorld;
using std::chrono::seconds;

// Member 2 holds a transaction that nobody else has, and is no acker. The record names it: its data may go.
World with_an_errant(int members = 3, Flavour flavour = Flavour::kMysql) {
  World w(members, flavour);
  w.cluster.epoch.ackers.erase(id(2));
  MemberReport& r = w.r(2);
  r.role = MemberRole::kErrant;
  r.acking = r.receiver_running = r.receiver_connected = false;
  r.received = r.executed = gtid("0-1-9,0-7-1");
  r.generation = 4;
  w.cluster.epoch.rebuilding = id(2);
  (void)w.plan();
  w.now += w.times.rebuild_after;
  return w;
}
// ... and has thrown its data away, and waits for somebody to copy.
World with_one_that_waits() {
  World w = with_an_errant();
  MemberReport& r = w.r(2);
  r.role = MemberRole::kIdle;
  r.server = ServerState::kBroken;
  r.executed = r.received = {};
  r.needs_copy = true;
  r.generation = 5;
  r.seeding = Seeding{};
  r.seeding->state = SeedState::kFailed;
  return w;
}
std::optional<MemberId> donor_of(const EpochDecision& d, int i) {
  const auto order = World::ordered<order::Rebuild>(d, i);
  return order && order->donor ? std::optional(order->donor->member) : std::nullopt;
}

TEST(Rebuild, AnErrantMemberCopiesAReplicaAndNotThePrimary) {
  World w = with_an_errant();
  w.v(1).api_port = 77;
  const auto order = World::ordered<order::Rebuild>(w.plan(), 2);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->pair, w.cluster.epoch.pair);
  EXPECT_EQ(order->generation, 4U);
  EXPECT_EQ(order->errant.to_string(), "0-7-1") << "what only it holds";
  EXPECT_EQ(order->holds, w.r(1).executed) << "a copy without these is of a donor that was reset since";
  ASSERT_TRUE(order->donor);
  EXPECT_EQ(*order->donor, (Donor{id(1), "127.0.0.1", 4001, 77}));
}

TEST(Rebuild, ADonorHasExecutedWhatHoldsTheOtherUp) {
  World w(3);
  w.cluster.epoch.ackers.erase(id(2));
  w.cluster.epoch.rebuilding = id(2);
  MemberReport& r = w.r(2);
  r.acking = false;
  r.executed = w.r(1).executed = gtid("0-1-5");
  r.applier_stalled_ms = r.applier_waits_ms = 70'000;
  (void)w.plan();
  w.now += w.times.rebuild_after;
  EXPECT_FALSE(donor_of(w.plan(), 2)) << "its applier may be about to wait for the same lock";
  w.r(1).executed = gtid("0-1-6");
  EXPECT_EQ(donor_of(w.plan(), 2), id(1));
  w.r(1).executed = gtid("0-1-5");
  (void)w.plan();
  w.now += w.times.donor_wait;
  EXPECT_EQ(donor_of(w.plan(), 2), id(0));
}

TEST(Rebuild, OfSeveralReplicasTheOneThatLagsLeastIsCopied) {
  World w = with_an_errant(4, Flavour::kMariadb);
  w.r(1).lag_ms = 900;
  w.r(3).lag_ms = 10;
  EXPECT_EQ(donor_of(w.plan(), 2), id(3));
  w.r(3).lag_ms = -1;
  EXPECT_EQ(donor_of(w.plan(), 2), id(1));
}

TEST(Rebuild, ThePrimaryIsCopiedOnlyWhereNoReplicaCanBeForAWhile) {
  World w = with_an_errant();
  w.r(1).receiver_connected = false;
  w.r(0).semi_sync_clients = 1;
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2));
  EXPECT_EQ(w.plan().revisit <= w.now + w.times.donor_wait, true);
  w.now += w.times.donor_wait;
  w.memory.unheard_since.clear();
  w.memory.cut_since.reset();
  EXPECT_EQ(donor_of(w.plan(), 2), id(0));
}

TEST(Rebuild, WithNobodyElseThePrimaryIsCopiedAtOnce) {
  World w(2);
  w.cluster.epoch.ackers.clear();
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.r(0).semi_sync_d = 0;
  w.r(1).role = MemberRole::kErrant;
  w.r(1).acking = w.r(1).receiver_running = w.r(1).receiver_connected = false;
  w.r(1).received = gtid("0-1-9,0-7-1");
  w.cluster.epoch.rebuilding = id(1);
  (void)w.plan();
  w.now += w.times.rebuild_after;
  EXPECT_EQ(donor_of(w.plan(), 1), id(0));
}

TEST(Rebuild, NobodyWaitsForADonorThatHasToBeMadeAnewItself) {
  World w = with_an_errant(4);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).semi_sync_d = 0;
  w.r(1) = w.r(2);
  w.cluster.epoch.rebuilding = id(1);
  w.v(3).volume_lost = true;
  w.v(3).connected = false;
  (void)w.plan();
  w.now += w.times.rebuild_after;
  const EpochDecision decision = w.plan();
  EXPECT_EQ(donor_of(decision, 1), id(0));
  EXPECT_FALSE(donor_of(decision, 2)) << "one copy at a time";
}

TEST(Rebuild, ADonorGivesOneCopyAtATime) {
  World w = with_an_errant(4);
  w.r(3).seeding = Seeding{};
  w.r(3).seeding->donor = id(1);
  w.r(3).server = ServerState::kPreparing;
  w.cluster.epoch.ackers.erase(id(3));
  const EpochDecision d = w.plan();
  EXPECT_FALSE(World::ordered<order::Rebuild>(d, 2));
  w.now += seconds(600);
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2)) << "and the primary is not bothered meanwhile";
  w.r(3).seeding->state = SeedState::kDone;
  EXPECT_EQ(donor_of(w.plan(), 2), id(1));
}

TEST(Rebuild, NeverOfAnAckerAndNeverWhileElecting) {
  World w = with_an_errant();
  w.cluster.epoch.ackers.insert(id(2));
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2));
  w.cluster.epoch.ackers.erase(id(2));
  (void)w.plan();
  w.now += w.times.rebuild_after;
  EXPECT_TRUE(World::ordered<order::Rebuild>(w.plan(), 2));
  w.cluster.epoch.pair = {4, 0};
  w.cluster.epoch.electing = true;
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2));
}

TEST(Rebuild, NotBeforeThePrimaryServesAtTheRecordThatIs) {
  World w = with_an_errant();
  w.r(0).writable = false;
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2));
}

TEST(Rebuild, ACopyThatWasCutOffIsBegunAnewFromWhoeverCanBeCopiedNow) {
  World w = with_one_that_waits();
  EXPECT_EQ(donor_of(w.plan(), 2), id(1));
  EXPECT_EQ(World::ordered<order::Rebuild>(w.plan(), 2)->generation, 5U);
  EXPECT_FALSE(World::ordered<order::Follow>(w.plan(), 2));
  w.r(1).server = ServerState::kExited;
  EXPECT_FALSE(donor_of(w.plan(), 2)) << "it waits";
  w.now += w.times.donor_wait;
  EXPECT_EQ(donor_of(w.plan(), 2), id(0));
}

TEST(Rebuild, AfterCopiesThatFailedEverythingIsReplayedWhereItCanBe) {
  World w = with_one_that_waits();
  w.r(2).seeding->failures = 2;
  ASSERT_TRUE(World::ordered<order::Rebuild>(w.plan(), 2));
  EXPECT_FALSE(donor_of(w.plan(), 2));
  w.r(0).binlog_complete = false;
  EXPECT_EQ(donor_of(w.plan(), 2), id(1)) << "it can not";
}

TEST(Rebuild, WhileItCopiesItIsToldNothingAndSaysSo) {
  World w = with_one_that_waits();
  w.r(2).server = ServerState::kPreparing;
  w.r(2).needs_copy = false;
  w.r(2).seeding->state = SeedState::kCopying;
  w.r(2).seeding->donor = id(1);
  const EpochDecision d = w.plan();
  EXPECT_TRUE(d.orders.empty());
  EXPECT_NE(d.waiting_for.find("copied"), std::string::npos) << d.waiting_for;
}

TEST(Rebuild, NoElectionWaitsForAMemberThatCopies) {
  World w = with_one_that_waits();
  w.r(2).server = ServerState::kPreparing;
  w.r(2).needs_copy = false;
  w.crash_primary();
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
  w.fence(1);
  (void)w.plan();
  w.now += w.times.stragglers_wait;
  EXPECT_EQ(w.persist().kind, EventKind::kPrimaryChosen);
  EXPECT_EQ(w.cluster.epoch.primary, id(1));
  EXPECT_EQ(w.cluster.epoch.ackers, (std::set<MemberId>{}));
}

TEST(Rebuild, AnEmptyMemberReplaysALittleAndCopiesMuch) {
  World w(3);
  w.cluster.epoch.ackers.erase(id(2));
  MemberReport& r = w.r(2);
  r.role = MemberRole::kIdle;
  r.acking = r.receiver_running = r.receiver_connected = false;
  r.executed = r.received = {};
  EXPECT_TRUE(World::ordered<order::Follow>(w.plan(), 2));
  w.r(0).binlog_complete = false;
  EXPECT_EQ(donor_of(w.plan(), 2), id(1)) << "there is nothing to replay from";
  w.r(0).binlog_complete = true;
  w.r(0).executed = w.r(1).executed = w.r(1).received = gtid("0-1-50000");
  EXPECT_EQ(donor_of(w.plan(), 2), id(1));
}

TEST(Rebuild, AReplicaWhoseSourceHasPurgedWhatItNeedsIsCopiedAnew) {
  World w(3);
  w.cluster.epoch.ackers.erase(id(2));
  w.r(2).acking = w.r(2).receiver_running = w.r(2).receiver_connected = false;
  w.r(2).received = w.r(2).executed = gtid("0-1-3");
  EXPECT_TRUE(World::ordered<order::Follow>(w.plan(), 2));
  w.r(2).binlog_gone = true;
  w.cluster.epoch.rebuilding = id(2);
  EXPECT_FALSE(World::ordered<order::Follow>(w.plan(), 2)) << "it would be refused again, and look mended until then";
  w.now += w.times.rebuild_after;
  EXPECT_EQ(donor_of(w.plan(), 2), id(1));
  w.cluster.epoch.ackers.insert(id(2));
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2)) << "an acker is dropped first";
}

// Member 0 is solo. The appliers of all others have stopped, and what those would need next is purged.
World all_stopped_and_left_behind(int members) {
  World w(members);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).semi_sync_d = w.r(0).semi_sync_clients = 0;
  for (int i = 1; i < members; ++i) {
    MemberReport& r = w.r(i);
    r.acking = r.receiver_running = r.receiver_connected = r.applier_running = false;
    r.binlog_gone = true;
    r.applier_restarts = 1;
    r.applier_error = {1032, "no such row"};
    r.received = gtid("0-1-7");
    r.executed = gtid("0-1-6");
  }
  return w;
}

TEST(Rebuild, DataThatNeverReceiveTheRestAreNotKeptAsTheOnlyOtherCopy) {
  for (const int members : {2, 3, 5}) {
    World w = all_stopped_and_left_behind(members);
    EXPECT_NE(w.plan().waiting_for.find("purged what it would need next"), std::string::npos) << w.plan().waiting_for;
    w.now += w.times.rebuild_after;
    EXPECT_EQ(w.persist().kind, EventKind::kRebuildStarted)
        << "none of them can ever acknowledge, so none is to wait for another";
    for (MemberView& v : w.views) v.report->promised = w.cluster.epoch.pair;
    ASSERT_EQ(w.cluster.epoch.rebuilding, id(1));
    const EpochDecision d = w.plan();
    EXPECT_EQ(donor_of(d, 1), id(0)) << "at once: the others are no donors";
    for (int i = 2; i < members; ++i) EXPECT_FALSE(World::ordered<order::Rebuild>(d, i)) << "one member at a time";
  }
}

// Seen with MySQL: the receivers start again for each new order, and look connected until their source refuses them.
TEST(Rebuild, AReplicaThatIsLeftBehindDoesNotLookRebuiltWhileItsReceiverStartsAgain) {
  World w = all_stopped_and_left_behind(3);
  w.cluster.epoch.rebuilding = id(1);
  for (int i = 1; i < 3; ++i) w.r(i).receiver_running = w.r(i).receiver_connected = w.r(i).applier_running = true;
  EXPECT_FALSE(w.plan().next) << "neither does the rebuild end, nor does somebody acknowledge";
  w.r(1).acking = true;  // by an order of before
  EXPECT_FALSE(w.plan().next);
  w.r(1).acking = w.r(1).binlog_gone = false;
  w.r(1).applier_restarts = 0;
  w.r(1).executed = w.r(1).received = gtid("0-1-9");
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildEnded);
}

// Each of two such replicas would be given the data of the other, again and again (seed 428902).
TEST(Rebuild, AReplicaThatIsLeftBehindItselfIsNoDonor) {
  World w(3);
  w.cluster.epoch.ackers.clear();
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.r(0).semi_sync_d = w.r(0).semi_sync_clients = 0;
  w.cluster.epoch.rebuilding = id(2);
  for (int i = 1; i < 3; ++i) {
    w.r(i).acking = false;
    w.r(i).binlog_gone = true;
    w.r(i).received = w.r(i).executed = gtid("0-1-3");
  }
  w.r(2).receiver_running = w.r(2).receiver_connected = false;
  (void)w.plan();
  w.now += w.times.rebuild_after;
  EXPECT_EQ(donor_of(w.plan(), 2), id(0)) << "at once";
}

// It was rebuilt, had to acknowledge at once, and somebody wrote on it before the record said that it is rebuilt.
TEST(Rebuild, ARebuiltMemberThatAcknowledgesDoesNotKeepTheOthersFromBeingRebuilt) {
  World w(3);
  w.r(0).gtid_source = "0-1";
  w.cluster.epoch.ackers.erase(id(2));
  w.v(2).connected = false;
  w.cluster.epoch.rebuilding = id(1);
  w.r(1).executed = w.r(1).received = gtid("0-1-9,0-2-1");
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildEnded);
}

TEST(Rebuild, WhatOnlyAReplicaThatIsLeftBehindHoldsIsNamed) {
  World w = all_stopped_and_left_behind(3);
  w.r(0).gtid_source = "0-1";
  w.r(1).executed = w.r(1).received = gtid("0-1-7,0-7-1");
  w.v(2).volume_lost = true;
  w.v(2).connected = false;
  (void)w.plan();
  w.now += w.times.rebuild_after;
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildStarted);
  for (MemberView& v : w.views) v.report->promised = w.cluster.epoch.pair;
  const auto order = World::ordered<order::Rebuild>(w.plan(), 1);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->errant.to_string(), "0-7-1");
}

TEST(Rebuild, DataThatNeverReceiveTheRestAreKeptWhileThePrimaryDoesNotServeAsItShould) {
  World w = all_stopped_and_left_behind(3);
  w.r(0).write_trouble = "no space is left on the volume";
  (void)w.plan();
  w.now += seconds(600);
  EXPECT_FALSE(w.plan().next);
  w.r(0).write_trouble.clear();
  w.memory.stalled_since.reset();
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildStarted);
}

TEST(Rebuild, DataThatNeverReceiveTheRestAreNotCheckedForWhatTheyForgot) {
  World w = all_stopped_and_left_behind(3);
  w.r(1).amnesiac = w.r(2).amnesiac = true;
  EXPECT_FALSE(w.plan().next);
  w.r(1).busy = true;  // it gets an order to follow again
  EXPECT_FALSE(w.plan().next);
  w.r(1).busy = false;
  EXPECT_FALSE(w.plan().next) << "each record would make it follow again, and that would make another record";
  w.now += w.times.rebuild_after;
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildStarted);
}

TEST(Rebuild, AStoppedReplicaThatOnlyHasNoConnectionIsKept) {
  World w = all_stopped_and_left_behind(3);
  w.r(1).binlog_gone = w.r(2).binlog_gone = false;
  (void)w.plan();
  w.now += seconds(600);
  const EpochDecision d = w.plan();
  EXPECT_FALSE(d.next) << "it may receive the rest once it is connected";
  EXPECT_NE(d.waiting_for.find("waits for another replica to acknowledge"), std::string::npos) << d.waiting_for;
}

}  // namespace
}  // namespace mysos
