// SPDX-License-Identifier: Apache-2.0
// Replicas that run and could not become the primary: they stop counting, are given other data one at a time, and never keep an
// election waiting for ever.
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

using World = EpochWorld;
using std::chrono::seconds;

void stop_applier(MemberReport& r) {
  r.applier_running = false;
  r.applier_restarts = 1;
  r.applier_error = {1032, "Could not execute Update_rows event on table d.m"};
  r.executed = gtid("0-1-7");
}
void write_on(World& w, int i) {
  w.r(0).gtid_source = "0-1";
  w.r(i).gtid_source = "0-" + std::to_string(i + 1);
  w.r(i).executed = w.r(i).received = gtid("0-1-9," + w.r(i).gtid_source + "-1");
}
// All have promised the record that is, and do what it says.
void settle(World& w) {
  for (MemberView& v : w.views) {
    v.report->promised = w.cluster.epoch.pair;
    if (v.report->role != MemberRole::kReplica) continue;
    v.report->acking = w.cluster.epoch.ackers.contains(v.id) && !w.cluster.epoch.leaving.contains(v.id);
  }
}
// The records that the planner writes by itself, until it wants none.
std::vector<EventKind> go_on(World& w, Duration wait) {
  std::vector<EventKind> kinds;
  (void)w.plan();
  w.now += wait;
  for (int i = 0; i < 10; ++i) {
    const EpochDecision d = w.plan();
    if (!d.next) return kinds;
    kinds.push_back(d.kind);
    w.cluster.epoch = *d.next;
    settle(w);
  }
  return kinds;
}

class RepairTest : public ::testing::TestWithParam<bool> {  // whether somebody wrote on it, rather than its applier stopping
 protected:
  void harm(World& w, int i) {
    w.r(0).gtid_source = "0-1";
    GetParam() ? write_on(w, i) : stop_applier(w.r(i));
  }
};
INSTANTIATE_TEST_SUITE_P(Harm, RepairTest, testing::Bool(),
                         [](const auto& i) { return i.param ? "WrittenOn" : "ApplierStopped"; });

TEST_P(RepairTest, AnAckerThatCouldNotBecomeThePrimaryIsDroppedNamedAndMadeAnew) {
  World w(3);
  harm(w, 1);
  EXPECT_EQ(go_on(w, w.times.drop_after), (std::vector<EventKind>{EventKind::kAckerLeaving,
                                                                    EventKind::kAckerDropped, EventKind::kMemberLetIn}));
  EXPECT_EQ(w.cluster.epoch.ackers, (std::set<MemberId>{id(2)}));

  EXPECT_EQ(go_on(w, w.times.rebuild_after), (std::vector<EventKind>{EventKind::kRebuildStarted}));

  EXPECT_EQ(w.cluster.epoch.rebuilding, id(1));
  const auto order = World::ordered<order::Rebuild>(w.plan(), 1);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->donor->member, id(2));
}

TEST_P(RepairTest, OfTwoOneGoesOnAcknowledgingUntilTheOtherIsMadeAnewFromThePrimary) {
  World w(3);
  harm(w, 1);
  harm(w, 2);
  (void)go_on(w, w.times.drop_after);
  ASSERT_EQ(w.cluster.epoch.ackers.size(), 1U);
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kNormal);

  (void)go_on(w, w.times.rebuild_after);

  ASSERT_TRUE(w.cluster.epoch.rebuilding);
  const EpochDecision d = w.plan();
  const int named = *w.cluster.epoch.rebuilding == id(1) ? 1 : 2;
  EXPECT_FALSE(World::ordered<order::Rebuild>(d, 3 - named));
  const auto order = World::ordered<order::Rebuild>(d, named);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->donor->member, id(0)) << "at once: the other is no donor";
}

TEST_P(RepairTest, TheLastCopyBesideThePrimarysIsKeptAndAcknowledges) {
  World w(3);
  harm(w, 1);
  w.v(2).connected = false;
  w.cluster.epoch.ackers.erase(id(2));
  w.r(0).semi_sync_clients = 1;
  EXPECT_EQ(go_on(w, seconds(600)), (std::vector<EventKind>{}));
  EXPECT_EQ(w.cluster.epoch.ackers, (std::set<MemberId>{id(1)}));
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kNormal);
  EXPECT_NE(w.plan().waiting_for, "");
}

