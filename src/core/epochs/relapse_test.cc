// SPDX-License-Identifier: Apache-2.0
// Replicas whose servers start again and again.
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

using World = EpochWorld;
using std::chrono::minutes;
using std::chrono::seconds;

// Its server ends, and another one is up a moment later.
void restart(World& w, int i) {
  static int lives = 0;
  w.r(i).server = ServerState::kExited;
  (void)w.plan();
  w.now += std::chrono::milliseconds(500);
  w.r(i).server = ServerState::kRunning;
  w.r(i).incarnation = "life " + std::to_string(++lives);
}
World lively() {
  World w(3);
  for (int i = 0; i < 3; ++i) w.r(i).incarnation = "first";
  (void)w.plan();
  return w;
}

TEST(Relapse, OneRestartCostsNothing) {
  World w = lively();
  restart(w, 1);
  const EpochDecision d = w.plan();
  EXPECT_FALSE(d.next);
  EXPECT_EQ(d.held_back, 0U);
}

TEST(Relapse, AfterTheSecondInARowAnAckerIsHeldBackAndDropped) {
  World w = lively();
  restart(w, 1);
  (void)w.plan();
  w.now += seconds(20);
  restart(w, 1);

  const EpochDecision d = w.persist();

  EXPECT_EQ(d.kind, EventKind::kAckerLeaving);
  EXPECT_NE(d.why.find("starts again and again"), std::string::npos) << d.why;
  ASSERT_EQ(d.held_now.size(), 1U);
  EXPECT_EQ(d.held_now[0].first, id(1));
  EXPECT_EQ(d.held_now[0].second,
            "its server has started 2 times in a row: it acknowledges again after 10 s, or as soon as no other replica can");
  EXPECT_EQ(d.held_back, 1U);
}

// The record without it, and the member as it follows silently.
void dropped(World& w, int i) {
  w.cluster.epoch.ackers.erase(id(i));
  w.r(i).acking = false;
}

TEST(Relapse, ThePauseGrowsAndHasAnEnd) {
  World w = lively();
  std::vector<long> pauses;
  for (int i = 0; i < 9; ++i) {
    w.cluster.epoch.ackers = {id(1), id(2)};
    restart(w, 1);
    (void)w.plan();
    dropped(w, 1);
    const Instant began = w.now;
    while (!w.plan().next) {
      ASSERT_LT(w.now - began, minutes(6));
      w.now += seconds(1);
    }
    pauses.push_back((w.now - began) / seconds(1));
  }
  EXPECT_EQ(pauses, (std::vector<long>{0, 10, 20, 40, 80, 160, 300, 300, 300}));
}

TEST(Relapse, WhileItIsHeldBackTheReasonIsShown) {
  World w = lively();
  restart(w, 1);
  (void)w.plan();
  restart(w, 1);
  (void)w.plan();
  dropped(w, 1);
  const EpochDecision d = w.plan();
  EXPECT_EQ(d.waiting_for, "c-1 to last: its server has started 2 times in a row, so it is held back for 10 s");
  EXPECT_LE(d.revisit, w.now + seconds(10)) << "somebody looks when it ends";
}

TEST(Relapse, WhereNobodyElseCanAcknowledgeItDoes) {
  World w = lively();
  restart(w, 1);
  (void)w.plan();
  restart(w, 1);
  w.v(2).connected = false;
  EXPECT_FALSE(w.plan().next) << "the other one is away: it is not dropped";
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).semi_sync_d = 0;
  w.r(1).acking = false;
  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeaving);
  EXPECT_EQ(w.cluster.epoch.joining, (std::set<MemberId>{id(1)}));
}

TEST(Relapse, OfTwoThatCouldJoinTheOneThatLastsIsNamed) {
  World w = lively();
  restart(w, 1);
  (void)w.plan();
  restart(w, 1);
  (void)w.plan();
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).semi_sync_d = 0;
  w.r(1).acking = w.r(2).acking = false;
  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeaving);
  EXPECT_EQ(w.cluster.epoch.joining, (std::set<MemberId>{id(2)}));
}

TEST(Relapse, OneThatHasLastedIsForgiven) {
  World w = lively();
  restart(w, 1);
  (void)w.plan();
  w.now += w.times.relapse_window + seconds(1);
  restart(w, 1);
  EXPECT_FALSE(w.plan().next);
}

TEST(Relapse, PrimariesAndOtherDataAreNotCounted) {
  World w = lively();
  restart(w, 1);
  (void)w.plan();
  w.r(1).generation = 1;
  restart(w, 1);
  EXPECT_EQ(w.plan().held_back, 0U) << "its data were rebuilt";
  for (int i = 0; i < 3; ++i) {
    w.r(0).incarnation = "primary " + std::to_string(i);
    EXPECT_EQ(w.plan().held_back, 0U);
  }
}

TEST(Relapse, TheMemoryOutlivesAnElection) {
  World w = lively();
  restart(w, 1);
  (void)w.plan();
  w.cluster.epoch.pair = {4, 1};
  for (int i = 0; i < 3; ++i) w.r(i).promised = {4, 1};
  (void)w.plan();
  restart(w, 1);
  EXPECT_EQ(w.plan().held_back, 1U);
}

}  // namespace
}  // namespace mysos
