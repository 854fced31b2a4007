// SPDX-License-Identifier: Apache-2.0
#include "core/epochs/soundness.h"

#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

// Member 0 writes as 0-1, member 2 as 0-3.
class Soundness : public ::testing::Test {
 protected:
  void SetUp() override { w.r(0).gtid_source = "0-1"; }
  GtidSet errant(int i) { return errant_while_following(w.cluster.epoch, w.r(0), w.r(i)); }
  EpochWorld w{3};
};

TEST_F(Soundness, WhatAReplicaWroteItselfIsErrant) {
  EXPECT_TRUE(sound(w.cluster.epoch, w.r(0), w.r(2)));
  w.r(2).executed = w.r(2).received = gtid("0-1-9,0-3-1");
  EXPECT_EQ(errant(2).to_string(), "0-3-1");
  EXPECT_FALSE(sound(w.cluster.epoch, w.r(0), w.r(2)));
}

TEST_F(Soundness, WhoDoesNotKnowWhatItWroteItselfHasForgottenIt) {
  w.r(2).gtid_source = "0-3";
  w.r(0).executed = w.r(0).received = gtid("0-1-9,0-3-23");
  w.r(2).executed = w.r(2).received = gtid("0-1-9,0-3-23");
  EXPECT_TRUE(sound(w.cluster.epoch, w.r(0), w.r(2)));
  w.r(2).executed = w.r(2).received = gtid("0-1-9,0-3-2");
  const auto flaw = flaw_of(w.cluster.epoch, w.r(0), w.r(2));
  ASSERT_TRUE(flaw);
  EXPECT_TRUE(flaw->lasts) << "no relay log brings it back: a server takes nothing of its own";

  w.r(2).executed = w.r(2).received = GtidSet();
  w.r(2).busy = true;
  EXPECT_FALSE(forgot_names(w.r(2), w.r(0))) << "it has not been read since it started";
}

TEST_F(Soundness, AReplicaMayBeAheadOfWhatThePrimaryLastSaid) {
  w.r(2).executed = w.r(2).received = gtid("0-1-12");
  EXPECT_TRUE(errant(2).empty()) << "the primary writes it, and its report is older";
}

TEST_F(Soundness, TheTagsOfAMysqlServerAreItsOwn) {
  const std::string uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
  w.r(0).gtid_source = uuid;
  w.r(0).executed = gtid(uuid + ":1-5");
  w.r(2).received = gtid(uuid + ":1-6:job:1-2");
  EXPECT_TRUE(errant(2).empty());
}

TEST_F(Soundness, APrimaryThatHasNotOpenedYetProvesNothing) {
  w.r(2).received = gtid("0-1-9,0-3-1");
  w.r(0).writable = false;
  EXPECT_TRUE(errant(2).empty()) << "it may still apply what it received from the one before";
  w.r(0).writable = true;
  w.r(0).promised = {2, 1};
  EXPECT_TRUE(errant(2).empty()) << "its report is of an earlier epoch";
}

TEST_F(Soundness, AnApplierThatHasStoppedIsNotSound) {
  w.r(1).applier_running = false;
  const auto flaw = [&] { return flaw_of(w.cluster.epoch, w.r(0), w.r(1)).value_or(Flaw{}); };
  EXPECT_FALSE(sound(w.cluster.epoch, w.r(0), w.r(1)));
  EXPECT_FALSE(flaw().lasts) << "it is about to be started again";
  EXPECT_EQ(why_stopped(w.r(1)), "the server shows no error: somebody stopped it");
  w.r(1).applier_restarts = 1;
  w.r(1).applier_error = {1032, "Could not execute Update_rows"};
  EXPECT_TRUE(flaw().lasts);
  EXPECT_EQ(flaw().text, "its applier has stopped, and stopped again: error 1032: Could not execute Update_rows");
  EXPECT_EQ(why_stopped(w.r(1)), "error 1032: Could not execute Update_rows");
  w.r(1).applier_running = true;
  EXPECT_TRUE(flaw().lasts) << "it may be about to stop again";
}

TEST_F(Soundness, AReplicaWhoseBinaryLogsWereResetIsNotSound) {
  w.r(1).logs_reset = true;
  const auto flaw = flaw_of(w.cluster.epoch, w.r(0), w.r(1));
  ASSERT_TRUE(flaw);
  EXPECT_TRUE(flaw->lasts);
}

TEST_F(Soundness, AReportOfAServerThatWasNotReadSaysNothingOfWhatItHolds) {
  EXPECT_TRUE(tells_what_it_holds(w.r(0)));
  w.r(0).executed = {};
  EXPECT_TRUE(tells_what_it_holds(w.r(0))) << "a new server holds nothing";
  w.r(0).busy = true;
  EXPECT_FALSE(tells_what_it_holds(w.r(0)));
  w.r(0).busy = false;
  w.r(0).server = ServerState::kStarting;
  EXPECT_FALSE(tells_what_it_holds(w.r(0)));
}

}  // namespace
}  // namespace mysos