TEST_P(RepairTest, TheOnlyReplicaOfAClusterOfTwoIsMadeAnewAfterAWhile) {
  World w(2);
  harm(w, 1);
  (void)w.plan();
  w.now += w.times.rebuild_after;
  EXPECT_FALSE(w.plan().next) << "somebody may mend it";
  EXPECT_NE(w.plan().waiting_for, "");

  w.now += w.times.rebuild_only_after;
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildStarted);

  EXPECT_EQ(w.cluster.epoch.rebuilding, id(1));
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kSolo) << "it counts no more, before its data are thrown away";
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 1)) << "it may acknowledge still";
  const auto alone = World::ordered<order::Promote>(w.plan(), 0);
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->d, 0U);
  settle(w);
  w.r(0).semi_sync_d = 0;
  const auto order = World::ordered<order::Rebuild>(w.plan(), 1);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->donor->member, id(0));
  EXPECT_FALSE(w.plan().next) << "it is not named to acknowledge";
}

TEST_P(RepairTest, WhileThePrimaryCannotWriteTheOnlyReplicaIsKept) {
  World w(2);
  harm(w, 1);
  (void)w.plan();
  w.now += w.times.rebuild_only_after;
  w.r(0).write_trouble = "no space is left";
  EXPECT_FALSE(w.plan().next);
  w.r(0).write_trouble.clear();
  (void)w.plan();
  w.now += w.times.rebuild_only_after;
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildStarted);
}

TEST(Repair, TheOnlyReplicaAcknowledgesAgainOnceItHasItsNewData) {
  World w(2);
  w.cluster.epoch.rebuilding = id(1);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).semi_sync_d = 0;
  w.r(1).acking = false;
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildEnded);
  settle(w);
  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeaving);
}

// ---- binary logs that somebody reset ----

// The failover of a primary that was reset: c-1 lacks something, and c-2 has yet to say what it holds.
World failover_of_reset() {
  World w(3);
  w.r(0).logs_reset = true;
  w.r(0).executed = w.r(0).received = gtid("0-1-1");
  const EpochDecision d = w.persist();
  EXPECT_EQ(d.kind, EventKind::kFailoverStarted);
  EXPECT_EQ(d.cause, FailoverCause::kLogsReset);
  w.fence(0);
  w.fence(1);
  w.r(1).executed = w.r(1).received = gtid("0-1-5");
  EXPECT_FALSE(w.plan().next) << "what is left of the old primary's names proves nothing";
  return w;
}

TEST(Repair, APrimaryWhoseLogsWereResetIsReplacedByOneThatHasEverything) {
  World w = failover_of_reset();
  w.fence(2);
  (void)w.plan();
  w.now += w.times.target_wait;
  EXPECT_EQ(w.persist().kind, EventKind::kPrimaryChosen);
  EXPECT_EQ(w.cluster.epoch.primary, id(2));
  EXPECT_FALSE(w.cluster.epoch.ackers.contains(id(0)));
}

TEST(Repair, APrimaryWhoseLogsWereResetGoesOnWhereNobodyIsProvenToHaveEverything) {
  World w = failover_of_reset();
  w.now += w.times.target_wait;
  EXPECT_EQ(w.persist().kind, EventKind::kPrimaryChosen);
  EXPECT_EQ(w.cluster.epoch.primary, id(0));
  EXPECT_EQ(w.cluster.epoch.names_from, w.cluster.epoch.pair);
}

TEST(Repair, AReplicaWhoseLogsWereResetIsMadeAnew) {
  World w(3);
  w.r(1).logs_reset = w.r(1).amnesiac = true;
  (void)go_on(w, w.times.drop_after);
  EXPECT_EQ(w.cluster.epoch.ackers, (std::set<MemberId>{id(2)}));
  w.r(1).role = MemberRole::kErrant;
  w.r(1).receiver_running = w.r(1).receiver_connected = w.r(1).acking = false;
  EXPECT_EQ(go_on(w, w.times.rebuild_after), (std::vector<EventKind>{EventKind::kRebuildStarted}));
  EXPECT_TRUE(World::ordered<order::Rebuild>(w.plan(), 1));
}

