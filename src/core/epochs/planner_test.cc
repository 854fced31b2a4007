// SPDX-License-Identifier: Apache-2.0
// What the planner makes of a record and of what is seen: one story a test.
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

using std::chrono::seconds;

using World = EpochWorld;

TEST(EpochPlanner, LeavesAHealthyClusterAlone) {
  World w(3);
  const auto d = w.plan();
  EXPECT_FALSE(d.next);
  EXPECT_TRUE(d.orders.empty());
  EXPECT_EQ(d.waiting_for, "");
}

TEST(EpochPlanner, MakesTheFirstPrimaryOfTheWholeSet) {
  World w(3);
  w.cluster.epoch = EpochRecord{};
  for (int i = 0; i < 3; ++i) {
    w.r(i) = MemberReport{};
    w.r(i).server = ServerState::kRunning;
  }
  w.persist();
  EXPECT_TRUE(w.cluster.epoch.electing);
  EXPECT_EQ(w.cluster.epoch.pair, (Pair{1, 0}));
  w.fence(0);
  w.fence(1);
  EXPECT_FALSE(w.plan().next) << "the third is waited for";
  EXPECT_TRUE(World::ordered<order::Fence>(w.plan(), 2));
  w.fence(2);
  w.persist();
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kNormal);
  EXPECT_EQ(w.cluster.epoch.ackers.size(), 2U);
}

TEST(EpochPlanner, ReplacesACrashedPrimaryByAnAckerThatHasEverything) {
  World w(3);
  w.crash_primary();
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
  EXPECT_TRUE(World::ordered<order::Fence>(w.plan(), 1));
  w.r(1).received = w.r(1).executed = gtid("0-1-9");
  w.r(2).received = gtid("0-1-10");
  w.r(2).executed = gtid("0-1-9");
  w.fence(1);
  w.fence(2);
  EXPECT_FALSE(w.plan().next) << "nobody has executed 0-1-10, which may have been acknowledged";
  w.r(2).executed = gtid("0-1-10");

  w.persist();

  EXPECT_EQ(w.cluster.epoch.primary, id(2));
  EXPECT_EQ(w.cluster.epoch.ackers, (std::set<MemberId>{id(1)}));
  EXPECT_EQ(w.cluster.epoch.shut_out, (std::set<MemberId>{id(0)}));
  EXPECT_EQ(w.cluster.epoch.floor, gtid("0-1-10"));
}

TEST(EpochPlanner, NeedsAQuorumOfAckersOrTheOldPrimary) {
  World w(3);
  w.crash_primary();
  w.persist();
  w.fence(1);
  w.v(2).connected = false;
  w.now += seconds(60);
  EXPECT_FALSE(w.plan().next) << "the other acker may hold a write that this one lacks";
  EXPECT_NE(w.plan().waiting_for, "");

  w.r(0).server = ServerState::kRunning;
  w.fence(0);
  EXPECT_TRUE(w.plan().next) << "the old primary's own log holds all that it acknowledged";
}

TEST(EpochPlanner, AnAmnesiacAckerDoesNotCount) {
  World w(3, Flavour::kMariadb);
  w.crash_primary();
  w.persist();
  w.fence(1);
  w.fence(2);
  w.r(2).amnesiac = true;
  w.now += seconds(60);

  EXPECT_FALSE(w.plan().next);
}

TEST(EpochPlanner, NeverChoosesBelowTheFloor) {
  World w(3);
  w.crash_primary();
  w.persist();
  for (int i : {1, 2}) {
    w.fence(i);
    w.r(i).executed = w.r(i).received = gtid("0-1-3");
  }
  w.now += seconds(60);
  EXPECT_FALSE(w.plan().next);
}

TEST(EpochPlanner, AReportOfAnEarlierPairIsNoFence) {
  World w(3);
  w.crash_primary();
  w.persist();
  w.fence(1);
  w.fence(2);
  w.r(2).promised = {3, 1};
  w.now += seconds(60);
  EXPECT_FALSE(w.plan().next);
}

TEST(EpochPlanner, DoesNotReplaceAPrimaryThatOnlyTheSchedulerCannotSee) {
  World w(3);
  w.v(0).connected = false;
  EXPECT_FALSE(w.plan().next);
  w.now += seconds(60);
  EXPECT_FALSE(w.plan().next) << "its ackers still receive from it";
  w.r(1).receiver_connected = w.r(2).receiver_connected = false;
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
}

