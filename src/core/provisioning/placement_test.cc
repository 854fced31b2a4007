// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/placement.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

AgentSpace space(const std::string& name, Needs free, Needs total = {8000, 8192'000, 20480'000}) {
  return {AgentId(name), "host-" + name, free, 10, total};
}

TEST(Placement, TakesTheTightestFit) {
  const Want want{{1000, 1024'000, 5120'000}, {}};
  const std::vector<AgentSpace> spaces = {space("a", {8000, 8192'000, 20480'000}), space("b", {2000, 2048'000, 10240'000}),
                                          space("c", {500, 8192'000, 20480'000})};
  EXPECT_EQ(choose_agent(want, spaces), 1U);
}

TEST(Placement, KeepsMembersOfAClusterApart) {
  const Want want{{1000, 1024'000, 5120'000}, {AgentId("b")}};
  const std::vector<AgentSpace> spaces = {space("a", {8000, 8192'000, 20480'000}), space("b", {2000, 2048'000, 10240'000})};
  EXPECT_EQ(choose_agent(want, spaces), 0U);
  EXPECT_EQ(choose_agent({want.needs, {AgentId("a"), AgentId("b")}}, spaces), std::nullopt);
}

TEST(Placement, BreaksTiesByName) {
  const Want want{{1000, 1024'000, 5120'000}, {}};
  const Needs free{4000, 4096'000, 10240'000};
  EXPECT_EQ(choose_agent(want, {space("b", free), space("a", free)}), 1U);
}

TEST(Placement, NamesTheConstraintThatNoAgentMeets) {
  const Want want{{1500, 1024'000, 5120'000}, {}};
  EXPECT_EQ(why_unplaced(want, {}), "an offer: no agent has offered anything yet");
  EXPECT_EQ(why_unplaced(want, {space("a", {4000, 8192'000, 20480'000})}),
            "an offer: host-a has room, and has yet to offer it");
  EXPECT_EQ(why_unplaced(want, {space("a", {1000, 8192'000, 20480'000})}),
            "room: no agent has 1.5 cpus free (the most is 1 on host-a)");
  EXPECT_EQ(why_unplaced(want, {space("a", {2000, 512'000, 20480'000})}),
            "room: no agent has 1GB of memory free (the most is 512MB on host-a)");
  EXPECT_EQ(why_unplaced(want, {space("a", {2000, 2048'000, 1024'000})}),
            "room: no agent has 5GB of disk free (the most is 1GB on host-a)");
  EXPECT_EQ(why_unplaced(want, {space("a", {2000, 512'000, 20480'000}), space("b", {500, 4096'000, 20480'000})}),
            "room: no agent has 1.5 cpus, 1GB of memory, 5GB of disk and three ports free at once");
}

TEST(Placement, TellsAtOnceThatThereAreFewerAgentsThanMembers) {
  const Needs needs{1000, 1024'000, 5120'000};
  const std::vector<AgentSpace> both = {space("a", {4000, 8192'000, 20480'000}), space("b", {4000, 8192'000, 20480'000})};
  const std::string all = "an agent of its own: members never share one, this cluster has 3, and 2 agents are known";
  EXPECT_EQ(why_unplaced({needs, {}, 3}, both), all) << "before the first member has a place";
  EXPECT_EQ(why_unplaced({needs, {AgentId("a"), AgentId("b")}, 3}, both), all);
  EXPECT_EQ(why_unplaced({needs, {AgentId("c")}, 4}, {both[0]}), "an agent of its own: members never share one, this cluster "
                                                                 "has 4, and 2 agents are known");
  EXPECT_EQ(why_unplaced({needs, {}, 2}, {both[0]}), "an agent of its own: members never share one, this cluster has 2, and 1 "
                                                     "agent is known");
  EXPECT_EQ(why_unplaced({needs, {AgentId("c")}, 3}, both), "an offer: host-a has room, and has yet to offer it");
}

}  // namespace
}  // namespace mysos
