// SPDX-License-Identifier: Apache-2.0
// The stage of a member in its record and in its row.
#include "core/state/member_table.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

constexpr Instant kNow{std::chrono::seconds(1000)};

struct MemberTableTest : ::testing::Test {
  MemberTableTest() {
    member.id = MemberId("abc-0");
    table.add(cluster, member, kNow);
  }
  MemberRow& row() { return table.at(member); }

  Cluster cluster;
  Member member;
  MemberTable table;
};

TEST_F(MemberTableTest, AStageIsEnteredInTheRecordAndInTheRow) {
  EXPECT_EQ(row().in<stage::Wanted>().not_before, kNow);
  table.enter(member, stage::Running{kNow});
  EXPECT_EQ(member.stage, MemberStage::kRunning);
  EXPECT_EQ(row().in<stage::Running>().since, kNow);
}

TEST_F(MemberTableTest, NothingOfAStageIsLeftBehind) {
  table.enter(member, stage::Down{.not_before = kNow, .stuck = "a reason", .agent_gone = true, .port_taken = true});
  table.enter(member, stage::Launching{kNow});
  table.enter(member, stage::Down{.not_before = kNow});
  const auto& down = row().in<stage::Down>();
  EXPECT_EQ(down.stuck, "");
  EXPECT_FALSE(down.agent_gone);
  EXPECT_FALSE(down.port_taken);
}

TEST_F(MemberTableTest, WhatOutlivesAStageIsKept) {
  row().failures = 3;
  row().task.ended = true;
  table.enter(member, stage::Down{.not_before = kNow});
  EXPECT_EQ(row().failures, 3U);
  EXPECT_TRUE(row().task.ended);
  table.forget_task(member.id);
  EXPECT_EQ(row().failures, 3U);
  EXPECT_FALSE(row().task.ended) << "that was the task before";
}

TEST_F(MemberTableTest, EachStageIsKnownAgainAfterARestart) {
  for (const auto& name : enum_names(MemberStage{})) {
    EXPECT_EQ(stage::kind_of(stage::first_seen(name.value, kNow)), name.value) << name.text;
  }
}

TEST_F(MemberTableTest, ARecordThatSaysAnotherStageIsFoundOut) {
  member.stage = MemberStage::kDown;
  EXPECT_DEATH((void)table.at(member), "stage that the record says");
  EXPECT_DEATH((void)table.at(member.id).in<stage::Down>(), "is in this stage");
}

}  // namespace
}  // namespace mysos
