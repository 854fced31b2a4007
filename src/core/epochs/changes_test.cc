// SPDX-License-Identifier: Apache-2.0
// The record of a living primary, and why a primary is replaced: one story a test.
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using World = EpochWorld;

// All reachable members have promised the present record.
void settle(World& w) {
  for (auto& v : w.views) {
    if (!v.connected) continue;
    MemberReport& r = *v.report;
    r.promised = w.cluster.epoch.pair;
    if (w.cluster.epoch.primary == v.id) {
      r.semi_sync_d = std::max(w.cluster.epoch.d, w.cluster.epoch.raising_to);
    } else {
      const bool named = w.cluster.epoch.ackers.contains(v.id) && !w.cluster.epoch.leaving.contains(v.id);
      r.acking = named && r.receiver_connected;
    }
  }
}

TEST(EpochChanges, AnAckerThatIsGoneIsDroppedOnceTheOthersHaveAll) {
  World w(3);
  w.v(2).connected = false;
  EXPECT_FALSE(w.plan().next) << "not at once";
  w.now += w.times.drop_after;

  EXPECT_EQ(w.persist().kind, EventKind::kAckerLeaving);
  EXPECT_TRUE(w.cluster.epoch.ackers.contains(id(2))) << "it still counts for a failover";
  EXPECT_TRUE(w.cluster.epoch.shut_out.contains(id(2)));
  const auto told = World::ordered<order::Promote>(w.plan(), 0);
  ASSERT_TRUE(told) << "the primary shuts it out first";
  EXPECT_TRUE(told->shut_out.contains(id(2)));

  settle(w);
  w.r(0).executed = w.r(0).received = gtid("0-1-12");
  EXPECT_FALSE(w.plan().next) << "what it may have acknowledged alone is not elsewhere yet";
  w.r(1).received = gtid("0-1-12");
  EXPECT_EQ(w.persist().kind, EventKind::kAckerDropped);
  EXPECT_EQ(w.cluster.epoch.ackers, (std::set<MemberId>{id(1)}));

  settle(w);
  w.crash_primary();
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted) << "the one acker is enough now";
}

// Its receiver waits for room on the disk and stays connected, so nothing but its executor's probe tells.
TEST(EpochChanges, AnAckerThatCannotWriteIsDroppedAndIsNotNamedUntilItCan) {
  World w(3);
  w.r(2).write_trouble = "no space is left on the volume";
  EXPECT_FALSE(w.plan().next) << "not at once: a disk may be slow for a moment";
  EXPECT_EQ(w.plan().waiting_for, "the volume of c-2 to take writes (no space is left on the volume)");
  w.now += w.times.drop_after;
  const EpochDecision leaving = w.persist();
  EXPECT_EQ(leaving.kind, EventKind::kAckerLeaving);
  EXPECT_NE(leaving.why.find("cannot write to its volume"), std::string::npos) << leaving.why;
  settle(w);
  EXPECT_EQ(w.persist().kind, EventKind::kAckerDropped);
  settle(w);
  w.cluster.epoch.shut_out.clear();
  EXPECT_FALSE(w.plan().next);

  w.r(2).write_trouble.clear();
  EXPECT_EQ(w.persist().kind, EventKind::kAckerAdded);
}

TEST(EpochChanges, ThePrimaryGoesOnAloneWhereNoAckerCanWriteWhatItReceives) {
  World w(3);
  w.r(1).write_trouble = w.r(2).write_trouble = "no space is left on the volume";
  ASSERT_EQ(w.r(0).semi_sync_clients, 2u) << "they stay connected";
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.solo_after;
  EXPECT_EQ(w.persist().kind, EventKind::kSoloEntered);
  for (auto& v : w.views) v.report->promised = w.cluster.epoch.pair;
  w.r(0).semi_sync_d = 0;
  w.r(1).acking = w.r(2).acking = false;
  w.memory.received_from = true;
  w.now += w.times.cut_after;
  EXPECT_FALSE(w.plan().next) << "who cannot write cannot acknowledge";
  EXPECT_EQ(w.plan().waiting_for, "the volume of c-1 to take writes (no space is left on the volume)")
      << "a solo primary is not cut off from ackers that it does not have";

  w.r(1).write_trouble.clear();
  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeaving);
  EXPECT_EQ(w.cluster.epoch.joining, (std::set<MemberId>{id(1)}));
}

