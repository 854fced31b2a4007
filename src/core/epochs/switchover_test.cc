// SPDX-License-Identifier: Apache-2.0
// When a switchover begins, when it is given up, and what then becomes of everybody.
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

using World = EpochWorld;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Clients write: the primary is always some transactions ahead of what the target last said.
void write_on(World& w, int up_to) { w.r(0).executed = w.r(0).received = gtid("0-1-" + std::to_string(up_to)); }
void apply(World& w, int member, int up_to) { w.r(member).executed = gtid("0-1-" + std::to_string(up_to)); }
void receive(World& w, int member, int up_to) { w.r(member).received = gtid("0-1-" + std::to_string(up_to)); }

TEST(Switchover, BeginsAtOnceWhereTheTargetHasExecutedWhatThePrimaryHas) {
  World w(3);
  w.cluster.switchover_to = id(2);
  EXPECT_EQ(w.persist().kind, EventKind::kSwitchoverStarted);
}

TEST(Switchover, BeginsWhileClientsWriteOnceTheTargetIsSeenToKeepUp) {
  World w(3);
  w.cluster.switchover_to = id(2);
  write_on(w, 500);
  const EpochDecision first = w.plan();
  EXPECT_FALSE(first.next) << "nobody knows yet how long it takes";
  EXPECT_LE(first.revisit, w.now + w.times.near_within);
  w.now += milliseconds(200);
  write_on(w, 900);
  receive(w, 2, 800);
  apply(w, 2, 600);
  EXPECT_EQ(w.persist().kind, EventKind::kSwitchoverStarted) << "300 behind, and yet it is near";
}

// The simulator's seed 1825: a deadline that does not lie in the future is looked at again and again.
TEST(Switchover, MeasuresToTheEndAndNotForEver) {
  World w(3);
  w.cluster.switchover_to = id(2);
  write_on(w, 500);
  (void)w.plan();
  w.now += w.times.near_within;
  const EpochDecision d = w.plan();
  EXPECT_GT(d.revisit, w.now);
  EXPECT_NE(d.waiting_for.find("it executes what was written 0.4 s ago"), std::string::npos) << d.waiting_for;
}

TEST(Switchover, WaitsForATargetThatIsInALongTransactionAndFencesNobody) {
  World w(3);
  w.cluster.switchover_to = id(2);
  write_on(w, 10);
  receive(w, 2, 10);
  w.r(2).applier_stalled_ms = 48'000;

  const EpochDecision d = w.plan();

  EXPECT_FALSE(d.next);
  EXPECT_FALSE(World::ordered<order::Fence>(d, 0) || World::ordered<order::Fence>(d, 1) || World::ordered<order::Fence>(d, 2));
  EXPECT_NE(d.waiting_for.find("c-2 lacks 1 transaction(s) and has been executing one for 48 s"), std::string::npos)
      << d.waiting_for;
  EXPECT_TRUE(d.switchover_ends.empty());
  w.now += seconds(5);
  apply(w, 2, 10);
  w.r(2).applier_stalled_ms = 0;
  EXPECT_FALSE(w.plan().next) << "what it executed was five seconds old";
  EXPECT_EQ(w.persist().kind, EventKind::kSwitchoverStarted);
}

TEST(Switchover, WaitsForATargetThatExecutesOldTransactionsOneByOne) {
  World w(3);
  w.cluster.switchover_to = id(2);
  EXPECT_FALSE(w.memory.approach);
  for (int second = 0; second < 10; ++second) {
    write_on(w, 5000 + 1000 * second);
    apply(w, 2, 1000 + 1000 * second);  // four seconds behind, for ever
    EXPECT_FALSE(w.plan().next) << second;
    w.now += seconds(1);
  }
  const std::string why = w.plan().waiting_for;
  EXPECT_NE(why.find("c-2 lacks 4000 transaction(s): it executes what was written"), std::string::npos) << why;
}

TEST(Switchover, IsGivenUpAfterAWhileWithTheReasonInNumbers) {
  World w(3);
  w.cluster.switchover_to = id(2);
  write_on(w, 1209);
  w.r(2).applier_stalled_ms = 50'000;
  EXPECT_TRUE(w.plan().switchover_ends.empty());
  EXPECT_LE(w.plan().revisit, w.now + w.times.approach_wait);
  w.now += w.times.approach_wait;

  const EpochDecision d = w.plan();

  EXPECT_FALSE(d.next) << "the record is what it was: nobody was fenced";
  EXPECT_NE(d.switchover_ends.find("c-2 lacks 1200 transaction(s) and has been executing one for 50 s"), std::string::npos)
      << d.switchover_ends;
  w.cluster.switchover_to.reset();
  EXPECT_TRUE(w.plan().switchover_ends.empty());
  EXPECT_FALSE(w.memory.approach) << "the next one has its own time";
}