TEST(EpochPlanner, WaitsForAPrimaryThatServedAlone) {
  World w(3);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.crash_primary();
  w.now += seconds(60);
  EXPECT_FALSE(w.plan().next);
  EXPECT_NE(w.plan().waiting_for.find("was solo"), std::string::npos);
}

TEST(EpochPlanner, TellsARestartedPrimaryToGoOnWhereItCannotBeReplaced) {
  World w(1);
  w.r(0).role = MemberRole::kIdle;
  w.r(0).writable = false;
  const auto promote = World::ordered<order::Promote>(w.plan(), 0);
  ASSERT_TRUE(promote);
  EXPECT_EQ(promote->pair, w.cluster.epoch.pair);
  EXPECT_EQ(promote->d, 0U);
}

TEST(EpochPlanner, BringsAMemberBackStepByStep) {
  World w(3);
  w.cluster.epoch.ackers = {id(1)};
  w.cluster.epoch.shut_out = {id(2)};
  w.r(2).promised = {2, 4};
  w.r(2).role = MemberRole::kIdle;
  w.r(2).acking = w.r(2).receiver_running = w.r(2).receiver_connected = false;

  const auto follow = World::ordered<order::Follow>(w.plan(), 2);
  ASSERT_TRUE(follow);
  EXPECT_FALSE(follow->acking) << "named first, then told to acknowledge";
  w.r(2).promised = w.cluster.epoch.pair;
  w.follow(w.r(2), false);
  w.r(2).receiver_connected = false;
  EXPECT_EQ(w.persist().kind, EventKind::kMemberLetIn);
  EXPECT_TRUE(w.cluster.epoch.shut_out.empty());
  EXPECT_TRUE(w.cluster.epoch.ackers.contains(id(1)) && !w.cluster.epoch.ackers.contains(id(2)));
  EXPECT_FALSE(w.plan().next) << "the new config goes to everybody first";
  for (int i = 0; i < 3; ++i) w.r(i).promised = w.cluster.epoch.pair;
  w.r(2).receiver_connected = true;
  EXPECT_EQ(w.persist().kind, EventKind::kAckerAdded);
  for (int i = 0; i < 2; ++i) w.r(i).promised = w.cluster.epoch.pair;
  EXPECT_TRUE(World::ordered<order::Follow>(w.plan(), 2)->acking);
}

TEST(EpochPlanner, GoesSoloOnlyAfterAWhileAndNamesItFirst) {
  World w(2);
  w.v(1).connected = false;
  w.r(0).semi_sync_clients = 0;
  EXPECT_FALSE(w.plan().next);
  EXPECT_LE(w.plan().revisit, w.now + w.times.solo_after);
  w.now += w.times.solo_after;
  const auto d = w.persist();
  EXPECT_EQ(d.kind, EventKind::kSoloEntered);
  EXPECT_TRUE(d.orders.empty()) << "told only after it is durable";
  EXPECT_EQ(World::ordered<order::Promote>(w.plan(), 0)->d, 0U);
}

TEST(EpochPlanner, LeavesSoloInTheModelsOrder) {
  World w(3);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).semi_sync_d = 0;
  w.r(1).acking = false;
  w.v(2).connected = false;

  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeaving);
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kSolo) << "still: nobody counts yet";
  EXPECT_EQ(w.cluster.epoch.joining, (std::set<MemberId>{id(1)}));
  EXPECT_EQ(w.cluster.epoch.shut_out, (std::set{id(1), id(2)})) << "an old acker may still acknowledge; the new one is "
                                                                   "to receive nothing silently that waits for it";
  w.r(1).promised = w.cluster.epoch.pair;
  w.r(1).acking = true;
  EXPECT_FALSE(w.plan().next) << "the primary has not confirmed that it waits again";
  w.r(0).promised = w.cluster.epoch.pair;
  w.r(0).semi_sync_d = 1;
  EXPECT_EQ(w.persist().kind, EventKind::kMemberLetIn);
  EXPECT_EQ(w.cluster.epoch.shut_out, std::set{id(2)});
  w.r(0).promised = w.r(1).promised = w.cluster.epoch.pair;
  w.r(0).executed = gtid("0-1-12");
  EXPECT_FALSE(w.plan().next) << "the replica lacks what was acknowledged alone";
  w.r(1).received = gtid("0-1-12");
  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeft);
  EXPECT_EQ(w.cluster.epoch.ackers, (std::set<MemberId>{id(1)}));
}

