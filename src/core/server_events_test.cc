// SPDX-License-Identifier: Apache-2.0
// What is told of a server that somebody changed, and of the user's password, from report to report.
#include "core/server_events.h"

#include <gtest/gtest.h>

#include "core/reporting.h"

namespace mysos {
namespace {

const MemberId kPrimary("c-0");

class ServerChanges : public testing::Test {
 protected:
  ServerChanges() {
    table_.sync(ledger_.state(), Instant{});
    now_.member = kPrimary;
    now_.task = TaskId("t");
    now_.volume = "v";
    now_.executor = "e";
    now_.role = MemberRole::kPrimary;
    now_.user_ready = true;
    give();
  }
  static SchedulerState state() {
    Cluster c;
    c.id = ClusterId("c");
    c.spec.name = "shop";
    c.epoch.primary = kPrimary;
    c.sealed_secrets = "first";
    Member m;
    m.id = kPrimary;
    m.stage = MemberStage::kRunning;
    m.task = TaskId("t");
    m.volume_name = "v";
    c.members.push_back(m);
    SchedulerState s;
    s.clusters[c.id] = c;
    return s;
  }
  // The events that the report, as it is now, is worth.
  std::vector<Event> give(Duration later = Duration(0)) {
    at_ += later;
    now_.seq = ++seq_;
    note_report(ledger_, table_, now_, at_);
    return ledger_.take().events;
  }
  const Cluster& cluster() { return *ledger_.find(ClusterId("c")); }
  Result<ClusterId> change(std::uint64_t after, bool retires = false) {
    return change_credentials(ledger_, cluster(), {RequestId(), "shop", "second", after, retires});
  }

  Ledger ledger_{state(), Prng(1)};
  MemberTable table_;
  MemberReport now_;
  std::uint64_t seq_ = 0;
  Instant at_{};
};

TEST_F(ServerChanges, WhatWasPutRightIsNamedOnceAMinute) {
  now_.repaired = {"sync_binlog was '0'", "the account 'a'@'%' was locked"};
  now_.repairs = 1;
  const auto told = give();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, "server_repaired");
  EXPECT_EQ(told[0].message, "somebody changed its server; put right: sync_binlog was '0'; the account 'a'@'%' was locked");

  EXPECT_TRUE(give().empty()) << "nothing new";
  now_.repairs = 2;
  EXPECT_TRUE(give(std::chrono::seconds(5)).empty()) << "the same again";
  now_.repairs = 3;
  EXPECT_EQ(give(std::chrono::minutes(1)).size(), 1U);
  now_.repaired = {"another"};
  now_.repairs = 4;
  EXPECT_EQ(give().size(), 1U);
}

TEST_F(ServerChanges, WhatCannotBePutRightIsNamed) {
  now_.tampered = {"gtid_mode was 'OFF'"};
  const auto told = give();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, "server_tampered");
  EXPECT_TRUE(give().empty());
  now_.tampered.clear();
  EXPECT_TRUE(give().empty());
}

TEST_F(ServerChanges, AVolumeThatTakesNoWritesIsToldOnceAMinute) {
  const auto give_trouble = [&](const std::string& trouble, Duration later = std::chrono::seconds(1)) {
    now_.write_trouble = trouble;
    std::vector<std::string> kinds;
    for (const Event& event : give(later)) kinds.push_back(event.kind);
    return kinds;
  };
  using Kinds = std::vector<std::string>;
  EXPECT_EQ(give_trouble("no space is left on the volume"), Kinds{"volume_not_writable"});
  EXPECT_EQ(give_trouble("a write does not come to its end"), Kinds{}) << "told already";
  EXPECT_EQ(give_trouble(""), Kinds{"volume_writable"});
  EXPECT_EQ(give_trouble("again"), Kinds{});
  EXPECT_EQ(give_trouble(""), Kinds{}) << "nobody was told of it";
  EXPECT_EQ(give_trouble("again"), Kinds{});
  EXPECT_EQ(give_trouble("again", std::chrono::minutes(1)), Kinds{"volume_not_writable"}) << "it lasts";
}

TEST_F(ServerChanges, APasswordIsInForceWhenThePrimaryHasIt) {
  ASSERT_TRUE(change(0));
  EXPECT_EQ(cluster().sealed_secrets, "second");
  EXPECT_EQ(ledger_.take().events.front().kind, "credentials_rotated");
  EXPECT_FALSE(change(0)) << "made from secrets that are not the cluster's any more";

  EXPECT_TRUE(give().empty());
  now_.credentials = 1;
  EXPECT_TRUE(give().empty()) << "told, not done";
  now_.credentials_applied = 1;
  const auto told = give();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, "credentials_applied");
  EXPECT_EQ(cluster().credentials_applied, 1U);
  EXPECT_TRUE(give().empty());

  ASSERT_TRUE(change(1, true));
  EXPECT_EQ(ledger_.take().events.front().kind, "credentials_retired");
  EXPECT_LT(cluster().credentials_applied, cluster().credentials);
}

}  // namespace
}  // namespace mysos