TEST(Repair, APrimaryAloneWhoseLogsWereResetOpensAgainWithoutTheNames) {
  World w(1);
  w.r(0).logs_reset = true;
  w.r(0).led = 3;
  w.r(0).executed = w.r(0).received = gtid("0-1-1");
  w.r(0).role = MemberRole::kIdle;
  w.r(0).writable = false;
  const auto order = World::ordered<order::Promote>(w.plan(), 0);
  ASSERT_TRUE(order);
  EXPECT_TRUE(order->floor.empty());
  w.r(0).led = 2;
  EXPECT_EQ(World::ordered<order::Promote>(w.plan(), 0)->floor, gtid("0-1-4")) << "it has not opened in this epoch yet";
}

// ---- a primary that does not say what it holds ----

TEST(Repair, AReplicaIsToldToFollowOnlyWhatItsPrimaryIsKnownToHold) {
  World w(3);
  w.crash_primary();
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).crashed = false;
  w.r(0).executed = w.r(0).received = {};
  w.r(1).role = MemberRole::kIdle;
  w.r(1).receiver_running = w.r(1).acking = false;
  EXPECT_FALSE(World::ordered<order::Follow>(w.plan(), 1)) << "it would look errant";
}

TEST_P(RepairTest, ItIsNamedAnAckerAgainOnlyWhereNobodyElseIsThere) {
  World w(3);
  w.cluster.epoch.ackers.erase(id(1));
  w.r(1).acking = false;
  harm(w, 1);
  EXPECT_FALSE(w.plan().next);
}

TEST_P(RepairTest, ItIsNoDonor) {
  World w(4, Flavour::kMariadb);
  w.cluster.epoch.ackers = {id(3)};
  for (const int i : {1, 2}) w.r(i).acking = false;
  harm(w, 1);
  w.r(2).needs_copy = true;
  w.r(2).role = MemberRole::kIdle;
  const auto order = World::ordered<order::Rebuild>(w.plan(), 2);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->donor->member, id(3));
}

TEST(Repair, AReplicaThatIsKilledForMemoryAgainAndAgainIsMadeAnew) {
  World w(3);
  w.cluster.epoch.ackers = {id(2)};
  w.r(1).acking = false;
  for (const int i : {0, 2}) w.r(i).executed = w.r(i).received = gtid("0-1-5000");
  w.r(1).memory_kills = 2;
  EXPECT_EQ(go_on(w, w.times.rebuild_after), (std::vector<EventKind>{}));

  w.r(1).memory_kills = 3;
  EXPECT_EQ(go_on(w, w.times.rebuild_after), (std::vector<EventKind>{EventKind::kRebuildStarted}));
  const auto order = World::ordered<order::Rebuild>(w.plan(), 1);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->donor->member, id(2));
}

TEST(Repair, WhereBothReplicasAreKilledForMemoryOneAfterTheOtherIsMadeAnewFromThePrimary) {
  World w(3);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).semi_sync_d = 0;
  w.r(0).executed = w.r(0).received = gtid("0-1-5000");
  for (const int i : {1, 2}) {
    w.r(i).acking = false;
    w.r(i).memory_kills = 3;
  }
  EXPECT_EQ(go_on(w, w.times.rebuild_after), (std::vector<EventKind>{EventKind::kRebuildStarted}));
  EXPECT_EQ(w.cluster.epoch.rebuilding, id(1));
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2));
}

TEST(Repair, TwoThatAreErrantAreNeverThrownAwayTogether) {
  World w(3);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).semi_sync_d = 0;
  for (const int i : {1, 2}) {
    w.r(i).role = MemberRole::kErrant;
    w.r(i).acking = w.r(i).receiver_running = w.r(i).receiver_connected = false;
    w.r(i).received = gtid("0-1-9,0-7-" + std::to_string(i));
  }
  (void)go_on(w, w.times.rebuild_after);
  ASSERT_EQ(w.cluster.epoch.rebuilding, id(1));
  EXPECT_TRUE(World::ordered<order::Rebuild>(w.plan(), 1));
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2));

  w.r(1).needs_copy = true;
  w.r(1).role = MemberRole::kIdle;
  w.r(1).received = w.r(1).executed = {};
  w.v(1).connected = false;  // its machine is gone meanwhile
  EXPECT_EQ(go_on(w, seconds(60)), (std::vector<EventKind>{})) << "beside the primary's there are only these data";
  EXPECT_FALSE(World::ordered<order::Rebuild>(w.plan(), 2));
}