TEST(EpochPlanner, SwitchesOverToTheTargetAndSaysSo) {
  World w(3);
  w.cluster.switchover_to = id(2);
  EXPECT_EQ(w.persist().kind, EventKind::kSwitchoverStarted);
  const auto early = World::ordered<order::Fence>(w.plan(), 1);
  ASSERT_TRUE(early);
  EXPECT_EQ(early->next_port, w.v(2).source_port) << "it is pointed at the target before the pause";
  EXPECT_FALSE(World::ordered<order::Fence>(w.plan(), 0)) << "clients go on: the target acknowledges";
  EXPECT_FALSE(World::ordered<order::Fence>(w.plan(), 2));
  w.fence(1);
  EXPECT_TRUE(World::ordered<order::Fence>(w.plan(), 0));
  EXPECT_FALSE(World::ordered<order::Fence>(w.plan(), 2)) << "the target receives the last writes first";
  w.r(0).executed = w.r(0).received = gtid("0-1-12");
  w.fence(0);
  const auto last = World::ordered<order::Fence>(w.plan(), 2);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->receive, gtid("0-1-12")) << "before its receiver stops";
  w.r(2).executed = w.r(2).received = gtid("0-1-12");
  w.fence(2);
  EXPECT_EQ(w.persist().kind, EventKind::kSwitchoverDone);
  EXPECT_EQ(w.cluster.epoch.primary, id(2));
  EXPECT_EQ(w.cluster.epoch.ackers, (std::set<MemberId>{id(0), id(1)}));
}

TEST(Switchover, LeavesAsManyAckersAsCommitsWaitForUntilThePrimaryIsQuiet) {
  World w(5);
  w.cluster.epoch.d = 2;
  w.r(0).semi_sync_d = 2;
  w.cluster.switchover_to = id(4);
  EXPECT_EQ(w.persist().kind, EventKind::kSwitchoverStarted);

  const EpochDecision d = w.plan();

  EXPECT_FALSE(World::ordered<order::Fence>(d, 0));
  EXPECT_FALSE(World::ordered<order::Fence>(d, 1)) << "one beside the target";
  EXPECT_TRUE(World::ordered<order::Fence>(d, 2));
  EXPECT_TRUE(World::ordered<order::Fence>(d, 3));
  EXPECT_FALSE(World::ordered<order::Fence>(d, 4));
}

TEST(Switchover, DoesNotWaitLongForThoseWhoAreFencedFirst) {
  World w(3);
  w.cluster.switchover_to = id(2);
  w.persist();
  EXPECT_FALSE(World::ordered<order::Fence>(w.plan(), 0));

  w.now += w.times.early_wait;

  EXPECT_TRUE(World::ordered<order::Fence>(w.plan(), 0));
  EXPECT_FALSE(World::ordered<order::Fence>(w.plan(), 2));
}

TEST(Switchover, FencesEverybodyAtOnceWhenItsPrimaryGoesAway) {
  World w(3);
  w.cluster.switchover_to = id(2);
  w.persist();
  w.fence(1);
  w.crash_primary();
  w.v(0).connected = false;

  const auto last = World::ordered<order::Fence>(w.plan(), 2);

  ASSERT_TRUE(last);
  EXPECT_EQ(*last, (order::Fence{w.cluster.epoch.pair})) << "nothing is to be waited for";
}

TEST(EpochPlanner, RebuildsAnErrantMemberAfterAWhileButNeverAnAcker) {
  World w(3);
  w.cluster.epoch.ackers = {id(1)};
  w.r(2).role = MemberRole::kErrant;
  w.r(2).acking = w.r(2).receiver_running = w.r(2).receiver_connected = false;
  w.r(2).received = gtid("0-1-9,0-7-1");
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2));
  w.now += w.times.rebuild_after;
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildStarted);
  for (int i = 0; i < 3; ++i) w.r(i).promised = w.cluster.epoch.pair;
  EXPECT_TRUE(World::ordered<order::Rebuild>(w.plan(), 2));
  w.cluster.epoch.ackers.insert(id(2));
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2));
}

// It is in the primary's binlog, and MySQL executes it only once it was acknowledged: by just that acker, perhaps.
TEST(EpochPlanner, WhoHoldsACommitThatWaitsForAnAckerFollows) {
  World w(2);
  w.r(0).in_flight = gtid("0-1-10");
  w.r(1).received = gtid("0-1-10");
  w.r(1).role = MemberRole::kIdle;
  w.r(1).acking = w.r(1).receiver_running = w.r(1).receiver_connected = false;

  const auto follow = World::ordered<order::Follow>(w.plan(), 1);

  ASSERT_TRUE(follow);
  EXPECT_TRUE(follow->source_executed.contains(gtid("0-1-10")));
}