TEST(EpochChanges, ALargeTransactionThatIsStillComingInIsNoReasonToGoAlone) {
  World w(3);
  w.r(0).commits_stuck = true;
  w.r(0).binlog_end = {3, 500'000'000};
  w.r(1).received_end = w.r(2).received_end = {3, 400};
  w.r(2).receiving = true;
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.solo_after;
  EXPECT_FALSE(w.plan().next) << "it will be acknowledged";

  w.r(2).receiving = false;
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.solo_after;
  EXPECT_EQ(w.persist().kind, EventKind::kSoloEntered);
}

TEST(EpochChanges, WhatFrozenServersReceivedLastIsNoReasonToWaitForThem) {
  World w(3);
  w.r(0).commits_stuck = true;
  w.r(0).executed = w.r(0).received = gtid("0-1-10");
  for (int i : {1, 2}) {
    w.r(i).receiving = true;  // as it was when its executor last had an answer
    w.r(i).server_silent_ms = 1000;
  }
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.solo_after;
  EXPECT_EQ(w.persist().kind, EventKind::kSoloEntered);
}

TEST(EpochChanges, APrimaryThatCannotWriteItselfDoesNotGoAlone) {
  World w(3);
  for (int i = 0; i < 3; ++i) w.r(i).write_trouble = "no space is left on the volume";
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.solo_after + w.times.stalled_after;
  const EpochDecision d = w.plan();
  EXPECT_FALSE(d.next) << "its own log would be the only proof, and it grows by nothing";
  EXPECT_EQ(d.waiting_for,
            "the volume of the primary c-0 to take writes (no space is left on the volume): no replica can take over");
}

// MySQL shows a commit in gtid_executed only after it was acknowledged: the end of the binlog tells of it before.
TEST(EpochChanges, WhatIsInThePrimarysBinlogCountsBeforeItIsVisibleThere) {
  World w(3);
  w.cluster.epoch.ackers = {id(1), id(2)};
  w.cluster.epoch.leaving = {id(2)};
  w.cluster.epoch.shut_out = {id(2)};
  settle(w);
  w.r(0).binlog_end = {3, 500};
  w.r(1).received_end = {3, 400};
  EXPECT_FALSE(w.plan().next);
  w.r(1).received_end = {3, 500};
  EXPECT_EQ(w.persist().kind, EventKind::kAckerDropped);
}

TEST(EpochChanges, TheLastAckerIsNotDropped) {
  World w(3);
  w.v(1).connected = w.v(2).connected = false;
  w.r(0).semi_sync_clients = 0;
  (void)w.plan();
  w.now += seconds(2);
  EXPECT_FALSE(w.plan().next);
  w.now += seconds(4);
  EXPECT_EQ(w.persist().kind, EventKind::kSoloEntered);
}

TEST(EpochChanges, ADroppedAckerComesBackSilentFirst) {
  World w(3);
  w.cluster.epoch.ackers = {id(1)};
  w.cluster.epoch.shut_out = {id(2)};
  settle(w);
  EXPECT_EQ(w.persist().kind, EventKind::kMemberLetIn);
  settle(w);
  EXPECT_EQ(w.persist().kind, EventKind::kAckerAdded);
  EXPECT_EQ(w.cluster.epoch.ackers.size(), 2U);
}

// Member 1 acknowledges; member 2 has restarted, and what it had acknowledged may be gone.
void forgets(World& w) {
  w.cluster.epoch.ackers = {id(1)};
  w.r(2).acking = false;
  w.r(2).amnesiac = true;
  w.r(2).incarnation = "after a restart";
}

