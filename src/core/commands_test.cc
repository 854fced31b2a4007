// SPDX-License-Identifier: Apache-2.0
// Which commands are accepted, and which events they make.
#include <algorithm>

#include "base/assert.h"
#include "core/scenario/scheduler_scenario.h"

namespace mysos::scenario {
namespace {

const Caller kOperator{"admin", "10.0.0.7"};  // who asks in a Scenario

const Event& newest(const Scenario& s, EventKind kind) {
  const auto found = std::ranges::find(s.events.rbegin(), s.events.rend(), kind, &Event::kind);
  MYSOS_ASSERT(found != s.events.rend(), "the test names a kind that was told");
  return *found;
}

TEST(Commands, EachEventOfACommandNamesItsCaller) {
  Scenario s = a_healthy_cluster();
  EXPECT_EQ(newest(s, EventKind::kClusterCreated).by, kOperator);

  EXPECT_TRUE(s.ask("shop", command::Promote{s.member("shop", 1).id, Promotion::kAvoid}));
  EXPECT_TRUE(s.ask("shop", command::ChangeCredentials{"sealed anew", 0}));
  EXPECT_TRUE(s.ask("shop", command::ChangeCredentials{"sealed anew", 1, true}));
  EXPECT_TRUE(s.ask("shop", command::Switchover{}));
  EXPECT_TRUE(s.ask("shop", command::Failover{}));
  EXPECT_TRUE(s.ask("shop", command::Delete{}));

  for (const EventKind kind : {EventKind::kPromotionSet, EventKind::kCredentialsRotated, EventKind::kCredentialsRetired,
                               EventKind::kSwitchoverRequested, EventKind::kFailoverRequested, EventKind::kClusterDeleting}) {
    EXPECT_EQ(newest(s, kind).by, kOperator) << enum_text(kind);
  }
}

TEST(Commands, AFailoverEndsTheSwitchoverThatWasAskedForBefore) {
  Scenario s = a_healthy_cluster();
  ASSERT_TRUE(s.ask("shop", command::Switchover{s.member("shop", 1).id}));
  ASSERT_TRUE(s.ask("shop", command::Failover{}));
  EXPECT_EQ(s.times_told(EventKind::kSwitchoverFailed), 1U) << "who waits for the switchover would wait for ever";
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, seconds(60));
  EXPECT_EQ(s.times_told(EventKind::kSwitchoverFailed), 1U);
  EXPECT_FALSE(s.told(EventKind::kSwitchoverDone));
}

TEST(Commands, WhatMysosDoesByItselfNamesNobody) {
  Scenario s = a_healthy_cluster();
  for (const EventKind kind : {EventKind::kFrameworkRegistered, EventKind::kMemberPlaced, EventKind::kMemberRunning,
                               EventKind::kPrimaryChosen}) {
    EXPECT_FALSE(newest(s, kind).by) << enum_text(kind);
  }
  ASSERT_TRUE(s.ask("shop", command::Switchover{}));
  s.run_until([&] { return s.told(EventKind::kSwitchoverDone); }, seconds(60));
  EXPECT_FALSE(newest(s, EventKind::kSwitchoverDone).by) << "it follows from the command, and is none of its events";
}

TEST(Commands, ACallerIsWrittenAndReadWithItsEvent) {
  const Event told{.kind = EventKind::kPromotionSet, .by = kOperator};
  const std::string text = to_json_text(told);
  EXPECT_NE(text.find(R"("by":{"who":"admin","from":"10.0.0.7"})"), std::string::npos) << text;
  EXPECT_EQ(from_json_text<Event>(text), told);
  const auto old = from_json_text<Event>(R"({"kind":"promotion_set","message":"of a version that did not know callers"})");
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_FALSE(old->by);
}

TEST(Commands, OfAClusterThatIsNotThereAreRefused) {
  Scenario s = a_healthy_cluster();
  const command::Any all[] = {command::Delete{}, command::Switchover{}, command::Failover{}, command::Promote{},
                              command::ChangeCredentials{}};
  for (const command::Any& what : all) {
    EXPECT_EQ(s.ask("other", what).error().code, Errc::kNotFound) << what.index();
  }
  ASSERT_TRUE(s.remove("shop"));
  for (const command::Any& what : all) {
    const auto refused = s.ask("shop", what);
    EXPECT_EQ(refused.error().code, Errc::kNotFound) << what.index();
    EXPECT_NE(refused.error().message.find("is being deleted"), std::string::npos) << refused.error().message;
  }
}

TEST(Commands, AFrameworkThatWasRemovedMayOnlyBeRegisteredAnew) {
  Scenario s = a_healthy_cluster();
  EXPECT_EQ(s.ask("", command::Register{}).error().code, Errc::kConflict);
  s.give(scheduler_input::FromMesos{mesos::MasterError{"Framework has been removed"}});
  const command::Any all[] = {command::Create{s.spec("blog", 1), "sealed", "hash", WallTime{1}},
                              command::Delete{},
                              command::Switchover{},
                              command::Failover{},
                              command::Promote{s.member("shop", 0).id},
                              command::ChangeCredentials{},
                              command::DestroyOrphan{},
                              command::Adopt{"shop", ""}};
  for (const command::Any& what : all) {
    EXPECT_EQ(s.ask("shop", what).error().code, Errc::kUnavailable) << what.index();
  }
  EXPECT_TRUE(s.ask("", command::Register{}));
  EXPECT_EQ(newest(s, EventKind::kFrameworkRetired).by, kOperator);
}

}  // namespace
}  // namespace mysos::scenario
