// SPDX-License-Identifier: Apache-2.0
// Appliers that run, have received more, and execute nothing: what is said of them, and what is decided.
#include "model/stalled_applier.h"

#include "core/cluster_view.h"
#include "core/epochs/epoch_world.h"
#include "core/epochs/soundness.h"
#include "core/switchover.h"

namespace mysos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kLock = "a row lock that no session holds; prepared XA transactions there: 'a1'";

// It has received 0-1-7 to 0-1-9, and has executed none of them for so long.
void stall(MemberReport& r, Duration stalled, Duration waits = Duration::zero()) {
  r.executed = gtid("0-1-6");
  r.received = gtid("0-1-9");
  r.applier_running = true;
  r.applier_stalled_ms = static_cast<std::uint32_t>(to_ms(stalled));
  r.applier_waits_ms = static_cast<std::uint32_t>(to_ms(waits));
  r.applier_waits_for = waits > Duration::zero() ? kLock : "";
  r.applier_does = "altering table";
}

ClusterState state(EpochWorld& w) {
  if (w.cluster.members.empty()) {
    for (const MemberView& v : w.views) {
      Member m;
      m.id = v.id;
      m.stage = MemberStage::kRunning;
      w.cluster.members.push_back(m);
    }
  }
  return state_of(w.cluster, w.views, false);
}

bool lasts(const EpochWorld& w) {
  const auto flaw = flaw_of(w.cluster.epoch, *w.views[0].report, *w.views[2].report);
  return flaw && flaw->lasts;
}

// The primary is gone; the others are fenced, and member 1 still has what was acknowledged to execute.
EpochWorld electing(bool accept_loss = false) {
  EpochWorld w(3);
  w.crash_primary();
  w.v(0).connected = false;
  w.cluster.epoch.pair = {4, 0};
  w.cluster.epoch.electing = true;
  w.cluster.epoch.floor = gtid("0-1-4");
  for (const int i : {1, 2}) w.fence(i);
  if (accept_loss) w.cluster.failover = FailoverRequest{.to = std::nullopt, .accept_loss = true};
  return w;
}

TEST(StalledApplier, MakesTheClusterDegradedAndIsNamed) {
  EpochWorld w(3);
  ASSERT_EQ(state(w), ClusterState::kHealthy);
  stall(w.r(2), milliseconds(9900));
  EXPECT_EQ(state(w), ClusterState::kHealthy) << "most transactions that take seconds are over by then";

  stall(w.r(2), seconds(10));

  EXPECT_EQ(state(w), ClusterState::kDegraded);
  EXPECT_EQ(w.plan().waiting_for, "c-2: its applier is stalled: it works on one transaction (altering table); "
                                  "the next transaction is 0-1-7");
  stall(w.r(2), seconds(20), seconds(18));
  EXPECT_EQ(w.plan().waiting_for,
            "c-2: its applier is stalled: it waits for " + kLock + "; the next transaction is 0-1-7");
}

TEST(StalledApplier, ThatWorksIsNoFailureHoweverLong) {
  EpochWorld w(3);
  stall(w.r(2), seconds(3600));
  EXPECT_FALSE(lasts(w));
  EXPECT_FALSE(sound(w.cluster.epoch, w.r(0), w.r(2)));
  for (int i = 0; i < 100; ++i, w.now += seconds(1)) EXPECT_FALSE(w.plan().next) << "it goes on acknowledging";
}

TEST(StalledApplier, ThatWaitsForALockOfNoSessionHasFailedAfterAMinute) {
  EpochWorld w(3);
  stall(w.r(2), seconds(62), seconds(59));
  EXPECT_FALSE(lasts(w));
  EXPECT_FALSE(w.plan().next);

  stall(w.r(2), seconds(63), seconds(60));

  ASSERT_TRUE(lasts(w));
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.drop_after;
  EXPECT_EQ(w.persist().kind, EventKind::kAckerLeaving);
}

TEST(StalledApplier, OnAllReplicasThrowsAwayNoLastCopy) {
  EpochWorld w(3);
  for (const int i : {1, 2}) stall(w.r(i), seconds(63), seconds(60));
  w.cluster.epoch.ackers.erase(id(2));
  w.r(2).acking = false;
  w.plan();
  w.now += w.times.rebuild_after;
  EpochDecision d = w.persist();
  EXPECT_EQ(d.kind, EventKind::kRebuildStarted) << "the other one still acknowledges";
  EXPECT_NE(d.why.find(kLock), std::string::npos) << d.why;

  EpochWorld pair(2);
  stall(pair.r(1), seconds(63), seconds(60));
  for (int i = 0; i < 60; ++i, pair.now += seconds(1)) EXPECT_FALSE(pair.plan().next);
}

TEST(StalledApplier, MakesItsReplicaNoDonor) {
  EpochWorld w(3);
  stall(w.r(1), seconds(10));
  w.cluster.epoch.ackers.erase(id(2));
  w.r(2).executed = w.r(2).received = {};
  w.r(2).role = MemberRole::kIdle;
  w.r(2).needs_copy = true;
  w.plan();
  w.now += w.times.donor_wait;
  const auto order = w.ordered<order::Rebuild>(w.plan(), 2);
  ASSERT_TRUE(order && order->donor);
  EXPECT_EQ(order->donor->member, id(0));
}

TEST(StalledApplier, OnOneReplicaDoesNotDelayAFailover) {
  EpochWorld w = electing();
  stall(w.r(1), seconds(3));
  w.plan();
  w.now += w.times.stragglers_wait;
  EXPECT_EQ(w.persist().next->primary, id(2)) << "it has executed everything";
}

TEST(StalledApplier, OnAllReplicasIsNamedWithTheWayOut) {
  EpochWorld w = electing();
  for (const int i : {1, 2}) stall(w.r(i), seconds(12), seconds(11));
  const EpochDecision d = w.plan();
  EXPECT_FALSE(d.next);
  EXPECT_NE(d.waiting_for.find("c-1: its applier is stalled: it waits for " + kLock), std::string::npos) << d.waiting_for;
  EXPECT_NE(d.waiting_for.find("--accept-loss"), std::string::npos) << d.waiting_for;
}

TEST(StalledApplier, IsGivenUpWhereAnOperatorAcceptsTheLoss) {
  EpochWorld w = electing(true);
  for (const int i : {1, 2}) stall(w.r(i), seconds(9));
  w.r(2).executed = gtid("0-1-7");
  w.plan();
  w.now += w.times.loss_wait;
  const EpochDecision waits = w.plan();
  EXPECT_FALSE(waits.next) << "it may be about to go on";
  EXPECT_NE(waits.waiting_for.find("to execute what it received"), std::string::npos) << waits.waiting_for;

  for (const int i : {1, 2}) w.r(i).applier_stalled_ms = 10'000;

  const EpochDecision d = w.persist();
  EXPECT_EQ(d.next->primary, id(2)) << "it has executed most";
  EXPECT_NE(d.why.find("2 transaction(s) of 0-1-9"), std::string::npos) << d.why;
}

TEST(StalledApplier, IsSpelledOutBeforeTheLossIsAccepted) {
  EpochWorld w(3);
  state(w);
  w.v(0).connected = false;
  for (const int i : {1, 2}) stall(w.r(i), seconds(12), seconds(11));
  const Status refused = check_failover(w.cluster, w.views, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("its applier is stalled"), std::string::npos) << refused.error().message;
  EXPECT_NE(refused.error().message.find("3 transaction(s) would be given up"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(check_failover(w.cluster, w.views, {.to = std::nullopt, .accept_loss = true}));
}

}  // namespace
}  // namespace mysos
