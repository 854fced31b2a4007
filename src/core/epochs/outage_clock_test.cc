// SPDX-License-Identifier: Apache-2.0
#include "core/epochs/outage_clock.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

constexpr Instant at(int ms) { return Instant(std::chrono::milliseconds(ms)); }

TEST(OutageClock, TellsWhereTheTimeOfAFailoverWent) {
  OutageClock clock;
  EXPECT_FALSE(clock.saw({true, true, at(0)}, at(0)));
  EXPECT_FALSE(clock.saw({false, false, at(1000)}, at(1010)));
  clock.election_began(FailoverCause::kServerDied, kNever, at(1030));
  EXPECT_FALSE(clock.saw({false, false, at(1030)}, at(1040)));
  clock.primary_chosen(at(1100));
  EXPECT_FALSE(clock.saw({false, false, at(1100)}, at(1120)));
  const auto outage = clock.saw({true, true, at(1250)}, at(1250));
  ASSERT_TRUE(outage);
  EXPECT_EQ(outage->cause, FailoverCause::kServerDied);
  EXPECT_EQ(outage->took_ms,
            (std::map<std::string, std::int64_t>{{"notice", 30}, {"choose", 70}, {"open", 150}, {"total", 250}}));
  EXPECT_FALSE(clock.saw({true, true, at(1300)}, at(1300))) << "told once";
}

TEST(OutageClock, APrimaryThatReportsButIsOfNoUseIsAwaySinceThen) {
  OutageClock clock;
  EXPECT_FALSE(clock.saw({true, true, at(2000)}, at(2000)));
  clock.election_began(FailoverCause::kCutOff, at(700), at(2000));
  EXPECT_FALSE(clock.saw({false, false, at(2010)}, at(2010)));
  clock.primary_chosen(at(2050));
  const auto outage = clock.saw({true, true, at(2100)}, at(2100));
  ASSERT_TRUE(outage);
  EXPECT_EQ(outage->took_ms,
            (std::map<std::string, std::int64_t>{{"notice", 1300}, {"choose", 50}, {"open", 50}, {"total", 1400}}));
}

TEST(OutageClock, AFirstPrimaryIsNoOutage) {
  OutageClock clock;
  EXPECT_FALSE(clock.saw({false, false, at(0)}, at(0)));
  clock.election_began(FailoverCause::kSilent, kNever, at(10));
  clock.primary_chosen(at(20));
  EXPECT_FALSE(clock.saw({true, true, at(30)}, at(30)));
}

TEST(OutageClock, APrimaryThatComesBackByItselfIsNoFailover) {
  OutageClock clock;
  EXPECT_FALSE(clock.saw({true, true, at(0)}, at(0)));
  EXPECT_FALSE(clock.saw({false, false, at(10)}, at(10)));
  EXPECT_FALSE(clock.saw({true, true, at(500)}, at(500)));
}

TEST(OutageClock, AnOldPrimarySeenServingDoesNotEndAnElection) {
  OutageClock clock;
  EXPECT_FALSE(clock.saw({true, true, at(0)}, at(0)));
  clock.election_began(FailoverCause::kCutOff, kNever, at(10));
  EXPECT_FALSE(clock.saw({true, true, at(20)}, at(20)));
  clock.primary_chosen(at(50));
  const auto outage = clock.saw({true, true, at(100)}, at(100));
  ASSERT_TRUE(outage);
  EXPECT_EQ(outage->took_ms.at("total"), 90);
}

TEST(OutageClock, ASwitchoverIsAPauseFromWhenItsPrimaryCloses) {
  OutageClock clock;
  EXPECT_FALSE(clock.saw({true, true, at(0)}, at(0)));
  clock.election_began(FailoverCause::kSwitchover, kNever, at(10));
  EXPECT_FALSE(clock.saw({false, true, at(30)}, at(30))) << "it takes writes while the others prepare";
  EXPECT_FALSE(clock.saw({false, false, at(40)}, at(40)));
  clock.primary_chosen(at(60));
  const auto pause = clock.saw({true, true, at(100)}, at(100));
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->took_ms,
            (std::map<std::string, std::int64_t>{{"notice", 0}, {"choose", 20}, {"open", 40}, {"total", 60}}));
}

}  // namespace
}  // namespace mysos