// The next election would have to ask it, and it could not answer.
TEST(EpochChanges, OneThatForgotIsNoAckerBeforeItIsCertified) {
  World w(3, Flavour::kMariadb);
  forgets(w);
  EXPECT_EQ(w.persist().kind, EventKind::kCertificationStarted);
  settle(w);
  EXPECT_FALSE(w.plan().next);
  w.r(2).amnesiac = false;
  EXPECT_EQ(w.persist().kind, EventKind::kAckerAdded);
}

// Let in silently, it would receive the commits that wait, and never acknowledge them.
TEST(EpochChanges, WhereNobodyAcknowledgesOneIsNamedBeforeItIsLetIn) {
  World w(3);
  w.cluster.epoch.ackers = {id(1)};
  w.cluster.epoch.shut_out = {id(2)};
  w.v(1).connected = false;
  w.r(0).semi_sync_clients = 0;
  settle(w);
  w.r(2).receiver_connected = false;
  EXPECT_EQ(w.persist().kind, EventKind::kAckerAdded);
  EXPECT_EQ(w.cluster.epoch.shut_out, std::set{id(2)});
  for (const int i : {0, 2}) w.r(i).promised = w.cluster.epoch.pair;
  EXPECT_FALSE(w.plan().next) << "it is silent yet";
  EXPECT_TRUE(World::ordered<order::Follow>(w.plan(), 2)->acking);
  w.r(2).acking = true;
  EXPECT_EQ(w.persist().kind, EventKind::kMemberLetIn);
  EXPECT_TRUE(w.cluster.epoch.shut_out.empty());
}

// It stops and starts its receiver to acknowledge: that it had been away once is no reason to drop it then.
TEST(EpochChanges, ANewAckerIsNotDroppedForWhatItDidBefore) {
  World w(3);
  w.r(2).receiver_connected = false;
  EXPECT_FALSE(w.plan().next);
  w.cluster.epoch.ackers = {id(1)};
  w.r(2).receiver_connected = true;
  w.r(2).received = {};
  EXPECT_FALSE(w.plan().next) << "it has yet to catch up";
  w.now += w.times.drop_after + seconds(1);
  w.cluster.epoch.ackers = {id(1), id(2)};
  w.r(2).receiver_connected = false;
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.drop_after;
  EXPECT_EQ(w.persist().kind, EventKind::kAckerLeaving);
}

TEST(EpochChanges, CommitsThatWaitForWhatTheirAckersHoldAlreadyAreReleasedBySolo) {
  World w(3);
  w.r(0).commits_stuck = true;
  w.r(0).executed = gtid("0-1-20");
  EXPECT_FALSE(w.plan().next) << "no acker has them: it may be stopped for a moment";
  w.r(2).received = gtid("0-1-20");
  EXPECT_EQ(w.persist().kind, EventKind::kSoloEntered);

  World slow(3);
  slow.r(0).commits_stuck = true;
  slow.r(0).executed = gtid("0-1-20");
  EXPECT_FALSE(slow.plan().next);
  slow.now += slow.times.solo_after;
  EXPECT_EQ(slow.persist().kind, EventKind::kSoloEntered) << "an acker that is stopped is no acker";
}

// It would begin again with each config that the primary promises first, and each makes another config.
TEST(EpochChanges, ACertificationWaitsForAReplicaThatPromisesSlowly) {
  World w(3, Flavour::kMariadb);
  forgets(w);
  EXPECT_EQ(w.persist().kind, EventKind::kCertificationStarted);
  const Pair before = w.r(2).promised;
  settle(w);
  w.r(2).promised = before;
  EXPECT_FALSE(w.plan().next);
  settle(w);
  const EpochDecision decision = w.plan();
  EXPECT_FALSE(decision.next);
  EXPECT_TRUE(World::ordered<order::Certify>(decision, 2));

  w.r(2).incarnation = "after another";
  EXPECT_EQ(w.persist().kind, EventKind::kCertificationStarted) << "the read may be older than that";
}

