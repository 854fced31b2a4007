// SPDX-License-Identifier: Apache-2.0
// The whole brain: commands, members' reports, orders, what the API shows.
#include <algorithm>

#include "core/scenario/scheduler_scenario.h"

namespace mysos::scenario {
namespace {

TEST(SchedulerCore, RecordsTheFrameworkIdBeforeAnythingElse) {
  Scenario s;
  EXPECT_FALSE(s.core->framework_info().id);
  s.core->step(scheduler_input::FromMesos{mesos::Subscribed{FrameworkId("fw-9"), 15, "m"}}, s.now);
  const SchedulerOutput out = s.core->take_output();
  ASSERT_EQ(out.records.size(), 1U);
  EXPECT_EQ(out.records[0], (Record{"framework", "state", R"({"v":1,"id":"fw-9","former":[]})"}));

  const auto info = s.core->framework_info();
  EXPECT_EQ(info.id, FrameworkId("fw-9"));
  EXPECT_TRUE(info.checkpoint);
  EXPECT_EQ(info.failover_timeout_s, 14 * 24 * 3600);
  EXPECT_EQ(info.capabilities.size(), 4U);
}

TEST(SchedulerCore, BringsAClusterFromAWishToHealthy) {
  Scenario s;
  s.let_members_live();
  ASSERT_TRUE(s.create("shop", 3));
  EXPECT_EQ(s.view("shop").state, ClusterState::kCreating);
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, seconds(60));

  const ClusterView view = s.view("shop");
  EXPECT_EQ(view.waiting_for, "");
  EXPECT_EQ(s.cluster("shop").epoch.ackers.size(), 2U);
  EXPECT_TRUE(s.told(EventKind::kPrimaryChosen));
  EXPECT_EQ(s.core->watch_targets().size(), 3U);
}

TEST(SchedulerCore, SendsAnOrderOnceUntilItIsAnswered) {
  Scenario s;
  ASSERT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(5));
  ObedientMember member(s.member("shop", 0).id, s.member("shop", 0).task);
  for (int i = 0; i < 20; ++i) s.give(scheduler_input::Reported{member.beat()});
  std::map<std::string, int> sent;
  for (const SentOrder& o : s.orders) ++sent[std::string(order_name(o.order))];
  EXPECT_EQ(sent, (std::map<std::string, int>{{"setup", 1}, {"fence", 1}}));
}

TEST(SchedulerCore, IgnoresReportsOfOtherTasksAndOlderOnes) {
  Scenario s;
  ASSERT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(5));
  ObedientMember member(s.member("shop", 0).id, s.member("shop", 0).task);
  ObedientMember ghost(s.member("shop", 0).id, TaskId("shop.other.0.9"));
  ghost.now.has_secrets = true;
  s.give(scheduler_input::Reported{ghost.beat()});
  EXPECT_FALSE(s.view("shop").members[0].report);

  member.now.problem = "first";
  const MemberReport first = member.beat();
  member.now.problem = "second";
  s.give(scheduler_input::Reported{member.beat()});
  s.give(scheduler_input::Reported{first});
  EXPECT_EQ(s.view("shop").members[0].report->problem, "second");

  s.give(scheduler_input::WatchLost{first.member, "silent"});
  EXPECT_FALSE(s.view("shop").members[0].connected);
  s.give(scheduler_input::OrderDone{1, first.member, std::nullopt, member.beat()});
  EXPECT_FALSE(s.view("shop").members[0].connected) << "an answer does not bring the stream back";
}