TEST(Switchover, SaysThatItsTargetDoesNotFollowAndWhy) {
  World w(3);
  w.cluster.switchover_to = id(2);
  w.r(2).receiver_connected = false;
  w.r(2).problem = "connection refused";
  EXPECT_NE(w.plan().waiting_for.find("c-2 does not follow the primary (connection refused)"), std::string::npos)
      << w.plan().waiting_for;
}

// Commits wait for two of four ackers: without the target and with the old primary there must be another.
TEST(Switchover, WaitsUntilEnoughOthersAcknowledge) {
  World w(5);
  w.cluster.epoch.d = 2;
  w.r(0).semi_sync_d = 2;
  w.cluster.switchover_to = id(4);
  for (const int i : {1, 2, 3}) w.r(i).receiver_connected = false;
  w.times.cut_after = w.times.drop_after = seconds(1000);
  w.r(0).semi_sync_clients = 2;
  EXPECT_NE(w.plan().waiting_for.find("too few other replicas"), std::string::npos) << w.plan().waiting_for;
  w.r(3).receiver_connected = true;
  EXPECT_EQ(w.persist().kind, EventKind::kSwitchoverStarted);
}

// Begun when the target was near; then a client committed what takes a minute to execute.
World begun_and_then_stuck() {
  World w(3);
  w.cluster.switchover_to = id(2);
  w.persist();
  w.fence(1);
  write_on(w, 10);
  w.fence(0);
  receive(w, 1, 10);
  receive(w, 2, 10);
  w.fence(2);
  return w;
}

TEST(Switchover, ThatCannotGoOnGivesTheOldPrimaryBackAtOnce) {
  World w = begun_and_then_stuck();
  EXPECT_FALSE(w.plan().next) << "it may execute it in a moment";
  w.now += w.times.drain_stall;
  w.r(2).applier_stalled_ms = 1000;
  w.r(1).applier_stalled_ms = 1000;

  const EpochDecision d = w.persist();

  EXPECT_EQ(d.kind, EventKind::kSwitchoverFailed);
  EXPECT_NE(d.why.find("c-0 stays the primary: c-2 lacks 1 transaction(s) and has been executing one for 1.0 s"),
            std::string::npos)
      << d.why;
  EXPECT_EQ(w.cluster.epoch.primary, id(0));
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kNormal) << "not solo";
  EXPECT_EQ(w.cluster.epoch.ackers, (std::set{id(1), id(2)})) << "what they received is executed where it counts";
  w.cluster.switchover_to.reset();
  const EpochDecision next = w.plan();
  EXPECT_TRUE(World::ordered<order::Promote>(next, 0));
  EXPECT_EQ(World::ordered<order::Follow>(next, 1)->source, id(0));
  EXPECT_EQ(World::ordered<order::Follow>(next, 2)->source, id(0)) << "nobody is left fenced";
}

TEST(Switchover, WaitsForATargetThatExecutesAsLongAsItGetsOn) {
  World w = begun_and_then_stuck();
  w.now += w.times.drain_stall * 2;
  EXPECT_FALSE(w.plan().next);
  apply(w, 2, 10);
  EXPECT_EQ(w.persist().kind, EventKind::kSwitchoverDone);
}

TEST(Switchover, ThatCannotGoOnPrefersTheOldPrimaryToAnotherReplica) {
  World w = begun_and_then_stuck();
  apply(w, 1, 10);
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.target_wait;
  EXPECT_EQ(w.persist().kind, EventKind::kSwitchoverFailed);
  EXPECT_EQ(w.cluster.epoch.primary, id(0)) << "the target follows it still";
}

// It failed once, long ago; that is no reason to wait for others now.
TEST(Switchover, FromAPrimaryThatWasReplacedOnceGivesItBackAtOnceToo) {
  World w(3);
  w.memory.flaps.avoid = id(0);
  w.cluster.switchover_to = id(2);
  w.persist();
  EXPECT_FALSE(w.memory.flaps.avoid);
}

}  // namespace
}  // namespace mysos