// What it said last is old, and alone it would be the only one that knows what was acknowledged.
TEST(EpochChanges, APrimaryWhoseServerDoesNotAnswerDoesNotGoOnAlone) {
  World w(2);
  w.r(0).semi_sync_clients = 0;
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.solo_after;
  w.r(0).server_silent_ms = 5000;
  EXPECT_NE(w.plan().kind, EventKind::kSoloEntered);
  w.r(0).server_silent_ms = 0;
  EXPECT_FALSE(w.plan().next) << "the wait begins again";
  w.now += w.times.solo_after;
  EXPECT_EQ(w.persist().kind, EventKind::kSoloEntered);
}

TEST(EpochChanges, SoloIsLeftWithThoseWhoRemember) {
  World w(3, Flavour::kMariadb);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  settle(w);
  w.r(0).semi_sync_d = 0;
  w.r(1).amnesiac = true;
  w.r(1).incarnation = "after a restart";
  EXPECT_EQ(w.persist().kind, EventKind::kCertificationStarted);
  settle(w);
  w.r(0).semi_sync_d = 0;
  const EpochRecord solo = w.cluster.epoch;
  const EpochDecision leaving = w.persist();
  EXPECT_EQ(leaving.kind, EventKind::kSoloLeaving);
  EXPECT_EQ(leaving.why, "1 replica(s) are to acknowledge again");
  EXPECT_EQ(w.cluster.epoch.joining, std::set{id(2)});

  w.cluster.epoch = solo;
  w.v(2).connected = false;
  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeaving);
  EXPECT_EQ(w.cluster.epoch.joining, std::set{id(1)}) << "better than nobody";
}

TEST(EpochChanges, MoreAcknowledgementsArePromisedOnlyWhenTheyAreGiven) {
  World w(5);
  w.cluster.epoch.d = 1;
  EXPECT_EQ(w.persist().kind, EventKind::kAcksRaising);
  EXPECT_EQ(w.cluster.epoch.d, 1U) << "a failover still asks for the reports that d = 1 needs";
  EXPECT_EQ(World::ordered<order::Promote>(w.plan(), 0)->d, 2U);
  settle(w);
  w.r(0).executed = w.r(0).received = gtid("0-1-10");
  w.r(1).received = gtid("0-1-10");
  EXPECT_FALSE(w.plan().next) << "only one acker has all";
  w.r(2).received = gtid("0-1-10");
  EXPECT_EQ(w.persist().kind, EventKind::kAcksRaised);
  EXPECT_EQ(w.cluster.epoch.d, 2U);
}

TEST(EpochChanges, FewerAcknowledgementsAreWrittenDownBeforeAnAckerGoes) {
  World w(5);
  w.cluster.epoch.d = 2;
  w.r(0).semi_sync_d = 2;
  w.v(4).connected = false;
  (void)w.plan();
  w.now += w.times.drop_after;
  EXPECT_EQ(w.persist().kind, EventKind::kAcksLowered);
  EXPECT_EQ(w.cluster.epoch.d, 1U);
  EXPECT_EQ(w.cluster.epoch.ackers.size(), 4U);
  settle(w);
  EXPECT_EQ(w.persist().kind, EventKind::kAckerLeaving);
}

TEST(EpochEvidence, APrimaryThatNoAckerCanReceiveFromIsReplacedThoughItIsInSight) {
  World w(3);
  (void)w.plan();
  w.r(1).receiver_connected = w.r(2).receiver_connected = false;
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.cut_after;
  EXPECT_EQ(w.plan().cause, FailoverCause::kCutOff);
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
  for (int i = 0; i < 3; ++i) w.fence(i);
  w.r(1).reaches = {id(2)};
  w.r(2).reaches = {id(1)};
  w.persist();
  EXPECT_NE(w.cluster.epoch.primary, id(0)) << "it would be cut off again";
}

TEST(EpochEvidence, OneReplicaWithoutItsSourceIsNoEvidence) {
  World w(3);
  (void)w.plan();
  w.r(1).receiver_connected = false;
  (void)w.plan();
  w.now += milliseconds(900);
  EXPECT_FALSE(w.plan().next);
}

