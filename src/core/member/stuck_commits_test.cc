// SPDX-License-Identifier: Apache-2.0
#include "core/member/stuck_commits.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

using std::chrono::milliseconds;

ServerSnapshot waiting(const std::string& in_binlog, std::uint32_t clients = 1) {
  ServerSnapshot s;
  s.read_only = false;
  s.semi_sync_d = 1;
  s.semi_sync_clients = clients;
  s.executed = *GtidSet::parse(in_binlog);
  return s;
}

class Stuck : public testing::Test {
 protected:
  bool look(const ServerSnapshot& s, Duration later, std::uint32_t waited = 1) {
    now += later;
    return commits.look(s, waited, acknowledged, now);
  }
  StuckCommits commits;
  std::uint64_t acknowledged = 0;
  Instant now{std::chrono::seconds(1000)};
};

TEST_F(Stuck, TheSameCommitThatWaitsWhileAnAckerIsThereIsPushed) {
  EXPECT_FALSE(look(waiting("0-1-7"), milliseconds(0)));
  EXPECT_FALSE(look(waiting("0-1-7"), milliseconds(200)));
  EXPECT_TRUE(look(waiting("0-1-7"), milliseconds(200)));
  EXPECT_FALSE(look(waiting("0-1-8"), milliseconds(200), 0)) << "that helped";
  EXPECT_FALSE(look(waiting("0-1-8"), milliseconds(2000), 0));
}

TEST_F(Stuck, CommitsThatComeAndGoAreNot) {
  for (int i = 1; i < 20; ++i) EXPECT_FALSE(look(waiting("0-1-" + std::to_string(i)), milliseconds(200)));
}

TEST_F(Stuck, OneThatWaitsForAnAckerThatIsNotThereIsNot) {
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(look(waiting("0-1-7", 0), milliseconds(200)));
  EXPECT_FALSE(look(waiting("0-1-7"), milliseconds(200))) << "it has only just connected";
  EXPECT_TRUE(look(waiting("0-1-7"), milliseconds(400)));
}

TEST_F(Stuck, ItIsTriedAgainButEverMoreRarely) {
  int pushed = 0;
  for (int i = 0; i < 1500; ++i) pushed += look(waiting("0-1-7"), milliseconds(200)) ? 1 : 0;
  EXPECT_GE(pushed, 5);
  EXPECT_LE(pushed, 18);
}

TEST_F(Stuck, AfterSomeTriesThatDidNotHelpItIsHopelessUntilSomethingMoves) {
  int pushed = 0;
  for (int i = 0; i < 100 && !commits.hopeless(); ++i) pushed += look(waiting("0-1-7"), milliseconds(200)) ? 1 : 0;
  EXPECT_TRUE(commits.hopeless());
  EXPECT_EQ(pushed, 3);
  EXPECT_FALSE(look(waiting("0-1-8"), milliseconds(200)));
  EXPECT_FALSE(commits.hopeless());
}

TEST_F(Stuck, TriesThatDidNotHelpDoNotPutOffTheFirstForAnotherAcker) {
  for (int i = 0; i < 300; ++i) look(waiting("0-1-7"), milliseconds(100));
  EXPECT_TRUE(commits.hopeless()) << "it is stopped, and stays connected";
  EXPECT_FALSE(look(waiting("0-1-7", 0), milliseconds(100)));
  EXPECT_FALSE(look(waiting("0-1-7"), milliseconds(100))) << "another one has connected";
  EXPECT_FALSE(commits.hopeless());
  EXPECT_TRUE(look(waiting("0-1-7"), milliseconds(400)));
  EXPECT_TRUE(look(waiting("0-1-7"), milliseconds(700)));
  EXPECT_TRUE(look(waiting("0-1-7"), milliseconds(1300)));
  EXPECT_TRUE(commits.hopeless());
}

// No look between two waits need see that none waits.
TEST_F(Stuck, AnAcknowledgementBeginsAnotherWait) {
  for (int i = 0; i < 300; ++i) look(waiting("0-1-7"), milliseconds(100));
  acknowledged += 2;
  EXPECT_FALSE(look(waiting("0-1-9"), milliseconds(100)));
  EXPECT_FALSE(commits.hopeless());
  EXPECT_TRUE(look(waiting("0-1-9"), milliseconds(400)));
  EXPECT_FALSE(look(waiting("0-1-10"), milliseconds(100))) << "that one is written, and acknowledged no more than the others";
  EXPECT_TRUE(look(waiting("0-1-10"), milliseconds(700)));
}

// MySQL: a replica that is stopped stays connected, clients try again, and each try is one commit more that waits.
TEST_F(Stuck, CommitsThatOnlyBecomeMoreAreHopelessToo) {
  ServerSnapshot s = waiting("aaaaaaaa-0000-4000-8000-000000000000:1-6");
  const auto seen = [&](int newest) {
    s.in_flight = *GtidSet::parse("aaaaaaaa-0000-4000-8000-000000000000:7-" + std::to_string(newest));
    look(s, milliseconds(200), static_cast<std::uint32_t>(newest - 6));
  };
  int newest = 7;
  for (; newest < 16; ++newest) seen(newest);
  EXPECT_FALSE(commits.hopeless());
  for (; newest < 20; ++newest) seen(newest);
  EXPECT_TRUE(commits.hopeless());

  s.in_flight = *GtidSet::parse("aaaaaaaa-0000-4000-8000-000000000000:8-20");
  look(s, milliseconds(200), 13);
  EXPECT_FALSE(commits.hopeless()) << "the first of them has been acknowledged";
}

}  // namespace
}  // namespace mysos