TEST(EpochPlanner, WhoHoldsACommitThatWaitsForAnAckerIsNotRebuilt) {
  World w(3);
  w.cluster.epoch.ackers = {id(1)};
  w.r(2).role = MemberRole::kErrant;
  w.r(2).acking = w.r(2).receiver_running = w.r(2).receiver_connected = false;
  w.r(2).received = gtid("0-1-10");
  (void)w.plan();
  w.r(0).in_flight = gtid("0-1-10");
  w.now += w.times.rebuild_after;

  const auto d = w.plan();

  EXPECT_FALSE(World::ordered<order::Rebuild>(d, 2));
  EXPECT_TRUE(World::ordered<order::Follow>(d, 2)) << "a newer read of the primary shows that it is not errant";
}

TEST(EpochPlanner, AnAmnesiacThatKnowsWhatItForgotMakesAFailoverPossible) {
  World w(3, Flavour::kMariadb);
  w.r(1).amnesiac = true;
  w.crash_primary();
  EXPECT_FALSE(w.plan().next) << "the election could not be ended";
  w.r(1).known = gtid("0-1-9");
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
}

TEST(EpochPlanner, CertifiesAnAmnesiacByAReadAfterItsRestart) {
  World w(3, Flavour::kMariadb);
  w.r(1).amnesiac = true;
  w.r(1).incarnation = "b";
  EXPECT_EQ(w.persist().kind, EventKind::kCertificationStarted);
  EXPECT_FALSE(World::ordered<order::Certify>(w.plan(), 1)) << "that read may be older than its restart";
  for (int i = 0; i < 3; ++i) w.r(i).promised = w.cluster.epoch.pair;
  const auto certify = World::ordered<order::Certify>(w.plan(), 1);
  ASSERT_TRUE(certify);
  EXPECT_EQ(certify->incarnation, "b");
}

TEST(EpochPlanner, CertifiesAnAmnesiacThoughWritesGoOnAllTheTime) {
  World w(3, Flavour::kMariadb);
  w.r(1).amnesiac = true;
  w.r(1).incarnation = "b";
  EXPECT_EQ(w.persist().kind, EventKind::kCertificationStarted);
  for (int i = 0; i < 3; ++i) w.r(i).promised = w.cluster.epoch.pair;
  w.r(0).executed = w.r(0).received = gtid("0-1-20");
  EXPECT_FALSE(World::ordered<order::Certify>(w.plan(), 1));

  w.r(1).received = gtid("0-1-25");
  w.r(0).executed = w.r(0).received = gtid("0-1-30");

  const auto certify = World::ordered<order::Certify>(w.plan(), 1);
  ASSERT_TRUE(certify);
  EXPECT_EQ(certify->executed, gtid("0-1-20")) << "the first read after its restart";
}

TEST(EpochPlanner, WaitsForMoreAcknowledgementsInLargerClusters) {
  EXPECT_EQ(wanted_d(Flavour::kMysql, 1), 1U);
  EXPECT_EQ(wanted_d(Flavour::kMysql, 2), 1U);
  EXPECT_EQ(wanted_d(Flavour::kMysql, 4), 2U);
  EXPECT_EQ(wanted_d(Flavour::kMariadb, 4), 1U);
}

TEST(Election, OneThatFailedIsNotChosenAgainForBeingFencedFirst) {
  World w(3);
  (void)w.plan();
  w.r(1).receiver_connected = w.r(2).receiver_connected = false;  // cut off: they are slow to let go of it
  (void)w.plan();
  w.now += w.times.cut_after;
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
  w.fence(0);
  (void)w.plan();
  w.now += w.times.stragglers_wait;
  EXPECT_FALSE(w.plan().next) << "the others are reachable and about to be fenced";
  w.fence(1);
  w.fence(2);
  w.r(1).executed = w.r(2).executed = gtid("0-1-8");
  EXPECT_FALSE(w.plan().next) << "they apply what they have received";
  w.r(1).executed = gtid("0-1-9");
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(1));
}

TEST(Election, OneThatFailedIsChosenAgainWhereTheOthersDoNotComeInTime) {
  World w(3);
  w.crash_primary();
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
  w.r(0).server = ServerState::kRunning;
  w.fence(0);
  (void)w.plan();
  w.now += w.times.target_wait;
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(0));
}

}  // namespace
}  // namespace mysos