TEST(EpochEvidence, APrimaryThatCannotWriteIsReplacedByOneThatCan) {
  World w(3);
  w.r(0).write_trouble = "no space left";
  (void)w.plan();
  w.now += w.times.stalled_after;
  w.r(1).write_trouble = "no space left";
  EXPECT_FALSE(w.plan().next) << "both ackers are needed, and one has the same trouble";
  w.r(1).write_trouble.clear();
  EXPECT_EQ(w.plan().cause, FailoverCause::kCannotWrite);
}

TEST(EpochEvidence, PrimariesThatDoNotLastAreReplacedMoreAndMoreSlowly) {
  World w(3);
  w.memory.flaps = Flaps{w.now, w.times.flaps_allowed, {}};
  w.crash_primary();
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.flap_hold;
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
  EXPECT_EQ(w.memory.flaps.unstable, w.times.flaps_allowed + 1);
}

TEST(EpochEvidence, AnOperatorsFailoverDoesNotWaitForThePause) {
  World w(3);
  w.memory.flaps = Flaps{w.now, w.times.flaps_allowed, {}};
  w.cluster.failover = FailoverRequest{};
  w.crash_primary();
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
  EXPECT_EQ(w.memory.flaps.unstable, 0U);
}

TEST(EpochElection, ALossIsTakenOnlyWhereAnOperatorAcceptedIt) {
  World w(3);
  w.v(0).connected = w.v(2).connected = false;
  w.r(0).received = gtid("0-1-20");
  w.now += seconds(60);
  (void)w.plan();
  w.now += seconds(60);
  EXPECT_FALSE(w.plan().next);
  w.cluster.failover = FailoverRequest{};
  EXPECT_FALSE(w.plan().next) << "a failover that loses nothing is impossible";
  w.cluster.failover->accept_loss = true;
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
  w.fence(1);
  const auto d = w.persist();
  EXPECT_EQ(d.kind, EventKind::kFailoverForced);
  EXPECT_NE(d.why.find("11 transaction(s)"), std::string::npos) << d.why;
  EXPECT_EQ(w.cluster.epoch.primary, id(1));
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kSolo);
}

TEST(EpochElection, APreferredMemberIsChosenAmongEquals) {
  for (const int preferred : {1, 2}) {
    World w(3);
    for (int i = 0; i < 3; ++i) w.cluster.members.push_back(Member{.id = id(i)});
    w.cluster.members[static_cast<std::size_t>(preferred)].promotion = Promotion::kPrefer;
    w.crash_primary();
    w.persist();
    w.fence(1);
    w.fence(2);
    w.persist();
    EXPECT_EQ(w.cluster.epoch.primary, id(preferred));
  }
}

TEST(EpochElection, OneThatForgotIsNamedOnlyWhereNobodyElseIs) {
  for (const bool other : {true, false}) {
    World w(3, Flavour::kMariadb);
    w.cluster.epoch.ackers = {id(1)};
    w.r(2).amnesiac = true;
    w.crash_primary();
    w.persist();
    w.fence(1);
    w.fence(2);
    w.r(0).server = ServerState::kRunning;
    w.r(0).crashed = false;
    if (other) w.fence(0);
    (void)w.plan();
    w.now += w.times.target_wait;
    w.persist();
    EXPECT_EQ(w.cluster.epoch.primary, id(1));
    EXPECT_EQ(w.cluster.epoch.ackers, std::set{other ? id(0) : id(2)});
  }
}

TEST(EpochElection, WhatAnAmnesiacIsKnownToHaveHeldCounts) {
  World w(3);
  w.crash_primary();
  w.persist();
  w.fence(1);
  w.fence(2);
  w.r(2).amnesiac = true;
  w.r(2).received = gtid("0-1-5");
  EXPECT_FALSE(w.plan().next) << "it may have acknowledged what the other lacks";
  w.r(2).known = gtid("0-1-12");
  EXPECT_FALSE(w.plan().next) << "it did, and nobody has it";
  w.r(1).received = w.r(1).executed = gtid("0-1-12");
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(1));
}

}  // namespace
}  // namespace mysos
