// SPDX-License-Identifier: Apache-2.0
// Silence as evidence: of a primary, of its server, of what its replicas hear.
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

using World = EpochWorld;

// The ackers believe to be connected and have heard nothing for so long.
void deafen(World& w, std::uint32_t ms) {
  (void)w.plan();  // that they did receive
  w.r(1).source_silent_ms = w.r(2).source_silent_ms = ms;
}

TEST(Evidence, ReplicasThatHearNothingOfAPrimaryThatIsSilentTooNeedNotBeWaitedFor) {
  World w(3);
  w.v(0).last_seen = w.now;
  deafen(w, 900);
  w.now += w.times.suspect_after;
  w.v(0).connected = false;
  EXPECT_FALSE(w.plan().next) << "a pause of less than a second";
  w.r(1).source_silent_ms = 1000;
  EXPECT_FALSE(w.plan().next) << "one of them hears it";
  w.r(2).source_silent_ms = 1000;
  EXPECT_EQ(w.persist().kind, EventKind::kFailoverStarted);
}

TEST(Evidence, SilenceCountsFromTheLastWord) {
  World w(3);
  w.v(0).last_seen = w.now;
  deafen(w, 1000);
  w.v(0).connected = false;
  EXPECT_EQ(w.plan().revisit, w.now + w.times.suspect_after);
  w.now += w.times.suspect_after;
  EXPECT_EQ(w.plan().cause, FailoverCause::kSilent);
}

TEST(Evidence, APrimaryThatIsWellButReachesNoReplicaIsGivenLonger) {
  World w(3);
  deafen(w, 1200);
  EXPECT_FALSE(w.plan().next);
  w.r(1).source_silent_ms = 1300;
  EXPECT_FALSE(w.plan().next) << "the other may still hear it";
  w.r(2).source_silent_ms = 1300;
  EXPECT_EQ(w.plan().cause, FailoverCause::kCutOff);
  EXPECT_EQ(w.plan().failed_since, w.now - std::chrono::milliseconds(1300)) << "for as long nobody could write";
}

TEST(Evidence, AServerThatAnswersNobodyIsReplaced) {
  World w(3);
  w.r(0).server_silent_ms = 1000;
  EXPECT_FALSE(w.plan().next) << "its replicas hear it";
  deafen(w, 1000);
  EXPECT_EQ(w.plan().cause, FailoverCause::kNotAnswering);
  EXPECT_EQ(w.plan().failed_since, w.now - std::chrono::milliseconds(1000));
}

TEST(Evidence, AServerThatOnlyItsReplicasHearIsReplacedInTheEnd) {
  World w(3);
  w.memory.received_from = true;
  w.r(0).server_silent_ms = 5000;
  EXPECT_FALSE(w.plan().next) << "it may be at work on something large";
  w.now += w.times.mute_too_long;
  for (auto& v : w.views) v.last_seen = w.now;
  EXPECT_EQ(w.plan().cause, FailoverCause::kNotAnswering);
}

TEST(Evidence, WhatAStoppedReplicaSaidLastIsNoNews) {
  World w(3);
  w.r(2).server_silent_ms = 5000;
  deafen(w, 1400);
  w.r(2).source_silent_ms = 0;
  EXPECT_FALSE(w.plan().next) << "it could not end an election either";
  w.cluster.epoch.ackers = {id(1)};
  EXPECT_EQ(w.plan().cause, FailoverCause::kCutOff);
}

// A scheduler that has started just now remembers nothing: the server of the primary has been frozen since before.
World frozen_since_before_this_scheduler(std::uint32_t ms) {
  World w(3);
  w.r(0).server_silent_ms = w.r(1).source_silent_ms = w.r(2).source_silent_ms = ms;
  w.r(1).receiver_connected = w.r(2).receiver_connected = false;
  return w;
}

TEST(Evidence, AServerThatAnswersNobodyIsReplacedByASchedulerThatHasJustStarted) {
  World w = frozen_since_before_this_scheduler(1000);
  EXPECT_EQ(w.plan().cause, FailoverCause::kNotAnswering) << "it has never seen a replica receive";

  w = frozen_since_before_this_scheduler(1000);
  w.r(1).source_silent_ms = 900;
  EXPECT_FALSE(w.plan().next) << "it has yet to try for long enough";
  w.now += w.times.cut_after;
  EXPECT_FALSE(w.plan().next) << "the time that counts is the one for which it has tried";
}

TEST(Evidence, APrimaryThatOpenedJustNowIsNotCutOffFromReplicasThatHaveYetToConnect) {
  World w(3);
  w.r(1).receiver_connected = w.r(2).receiver_connected = false;
  w.r(1).source_silent_ms = w.r(2).source_silent_ms = 3000;
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.cut_after;
  EXPECT_FALSE(w.plan().next) << "its server is well";
}

}  // namespace
}  // namespace mysos
