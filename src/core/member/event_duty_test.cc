// SPDX-License-Identifier: Apache-2.0
#include "core/member/event_duty.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Act = EventDuty::Act;

class Events : public testing::Test {
 protected:
  Act look(bool writable, bool on, Duration later = milliseconds(0)) {
    now += later;
    return duty.look(writable, on, now);
  }
  void a_primary_that_runs_them() {
    ASSERT_EQ(look(true, false), Act::kStart);
    duty.done(true, now);
    ASSERT_EQ(look(true, true), Act::kRecord);
    duty.done(true, now);
  }
  EventDuty duty;
  Instant now{seconds(1000)};
};

TEST_F(Events, AReplicaWhoseSchedulerIsOffIsLeftAlone) { EXPECT_EQ(look(false, false), Act::kNothing); }

TEST_F(Events, AServerThatIsOpenedRunsThem) {
  a_primary_that_runs_them();

  EXPECT_EQ(look(true, true, milliseconds(200)), Act::kNothing);
  EXPECT_EQ(look(true, true, EventDuty::kRecordEvery), Act::kRecord);
}

TEST_F(Events, AReadOnlyServerWhoseSchedulerIsOnIsStopped) {
  a_primary_that_runs_them();

  EXPECT_EQ(look(false, true), Act::kStop);
  duty.done(true, now);
  EXPECT_EQ(look(false, false), Act::kNothing);
}

TEST_F(Events, AnAdoptedPrimaryIsStartedAgainAlthoughItsSchedulerIsOn) { EXPECT_EQ(look(true, true), Act::kStart); }

TEST_F(Events, APrimaryThatWasReadOnlyForAMomentStartsAgain) {
  a_primary_that_runs_them();

  EXPECT_EQ(look(false, false, milliseconds(200)), Act::kNothing);
  EXPECT_EQ(look(true, false, milliseconds(200)), Act::kStart);
}

TEST_F(Events, OneActIsUnderWayAtATime) {
  ASSERT_EQ(look(true, false), Act::kStart);

  EXPECT_EQ(look(true, false, seconds(5)), Act::kNothing);
  EXPECT_EQ(look(false, true), Act::kNothing);
  duty.done(true, now);
  EXPECT_EQ(look(false, true), Act::kStop);
}

TEST_F(Events, WhatFailsIsTriedAgainLaterAndLater) {
  ASSERT_EQ(look(true, false), Act::kStart);
  duty.done(false, now);

  EXPECT_EQ(look(true, true), Act::kNothing);
  EXPECT_EQ(look(true, true, EventDuty::kRetryMin), Act::kStart);
  duty.done(false, now);
  EXPECT_EQ(look(true, true, EventDuty::kRetryMin), Act::kNothing);
  EXPECT_EQ(look(true, true, EventDuty::kRetryMin), Act::kStart);
}

}  // namespace
}  // namespace mysos
