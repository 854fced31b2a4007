// SPDX-License-Identifier: Apache-2.0
// The events about a server that somebody changed, and about the user's password.
#include "core/reporting/server_events.h"

#include "core/reporting/report_world.h"

namespace mysos {
namespace {

class ServerChanges : public ReportWorld {
 protected:
  ServerChanges() {
    report_ = report(kPrimary);
    report_.role = MemberRole::kPrimary;
    report_.user_ready = true;
    hear();
  }
  // The events that the primary's report, as it is now, is worth.
  std::vector<Event> hear(Duration later = Duration(0)) {
    now_ += later;
    return give(report_);
  }
  Result<ClusterId> change(std::uint64_t after, bool retires = false) {
    return change_credentials(ledger_, cluster(), {"second", after, retires});
  }

  MemberReport report_;
};

TEST_F(ServerChanges, WhatWasPutRightIsNamedOnceAMinute) {
  report_.repaired = {"sync_binlog was '0'", "the account 'a'@'%' was locked"};
  report_.repairs = 1;
  const auto told = hear();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kServerRepaired);
  EXPECT_EQ(told[0].message, "somebody changed its server; repaired: sync_binlog was '0'; the account 'a'@'%' was locked");

  EXPECT_TRUE(hear().empty()) << "nothing new";
  report_.repairs = 2;
  EXPECT_TRUE(hear(std::chrono::seconds(5)).empty()) << "the same again";
  report_.repairs = 3;
  EXPECT_EQ(hear(std::chrono::minutes(1)).size(), 1U);
  report_.repaired = {"another"};
  report_.repairs = 4;
  EXPECT_EQ(hear().size(), 1U);
}

TEST_F(ServerChanges, WhatCannotBePutRightIsNamed) {
  report_.tampered = {"gtid_mode was 'OFF'"};
  const auto told = hear();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kServerTampered);
  EXPECT_TRUE(hear().empty());
  report_.tampered.clear();
  EXPECT_TRUE(hear().empty());
}

TEST_F(ServerChanges, AVolumeThatTakesNoWritesIsToldOnceAMinute) {
  const auto give_trouble = [&](const std::string& trouble, Duration later = std::chrono::seconds(1)) {
    report_.write_trouble = trouble;
    std::vector<EventKind> kinds;
    for (const Event& event : hear(later)) kinds.push_back(event.kind);
    return kinds;
  };
  using Kinds = std::vector<EventKind>;
  EXPECT_EQ(give_trouble("no space is left on the volume"), Kinds{EventKind::kVolumeNotWritable});
  EXPECT_EQ(give_trouble("a write does not come to its end"), Kinds{}) << "told already";
  EXPECT_EQ(give_trouble(""), Kinds{EventKind::kVolumeWritable});
  EXPECT_EQ(give_trouble("again"), Kinds{});
  EXPECT_EQ(give_trouble(""), Kinds{}) << "nobody was told of it";
  EXPECT_EQ(give_trouble("again"), Kinds{});
  EXPECT_EQ(give_trouble("again", std::chrono::minutes(1)), Kinds{EventKind::kVolumeNotWritable}) << "it lasts";
}

TEST_F(ServerChanges, APasswordIsInForceWhenThePrimaryHasIt) {
  ASSERT_TRUE(change(0));
  EXPECT_EQ(cluster().sealed_secrets, "second");
  EXPECT_EQ(ledger_.take().events.front().kind, EventKind::kCredentialsRotated);
  EXPECT_FALSE(change(0)) << "made from secrets that are not the cluster's any more";

  EXPECT_TRUE(hear().empty());
  report_.credentials = 1;
  EXPECT_TRUE(hear().empty()) << "told, not done";
  report_.credentials_applied = 1;
  const auto told = hear();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kCredentialsApplied);
  EXPECT_EQ(cluster().credentials_applied, 1U);
  EXPECT_TRUE(hear().empty());

  ASSERT_TRUE(change(1, true));
  EXPECT_EQ(ledger_.take().events.front().kind, EventKind::kCredentialsRetired);
  EXPECT_LT(cluster().credentials_applied, cluster().credentials);
}

TEST_F(ServerChanges, APasswordThatWasChangedInSqlIsToldOnce) {
  report_.password_changed = true;
  const auto told = hear();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kPasswordChanged);
  EXPECT_TRUE(hear().empty());
  report_.password_changed = false;
  EXPECT_TRUE(hear().empty());
}

}  // namespace
}  // namespace mysos