TEST(SchedulerCore, AVolumeThatComesBackEmptyIsNotTakenForTheOneItWas) {
  Scenario s = a_healthy_cluster();
  const MemberId acker = *s.cluster("shop").epoch.ackers.begin();
  const auto view = [&] {
    const std::vector<MemberView> members = s.view("shop").members;
    return *std::ranges::find(members, acker, &MemberView::id);
  };
  MemberReport named = *view().report;
  named.volume = "first";
  named.seq += 1000;
  s.give(scheduler_input::Reported{named});
  ASSERT_TRUE(view().connected);
  EXPECT_EQ(s.cluster("shop").find(acker)->volume_name, "first");

  MemberReport empty;
  empty.member = acker;
  empty.task = named.task;
  empty.executor = "another";
  empty.volume = "second";
  const std::size_t orders = s.orders.size();
  s.give(scheduler_input::Reported{empty});
  EXPECT_FALSE(view().connected);
  EXPECT_FALSE(view().report) << "what it once said to hold is gone";
  EXPECT_TRUE(s.told(EventKind::kVolumeLost));
  for (std::size_t i = orders; i < s.orders.size(); ++i) EXPECT_NE(s.orders[i].member, acker) << "it gets no orders";
  EXPECT_TRUE(view().volume_lost);
  EXPECT_TRUE(s.cluster("shop").find(acker)->volume_lost) << "the next scheduler need not find it out";

  named.executor = "with the old one";
  s.give(scheduler_input::Reported{named});
  EXPECT_TRUE(view().report);
  EXPECT_FALSE(view().volume_lost);
  EXPECT_TRUE(s.told(EventKind::kVolumeBack));
}

TEST(SchedulerCore, AReportOfTheNewestTaskIsProofThatItRuns) {
  Scenario s;
  ASSERT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.told(EventKind::kMemberLaunched); }, seconds(5));
  ASSERT_EQ(s.member("shop", 0).stage, MemberStage::kLaunching);
  ObedientMember member(s.member("shop", 0).id, s.member("shop", 0).task);
  s.give(scheduler_input::Reported{member.beat()});
  EXPECT_EQ(s.member("shop", 0).stage, MemberStage::kRunning);
  EXPECT_TRUE(s.member("shop", 0).holds_data);
}

TEST(SchedulerCore, ReplacesAPrimaryWhoseTaskHasEnded) {
  Scenario s = a_healthy_cluster();
  const MemberId old = *s.cluster("shop").epoch.primary;
  const std::uint64_t epoch = s.cluster("shop").epoch.pair.epoch;
  for (auto& [id, member] : s.members) {
    if (id == old) continue;
    member.now.receiver_connected = false;
    s.give(scheduler_input::Reported{member.beat()});
  }
  s.mesos.end_task(s.cluster("shop").find(old)->task, mesos::TaskState::kFailed, "REASON_EXECUTOR_TERMINATED");
  s.run_until([&] { return s.cluster("shop").epoch.electing; }, seconds(5));
  EXPECT_EQ(s.view("shop").state, ClusterState::kFailingOver);

  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, seconds(30));
  EXPECT_GT(s.cluster("shop").epoch.pair.epoch, epoch);
  EXPECT_NE(s.cluster("shop").epoch.primary, old);
}

TEST(SchedulerCore, SwitchesOverAndForgetsTheWishOnceItIsDone) {
  Scenario s = a_healthy_cluster();
  const MemberId target = *s.cluster("shop").epoch.ackers.begin();
  ASSERT_TRUE(s.switch_over("shop", target));
  s.run_until([&] { return s.cluster("shop").epoch.primary == target; }, seconds(10));
  EXPECT_FALSE(s.cluster("shop").switchover_to);
  EXPECT_TRUE(s.told(EventKind::kSwitchoverDone));
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, seconds(30));

  ASSERT_TRUE(s.switch_over("shop")) << "without a target the best is taken";
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy && s.cluster("shop").epoch.primary != target; },
              seconds(30));
}

TEST(SchedulerCore, ASwitchoverThatCannotBeIsRefused) {
  Scenario s = a_healthy_cluster();
  EXPECT_EQ(s.switch_over("none").error().code, Errc::kNotFound);
  EXPECT_EQ(s.switch_over("shop", MemberId("shop-9")).error().code, Errc::kInvalid);
  EXPECT_EQ(s.switch_over("shop", MemberId("shop-9")).error().field, "to");
  EXPECT_EQ(s.switch_over("shop", *s.cluster("shop").epoch.primary).error().code, Errc::kConflict);
  const MemberId acker = *s.cluster("shop").epoch.ackers.begin();
  s.give(scheduler_input::WatchLost{acker, "cut"});
  EXPECT_NE(s.switch_over("shop", acker).error().message.find("unreachable"), std::string::npos);

  Scenario one = a_healthy_cluster(1);
  EXPECT_EQ(one.switch_over("shop").error().code, Errc::kConflict);
}

