// SPDX-License-Identifier: Apache-2.0
// The durable state is put back to an earlier one, as the whole brain sees it (ADR 9).
#include "core/state/doubt.h"

#include "core/scenario/scheduler_scenario.h"

namespace mysos::scenario {
namespace {

void all_report(Scenario& s) {
  for (auto& [id, member] : s.members) s.give(scheduler_input::Reported{member.beat()});
}

// The state of before a switchover to member 1 is put back.
Scenario a_state_put_back(bool noticed) {
  Scenario s = a_healthy_cluster();
  const auto before = s.records;
  EXPECT_TRUE(s.switch_over("shop", s.member("shop", 1).id));
  s.run_until([&] { return s.told(EventKind::kSwitchoverDone); }, seconds(60));
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, seconds(60));
  EXPECT_EQ(s.cluster("shop").epoch.primary, s.member("shop", 1).id);
  s.records = before;
  s.orders.clear();
  s.events.clear();
  s.start();
  if (noticed) s.give(scheduler_input::StatePutBack{"state.db was put back"});
  return s;
}

TEST(Doubt, TheStateIsDoubtfulBeforeAnybodyIsHeardOf) {
  Scenario s = a_state_put_back(true);

  s.run_for(seconds(30));

  EXPECT_EQ(s.view("shop").state, ClusterState::kInDoubt);
  EXPECT_TRUE(s.told(EventKind::kStatePutBack));
  EXPECT_TRUE(s.told(EventKind::kRecordDoubted));
  EXPECT_FALSE(s.told(EventKind::kFailoverStarted));
  EXPECT_TRUE(s.orders.empty());
}

TEST(Doubt, OneMemberThatPromisedMoreProvesThatTheRecordIsOld) {
  Scenario s = a_state_put_back(false);
  const MemberId newer = s.member("shop", 1).id;

  s.give(scheduler_input::Reported{s.members.at(newer).beat()});
  s.run_for(seconds(30));

  EXPECT_EQ(s.view("shop").state, ClusterState::kInDoubt);
  EXPECT_NE(s.view("shop").waiting_for.find(newer.value + " has promised"), std::string::npos) << s.view("shop").waiting_for;
  EXPECT_TRUE(s.told(EventKind::kRecordDoubted));
  EXPECT_EQ(s.view("shop").cluster->doubt->asking, 0U);
}

TEST(Doubt, TheClusterIsBackOnceAllItsMembersHaveSaidWhatTheyHold) {
  Scenario s = a_state_put_back(true);
  const auto epoch_before = s.members.at(s.member("shop", 1).id).now.promised.epoch;

  all_report(s);
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, seconds(60));

  EXPECT_GT(s.cluster("shop").epoch.pair.epoch, epoch_before);
  EXPECT_FALSE(s.cluster("shop").doubt);
  EXPECT_TRUE(s.told(EventKind::kRecordAsked));
  EXPECT_TRUE(s.told(EventKind::kRecordRenewed));
}

TEST(Doubt, TheDoubtOutlivesTheProcess) {
  Scenario s = a_state_put_back(true);

  s.start();
  s.run_for(seconds(10));

  EXPECT_EQ(s.view("shop").state, ClusterState::kInDoubt);
}

TEST(Doubt, WhatAnOperatorAskedForIsNotCarriedOutFromAnOldRecord) {
  Scenario s = a_healthy_cluster();
  EXPECT_TRUE(s.switch_over("shop", s.member("shop", 1).id));
  const auto before = s.records;
  ASSERT_TRUE(s.cluster("shop").switchover_to || s.cluster("shop").epoch.electing);
  s.run_until([&] { return s.told(EventKind::kSwitchoverDone); }, seconds(60));
  s.records = before;
  s.orders.clear();
  s.start();
  s.give(scheduler_input::StatePutBack{"state.db was put back"});

  EXPECT_FALSE(s.cluster("shop").switchover_to);
}

