// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/placed_members.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

Member member(const std::string& id, const std::string& agent) {
  Member m;
  m.id = MemberId(id);
  m.task = TaskId("task of " + id);
  m.granted = Granted{.place = {.agent = AgentId(agent), .resource_id = "place of " + id}};
  return m;
}

TEST(PlacedMembers, AreFoundByTaskReservationAndAgent) {
  PlacedMembers placed;
  const Owner a{ClusterId("a"), MemberId("a-0")};
  const Owner b{ClusterId("b"), MemberId("b-0")};
  placed.add(a.cluster, member("a-0", "1"));
  placed.add(b.cluster, member("b-0", "1"));
  placed.add(a.cluster, member("a-1", "2"));
  EXPECT_EQ(*placed.by_task(TaskId("task of a-0")), a);
  EXPECT_EQ(*placed.by_resource("place of b-0"), b);
  EXPECT_EQ(placed.on(AgentId("1")), (std::vector{a, b}));
  EXPECT_EQ(placed.all().size(), 3U);
  EXPECT_FALSE(placed.by_task(TaskId("another")));
  EXPECT_TRUE(placed.on(AgentId("3")).empty());
}

TEST(PlacedMembers, OneThatMovesIsFoundWhereItIsNow) {
  PlacedMembers placed;
  Member m = member("a-0", "1");
  placed.add(ClusterId("a"), m);
  placed.remove(m);
  m.task = TaskId("the next task");
  m.place().agent = AgentId("2");
  placed.add(ClusterId("a"), m);
  EXPECT_FALSE(placed.by_task(TaskId("task of a-0")));
  EXPECT_TRUE(placed.by_task(TaskId("the next task")));
  EXPECT_TRUE(placed.on(AgentId("1")).empty());
  EXPECT_EQ(placed.on(AgentId("2")).size(), 1U);
  placed.remove(m);
  EXPECT_TRUE(placed.all().empty());
}

TEST(PlacedMembers, OneThatHasNoPlaceIsInNone) {
  PlacedMembers placed;
  placed.add(ClusterId("a"), member("a-0", "1"));
  Member wanted;
  wanted.id = MemberId("a-0");
  placed.remove(wanted);
  EXPECT_EQ(placed.all().size(), 1U);
}

}  // namespace
}  // namespace mysos
