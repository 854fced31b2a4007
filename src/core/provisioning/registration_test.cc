// SPDX-License-Identifier: Apache-2.0
// Mesos removes the framework, and an operator has it registered anew.
#include <algorithm>

#include "core/provisioning/holdings.h"
#include "core/scenario/scheduler_scenario.h"

namespace mysos::scenario {
namespace {

const char* const kRemoved = "Framework has been removed";

Scenario a_removed_framework(std::uint32_t members = 3) {
  Scenario s;
  s.let_members_live();
  EXPECT_TRUE(s.create("shop", members));
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, seconds(30));
  s.mesos.remove_framework(FrameworkId("fw-2"));
  s.give(scheduler_input::FromMesos{mesos::Disconnected{}});
  s.give(scheduler_input::FromMesos{mesos::MasterError{kRemoved}});
  for (const Member& m : s.cluster("shop").members) s.give(scheduler_input::WatchLost{m.id, "its executor has ended"});
  return s;
}

Result<ClusterId> ask_to_register(Scenario& s) {
  return s.ask("", command::Register{});
}

std::map<MemberId, VolumeId> volumes_of(const Scenario& s) {
  std::map<MemberId, VolumeId> out;
  for (const Member& m : s.cluster("shop").members) out[m.id] = m.place().volume;
  return out;
}

TEST(Registration, AfterARemovalOnlyReadingIsPossible) {
  Scenario s = a_removed_framework();
  const auto calls = s.mesos.calls.size();
  s.orders.clear();
  s.run_for(minutes(5));

  EXPECT_TRUE(s.core->removed());
  EXPECT_FALSE(s.core->connected());
  EXPECT_TRUE(s.told(EventKind::kFrameworkRemoved));
  EXPECT_FALSE(s.told(EventKind::kFrameworkDismissed));
  EXPECT_EQ(s.mesos.calls.size(), calls);
  EXPECT_TRUE(s.orders.empty());
  const ClusterView view = s.view("shop");
  EXPECT_NE(view.waiting_for.find("mysos register"), std::string::npos) << view.waiting_for;
  EXPECT_EQ(view.state, ClusterState::kUnavailable) << "no failover will come";
  EXPECT_FALSE(s.member("shop", 0).place().agent.empty()) << "it is still said where its data are";
  for (const auto& refused : {s.create("other", 1), s.remove("shop"), s.switch_over("shop")}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kUnavailable);
    EXPECT_NE(refused.error().message.find("mysos register"), std::string::npos);
  }
}

TEST(Registration, ANewFrameworkStartsTheMembersOnTheirVolumes) {
  Scenario s = a_removed_framework();
  const auto before = volumes_of(s);
  s.mesos.calls.clear();

  ASSERT_TRUE(ask_to_register(s));
  EXPECT_FALSE(s.core->removed());
  s.run_until([&] { return s.all_running("shop"); }, minutes(2));
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, minutes(2));

  EXPECT_EQ(s.core->state().framework, FrameworkId("fw-2"));
  EXPECT_EQ(s.core->state().former, std::set{FrameworkId("fw-1")});
  EXPECT_EQ(volumes_of(s), before);
  for (const mesos::Call& call : s.mesos.calls) {
    const auto* accept = std::get_if<mesos::Accept>(&call);
    if (accept == nullptr) continue;
    for (const mesos::Operation& o : accept->operations)
      EXPECT_TRUE(std::holds_alternative<mesos::Launch>(o.what)) << "nothing is reserved, made or destroyed";
  }
  s.run_for(minutes(20));
  EXPECT_FALSE(s.told(EventKind::kOrphanFound));
}

TEST(Registration, TheFormerIdsOutliveARestartAndADeleteLeavesNothingBehind) {
  Scenario s = a_removed_framework();
  ASSERT_TRUE(ask_to_register(s));
  s.run_until([&] { return s.all_running("shop"); }, minutes(2));

  s.start();
  s.run_for(seconds(10));
  EXPECT_EQ(s.core->state().former, std::set{FrameworkId("fw-1")});
  ASSERT_TRUE(s.remove("shop"));
  s.run_until([&] { return s.core->state().find_by_name("shop") == nullptr; }, minutes(2));

  EXPECT_TRUE(s.mesos.nothing_held());
}

TEST(Registration, ADeleteThatWasUnderWayGoesOnUnderTheNewFramework) {
  Scenario s;
  ASSERT_TRUE(s.create("shop", 3));
  s.run_until([&] { return s.all_running("shop"); }, seconds(30));
  s.mesos.deaf = true;
  ASSERT_TRUE(s.remove("shop"));
  s.mesos.remove_framework(FrameworkId("fw-2"));
  s.give(scheduler_input::FromMesos{mesos::Disconnected{}});
  s.give(scheduler_input::FromMesos{mesos::MasterError{kRemoved}});

  ASSERT_TRUE(ask_to_register(s));
  s.run_until([&] { return s.core->state().find_by_name("shop") == nullptr; }, minutes(2));

  EXPECT_TRUE(s.mesos.nothing_held());
}

TEST(Registration, OfAStrangersLabelNothingIsTaken) {
  const Resources offered =
      Resources{scalar("cpus", 1000)}.reserved_as({kRole, "mysos", {{kFrameworkLabel, "fw-9"}, {kResourceLabel, "r"}}});

  EXPECT_TRUE(holdings_in(offered, {FrameworkId("fw-1"), FrameworkId("fw-2")}).empty());
  EXPECT_EQ(holdings_in(offered, {FrameworkId("fw-9")}).at("r").reservation.labels.at(kFrameworkLabel), "fw-9");
}

TEST(Registration, IsRefusedWhereMesosHasRemovedNothing) {
  Scenario s;
  EXPECT_EQ(ask_to_register(s).error().code, Errc::kConflict);
  s.run_for(seconds(1));
  EXPECT_EQ(ask_to_register(s).error().code, Errc::kConflict);

  s.give(scheduler_input::FromMesos{mesos::MasterError{"Framework failed over"}});
  EXPECT_EQ(ask_to_register(s).error().code, Errc::kUnavailable);
  EXPECT_EQ(s.core->state().framework, FrameworkId("fw-1"));
}

TEST(Registration, AMasterThatHasForgottenTheRemovalTakesTheFrameworkBack) {
  Scenario s = a_removed_framework(1);

  s.give(scheduler_input::FromMesos{mesos::Subscribed{FrameworkId("fw-1"), 15, "master-2"}});

  EXPECT_FALSE(s.core->removed());
  EXPECT_TRUE(s.core->connected());
}

TEST(Registration, WhyThereIsNoSubscriptionIsTold) {
  Scenario s;
  s.let_members_live();
  ASSERT_TRUE(s.create("shop", 1));

  s.give(scheduler_input::FromMesos{mesos::MasterError{"401 Unauthorized."}});

  EXPECT_NE(s.core->mesos_problem().find("401"), std::string::npos);
  EXPECT_NE(s.view("shop").waiting_for.find("401"), std::string::npos) << s.view("shop").waiting_for;
  EXPECT_FALSE(s.core->removed());
}

}  // namespace
}  // namespace mysos::scenario