TEST(SchedulerCore, GivesUpASwitchoverThatDoesNotBegin) {
  Scenario s = a_healthy_cluster();
  const MemberId target = *s.cluster("shop").epoch.ackers.begin();
  // The primary is unreachable, but the replica still receives: no failover, and no switchover either.
  s.give(scheduler_input::WatchLost{*s.cluster("shop").epoch.primary, "cut"});
  ASSERT_TRUE(s.switch_over("shop", target));
  EXPECT_EQ(s.cluster("shop").switchover_to, target);
  s.run_for(seconds(61));
  EXPECT_FALSE(s.cluster("shop").switchover_to);
}

TEST(SchedulerCore, ShowsWhatServesAndWhatDoesNot) {
  Scenario s = a_healthy_cluster();
  const MemberId primary = *s.cluster("shop").epoch.primary;
  const MemberId replica = *s.cluster("shop").epoch.ackers.begin();
  s.members.at(replica).now.receiver_connected = false;
  s.give(scheduler_input::Reported{s.members.at(replica).beat()});
  EXPECT_EQ(s.view("shop").state, ClusterState::kDegraded);

  s.members.at(primary).now.writable = false;
  s.give(scheduler_input::Reported{s.members.at(primary).beat()});
  EXPECT_EQ(s.view("shop").state, ClusterState::kUnavailable);

  s.give(scheduler_input::WatchLost{primary, "cut"});
  EXPECT_EQ(s.view("shop").state, ClusterState::kFailingOver);
  EXPECT_FALSE(s.core->view("none", s.now));
  EXPECT_EQ(s.core->views(s.now).size(), 1U);
}

TEST(SchedulerCore, ADismissedSchedulerActsNoMore) {
  const std::string message = "Framework failed over";
  Scenario s = a_healthy_cluster();
  s.give(scheduler_input::FromMesos{mesos::MasterError{message}});
  EXPECT_FALSE(s.core->connected());
  EXPECT_TRUE(s.told(EventKind::kFrameworkDismissed));
  const auto calls = s.mesos.calls.size();
  s.orders.clear();
  s.give(scheduler_input::WatchLost{*s.cluster("shop").epoch.primary, "cut"});
  s.mesos.subscribe();
  s.run_for(minutes(2));
  EXPECT_EQ(s.mesos.calls.size(), calls);
  EXPECT_TRUE(s.orders.empty());
  EXPECT_NE(s.view("shop").waiting_for.find(message), std::string::npos);
  EXPECT_EQ(s.create("other", 1).error().code, Errc::kUnavailable);
}

TEST(SchedulerCore, AnotherFrameworkIdThanTheRecordedOneIsNotTaken) {
  Scenario s = a_healthy_cluster(1);
  s.give(scheduler_input::FromMesos{mesos::Subscribed{FrameworkId("fw-2"), 15, "m"}});
  EXPECT_EQ(s.core->state().framework, FrameworkId("fw-1"));
  EXPECT_TRUE(s.told(EventKind::kFrameworkDismissed));
}

TEST(SchedulerCore, TheSameInputsGiveTheSameBytes) {
  std::string stories[2];
  for (std::string& story : stories) {
    Scenario s = a_healthy_cluster();
    for (const auto& [kind, rows] : s.records) {
      for (const auto& [key, json] : rows) story += kind + key + json;
    }
    for (const Event& e : s.events) story += std::string(enum_text(e.kind)) + e.member + e.message;
  }
  EXPECT_EQ(stories[0], stories[1]);
}

}  // namespace
}  // namespace mysos::scenario
