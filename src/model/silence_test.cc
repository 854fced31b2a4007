// SPDX-License-Identifier: Apache-2.0
#include "model/silence.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Silence, LastsAsLongAsNothingIsHeard) {
  Instant now{seconds(100)};
  Silence s;
  s.heard(now);
  for (int i = 0; i < 6; ++i) s.nothing(now += milliseconds(200));
  EXPECT_EQ(s.told_ms(), 1200U);
  s.heard(now += milliseconds(200));
  EXPECT_EQ(s.told_ms(), 0U);
}

TEST(Silence, IsNotToldBeforeItIsWorthIt) {
  Instant now{seconds(100)};
  Silence s;
  s.heard(now);
  s.nothing(now += milliseconds(250));
  s.nothing(now += milliseconds(249));
  EXPECT_EQ(s.told_ms(), 0U);
  s.nothing(now += milliseconds(71));
  EXPECT_EQ(s.told_ms(), 500U) << "in whole steps";
}

TEST(Silence, APauseOfTheListenerIsNoSilenceOfTheOther) {
  Instant now{seconds(100)};
  Silence s;
  s.heard(now);
  s.nothing(now += seconds(30));
  EXPECT_EQ(s.told_ms(), 0U);
}

}  // namespace
}  // namespace mysos