// The copy itself is of a time of doubt.
TEST(Doubt, ALossThatWasAcceptedBeforeTheCopyWasMadeIsNotTaken) {
  Scenario s = a_state_put_back(true);
  s.give(scheduler_input::Reported{s.members.at(s.member("shop", 0).id).beat()});
  EXPECT_TRUE(s.ask("shop", command::Failover{{.accept_loss = true}}));
  ASSERT_TRUE(s.cluster("shop").failover);
  const auto before = s.records;
  s.run_until([&] { return s.told(EventKind::kFailoverForced); }, seconds(60));
  s.records = before;
  s.orders.clear();
  s.events.clear();
  s.start();

  s.give(scheduler_input::StatePutBack{"state.db was put back again"});
  s.run_for(seconds(30));

  EXPECT_FALSE(s.cluster("shop").failover);
  EXPECT_EQ(s.cluster("shop").doubt->asking, 0U);
  EXPECT_FALSE(s.told(EventKind::kFailoverForced));
}

TEST(Doubt, OnlyAnAcceptedLossIsAFailoverThatAnOperatorCanOrder) {
  Scenario s = a_state_put_back(true);
  const MemberId away = s.member("shop", 1).id;
  s.give(scheduler_input::Reported{s.members.at(s.member("shop", 0).id).beat()});
  s.give(scheduler_input::Reported{s.members.at(s.member("shop", 2).id).beat()});

  const auto refused = s.ask("shop", command::Failover{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_NE(refused.error().message.find("unreachable members hold: " + away.value), std::string::npos)
      << refused.error().message;
  EXPECT_FALSE(s.switch_over("shop"));

  EXPECT_TRUE(s.ask("shop", command::Failover{{.accept_loss = true}}));
  s.run_until([&] { return s.told(EventKind::kFailoverForced); }, seconds(60));
  EXPECT_FALSE(s.cluster("shop").doubt);
}

TEST(Doubt, ATaskThatTheOldRecordDoesNotKnowIsFoundAndNotKilled) {
  Scenario s = a_healthy_cluster();
  const auto before = s.records;
  const Member was = s.member("shop", 0);
  s.mesos.end_task(was.task, mesos::TaskState::kFailed, "it crashed");
  s.run_until([&] { return s.member("shop", 0).task != was.task && s.all_running("shop"); }, seconds(120));
  const Member is = s.member("shop", 0);
  s.records = before;
  s.orders.clear();
  s.events.clear();
  s.start();
  s.run_for(seconds(5));

  EXPECT_EQ(s.member("shop", 0).task, is.task);
  EXPECT_EQ(s.member("shop", 0).launches, is.launches);
  EXPECT_FALSE(s.told(EventKind::kStrayTaskKilled));
  EXPECT_TRUE(s.told(EventKind::kTaskFound));
  EXPECT_EQ(s.view("shop").cluster->doubt.has_value() || s.told(EventKind::kRecordRenewed), true);
}

TEST(Doubt, ADeletionEndsTheTaskThatTheOldRecordDoesNotKnowBeforeItGivesThePlaceBack) {
  Scenario s = a_healthy_cluster();
  const auto before = s.records;
  const Member was = s.member("shop", 0);
  s.mesos.end_task(was.task, mesos::TaskState::kFailed, "it crashed");
  s.run_until([&] { return s.member("shop", 0).task != was.task && s.all_running("shop"); }, seconds(120));
  s.records = before;
  s.orders.clear();
  s.events.clear();
  s.start();
  ASSERT_TRUE(s.remove("shop"));
  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(3));

  EXPECT_FALSE(s.told(EventKind::kStrayTaskKilled));
  EXPECT_TRUE(s.mesos.nothing_held());
}

TEST(Doubt, AMemberThatTheOldRecordNeverPlacedSaysWhereItIsAndIsNotPlacedAgain) {
  Scenario s;
  s.report_to_each = true;
  s.let_members_live();
  EXPECT_TRUE(s.create("shop", 3));
  const auto before = s.records;
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, seconds(60));
  const auto tasks = s.mesos.tasks.size();
  s.records = before;
  s.orders.clear();
  s.events.clear();
  s.start();
  s.give(scheduler_input::StatePutBack{"state.db was put back"});
  s.run_for(minutes(3));

  EXPECT_EQ(s.mesos.tasks.size(), tasks);
  EXPECT_FALSE(s.told(EventKind::kMemberPlaced));
  EXPECT_FALSE(s.told(EventKind::kStrayTaskKilled));
  EXPECT_EQ(s.times_told(EventKind::kMemberFound), 3U);
  EXPECT_EQ(s.view("shop").state, ClusterState::kHealthy) << s.view("shop").waiting_for;
}

}  // namespace
}  // namespace mysos::scenario