TEST(Repair, TheNameGoesOnceItFollowsAgain) {
  World w(3);
  w.cluster.epoch.rebuilding = id(1);
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildEnded);
  EXPECT_FALSE(w.cluster.epoch.rebuilding);
}

TEST(Repair, TheNameOutlivesAnElection) {
  World w(3);
  w.cluster.epoch.rebuilding = id(2);
  w.v(2).connected = false;
  w.cluster.epoch.ackers = {id(1)};
  w.crash_primary();
  w.persist();
  w.fence(1);
  (void)w.plan();
  w.now += w.times.stragglers_wait;
  EXPECT_EQ(w.persist().kind, EventKind::kPrimaryChosen);
  EXPECT_EQ(w.cluster.epoch.rebuilding, id(2));
}

TEST(Repair, WhileItLeavesAStoppedOneIsNotToldToBeSilent) {
  World w(3, Flavour::kMariadb);
  stop_applier(w.r(1));
  w.cluster.epoch.leaving = w.cluster.epoch.shut_out = {id(1)};
  w.r(2).received = w.r(2).executed = gtid("0-1-8");  // not all that the primary has
  EXPECT_FALSE(World::ordered<order::Follow>(w.plan(), 1)) << "MariaDB would forget what still counts";
}

// ---- elections ----

World without_primary(bool accept_loss) {
  World w(3);
  w.crash_primary();
  w.v(0).connected = false;
  w.v(0).report->server = ServerState::kExited;
  w.cluster.epoch.pair = {4, 0};
  w.cluster.epoch.electing = true;
  if (accept_loss) w.cluster.failover = FailoverRequest{.to = std::nullopt, .accept_loss = true};
  for (const int i : {1, 2}) {
    w.fence(i);
    w.r(i).applier_running = true;
  }
  return w;
}

TEST(Repair, AnElectionThatAStoppedApplierHoldsUpSaysSoAndTheWayOut) {
  World w = without_primary(false);
  stop_applier(w.r(1));
  w.r(2).executed = w.r(2).received = gtid("0-1-8");
  (void)w.plan();
  w.now += seconds(60);
  const EpochDecision d = w.plan();
  EXPECT_FALSE(d.next) << "0-1-9 may have been acknowledged";
  EXPECT_NE(d.waiting_for.find("the applier of c-1 has stopped: error 1032"), std::string::npos) << d.waiting_for;
  EXPECT_NE(d.waiting_for.find("--accept-loss"), std::string::npos) << d.waiting_for;
}

TEST(Repair, AnAcceptedLossEndsInAPrimaryWhateverTheAppliersSay) {
  World w = without_primary(true);
  for (const int i : {1, 2}) stop_applier(w.r(i));
  w.r(2).executed = gtid("0-1-8");
  (void)w.plan();
  w.now += w.times.loss_wait;

  const EpochDecision d = w.persist();

  EXPECT_EQ(d.kind, EventKind::kFailoverForced);
  EXPECT_EQ(w.cluster.epoch.primary, id(2)) << "it has executed most";
  EXPECT_EQ(w.cluster.epoch.floor, gtid("0-1-8"));
  EXPECT_NE(d.why.find("0-1-9"), std::string::npos) << d.why;
}

TEST(Repair, AnAcceptedLossWaitsForAnApplierThatWorks) {
  World w = without_primary(true);
  stop_applier(w.r(1));
  w.r(2).executed = gtid("0-1-3");
  w.r(2).received = gtid("0-1-8");
  (void)w.plan();
  w.now += w.times.loss_wait;
  EXPECT_FALSE(w.plan().next) << "it will have executed more than the other";
  w.r(2).executed = gtid("0-1-8");
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverForced);
  EXPECT_EQ(w.cluster.epoch.primary, id(2));
}

}  // namespace
}  // namespace mysos
