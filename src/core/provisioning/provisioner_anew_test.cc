// SPDX-License-Identifier: Apache-2.0
// What a member keeps, and what it leaves behind, when it gets another place, comes back under another agent or is launched
// again.
#include "core/scenario/scheduler_scenario.h"

namespace mysos::scenario {
namespace {

// The cluster "shop" with one member, on agent 1.
Scenario alone() {
  Scenario s(1);
  EXPECT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(10));
  return s;
}

// The agent of the member is marked gone, and its disks come back as those of agent 9.
void come_back_as_9(Scenario& s) {
  const Member& m = s.member("shop", 0);
  const Resources held = s.mesos.tasks.at(m.task).info.resources;
  s.mesos.mark_gone(m.place().agent.value);
  s.run_until([&] { return s.told(EventKind::kMemberDown); }, seconds(1));
  ASSERT_NE(s.view("shop").waiting_for.find("was marked gone"), std::string::npos) << s.view("shop").waiting_for;
  s.mesos.add_agent("9", 0, 0, 0);
  s.mesos.agents.at(AgentId("9")).free = held;
  s.run_until([&] { return s.told(EventKind::kMemberMoved); }, seconds(1));
}

TEST(Anew, OperatorsPreferenceOutlivesAPlaceThatIsGivenUp) {
  Scenario s(1);
  s.mesos.refused_operations = {"reserve"};
  ASSERT_TRUE(s.create("shop", 1));
  const MemberId member = s.member("shop", 0).id;
  ASSERT_TRUE(s.ask("shop", command::Promote{member, Promotion::kPrefer}));
  s.run_until([&] { return s.told(EventKind::kMemberDown); }, seconds(5));
  s.mesos.refused_operations.clear();
  s.run_until([&] { return s.all_running("shop"); }, minutes(1));

  EXPECT_TRUE(s.told(EventKind::kPlacementAbandoned));
  EXPECT_EQ(s.member("shop", 0).promotion, Promotion::kPrefer);
}

// An agent that was marked gone had its disks put into another machine, or begun anew under another id.
TEST(Anew, AMemberWhoseDisksAreBackIsLaunchedAgainEachTimeItEnds) {
  Scenario s = alone();
  come_back_as_9(s);
  s.run_until([&] { return s.all_running("shop"); }, seconds(30));
  ASSERT_TRUE(s.all_running("shop"));

  s.mesos.end_task(s.member("shop", 0).task, mesos::TaskState::kFailed, "it ends");
  s.run_until([&] { return s.member("shop", 0).stage == MemberStage::kDown; }, seconds(1));
  EXPECT_EQ(s.view("shop").waiting_for.find("was marked gone"), std::string::npos) << s.view("shop").waiting_for;
  s.run_until([&] { return s.all_running("shop"); }, minutes(2));
  EXPECT_TRUE(s.all_running("shop"));
}

TEST(Anew, AMemberWhoseDisksAreBackIsGivenBackWithItsCluster) {
  Scenario s = alone();
  come_back_as_9(s);
  ASSERT_EQ(s.member("shop", 0).stage, MemberStage::kDown) << "before its next launch is due";
  ASSERT_TRUE(s.remove("shop"));
  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(2));

  for (const Resource& r : s.mesos.agents.at(AgentId("9")).free.list()) {
    EXPECT_TRUE(r.reservations.empty() && !r.volume) << r.name << " is still held for a member that is gone";
  }
  EXPECT_GE(s.mesos.count<mesos::Accept>(), 2U) << "the launch, and the release";
}

// There were no other ports to give it; its own were free again when it was launched.
TEST(Anew, APortThatIsFreeAgainIsNotTakenForTakenForEver) {
  Scenario s = alone();
  const Member before = s.member("shop", 0);
  ScriptedMesos::Agent& agent = s.mesos.agents.at(before.place().agent);
  Resources ports;
  for (const Resource& r : agent.free.list()) {
    if (r.name == "ports") ports += Resources{r};
  }
  ASSERT_FALSE(ports.empty());
  agent.free -= ports;
  s.mesos.end_task(before.task, mesos::TaskState::kFailed, "port 31000 " + std::string(kPortTaken));
  s.run_until([&] { return s.told(EventKind::kMemberDown); }, seconds(1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(30));
  ASSERT_FALSE(s.told(EventKind::kPortsChanged));

  agent.free += ports;
  s.mesos.end_task(s.member("shop", 0).task, mesos::TaskState::kFailed, "something else");
  s.run_until([&] { return s.member("shop", 0).stage == MemberStage::kDown; }, seconds(1));
  s.run_until([&] { return s.all_running("shop"); }, minutes(1));
  EXPECT_FALSE(s.told(EventKind::kPortsChanged));
  EXPECT_EQ(s.member("shop", 0).place().port, before.place().port);
}

}  // namespace
}  // namespace mysos::scenario
