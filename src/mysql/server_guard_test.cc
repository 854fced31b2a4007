// SPDX-License-Identifier: Apache-2.0
#include "mysql/server_guard.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mysos::mysql {
namespace {

const Secrets kSecrets{.admin_password = "a", .monitor_password = "m", .replication_key = "key", .user = "shop",
                       .user_password = "p"};

class Guard : public testing::TestWithParam<FlavourKind> {
 protected:
  Guard() {
    settings_.columns = {"read_only"};
    settings_.rows.push_back({"0"});
    for (const auto& [name, value] : f().guarded_settings()) setting(std::string(name), std::string(value));
    accounts_.columns = {"name", "host", "locked", "verifier", "rights", "powers"};
    for (const OwnAccount& own : own_accounts(f())) {
      account(std::string(own.name), std::string(own.host), own_verifier(f(), kSecrets, own.name), "some", "SUPER");
    }
    account("mysos_r1", "%", verifier_of(f(), kSecrets, "mysos_r1", account_password(kSecrets, "mysos_r1")), "r",
            std::string(f().replication_powers()));
    user_.columns = {"ok"};
    user_.rows.push_back({"1"});
    ties_.columns = {"kind", "name", "host", "of_name", "of_host"};
    context_.replicating = {{{"mysos_r1", false}}};
  }
  static const Flavour& f() { return flavour(GetParam()); }
  void setting(const std::string& name, const std::string& value) {
    settings_.columns.push_back(name);
    settings_.rows[0].emplace_back(value);
  }
  void account(const std::string& name, const std::string& host, const std::string& verifier, const std::string& rights,
               const std::string& powers) {
    accounts_.rows.push_back({name, host, "N", verifier, rights, powers});
  }
  std::vector<Deviation> look() {
    auto found = guard_.deviations({settings_, accounts_, user_, ties_}, context_);
    EXPECT_TRUE(found);
    return found.value_or(std::vector<Deviation>{});
  }
  // The one that is there.
  Deviation one() {
    const auto all = look();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Deviation{} : all.front();
  }
  std::optional<std::string>& cell(std::size_t row, std::size_t column) { return accounts_.rows[row][column]; }

  Rows settings_, accounts_, user_, ties_;
  GuardContext context_{.writable = true, .user_made = true};
  ServerGuard guard_{f(), kSecrets};
};
INSTANTIATE_TEST_SUITE_P(Flavours, Guard, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(Guard, FindsNothingWhereAllIsRight) {
  EXPECT_TRUE(look().empty());
  EXPECT_TRUE(look().empty());
}

TEST_P(Guard, ASettingIsSetBack) {
  settings_.rows[0][1] = "0";
  const Deviation d = one();
  EXPECT_EQ(d.what, "sync_binlog was '0'");
  EXPECT_EQ(d.here, std::vector<std::string>{"SET GLOBAL sync_binlog=1"});
  EXPECT_TRUE(d.replicated.empty());
}

TEST_P(Guard, WhoMayActAsOneOfOursIsNamedAndStoppedOnEachServerByItself) {
  ties_.rows.push_back({"proxies_priv", "eve", "%", "mysos_admin", "localhost"});
  context_.writable = false;
  const Deviation d = one();
  EXPECT_EQ(d.what, "the account 'eve'@'%' could act as the account 'mysos_admin'@'localhost' (proxies_priv)");
  ASSERT_EQ(d.here.size(), 2U);
  EXPECT_EQ(d.here[0],
            "DELETE FROM mysql.proxies_priv WHERE User='eve' AND Host='%' AND Proxied_user='mysos_admin' AND "
            "Proxied_host='localhost'");
  EXPECT_EQ(d.here[1], "FLUSH PRIVILEGES");
  EXPECT_TRUE(d.replicated.empty());
  EXPECT_EQ(d.sessions_of, "eve");

  ties_.rows[0] = {"proxies_priv", "eve", "%", "", ""};
  EXPECT_EQ(one().what, "the account 'eve'@'%' could act as any account (proxies_priv)");
}

TEST_P(Guard, OurAccountsAreMadeAgainOnThisServerAlone) {
  EXPECT_TRUE(look().empty());

  cell(0, 3) = "another";
  EXPECT_EQ(one().what, "the account 'mysos_admin'@'localhost' had another password");
  EXPECT_EQ(one().here, own_account_sql(f(), kSecrets, {kAdminAccount, "localhost"}));
  EXPECT_TRUE(one().replicated.empty());

  cell(0, 3) = own_verifier(f(), kSecrets, kAdminAccount);
  cell(2, 2) = "Y";
  EXPECT_EQ(one().what, "the account 'mysos_owner'@'localhost' was locked");
  cell(2, 2) = "N";
  cell(2, 4) = "others";
  EXPECT_EQ(one().what, "the account 'mysos_owner'@'localhost' had other rights");
  cell(2, 4) = "some";
  accounts_.rows.erase(accounts_.rows.begin() + 4);
  EXPECT_EQ(one().what, "the account 'mysos_monitor'@'localhost' was gone");
}

TEST_P(Guard, AnAccountThatReplicatesKeepsItsLock) {
  cell(6, 2) = "Y";
  EXPECT_TRUE(one().here.back().ends_with("ACCOUNT UNLOCK"));
  EXPECT_EQ(one().sessions_of, "");

  context_.replicating->at("mysos_r1") = true;
  EXPECT_TRUE(look().empty());
  cell(6, 2) = "N";
  EXPECT_TRUE(std::ranges::none_of(one().here, [](const auto& s) { return s.ends_with("UNLOCK"); }));
  EXPECT_EQ(one().sessions_of, "mysos_r1");

  context_.replicating.reset();
  EXPECT_TRUE(look().empty()) << "not known since this executor came";
}

TEST_P(Guard, WhatAClientMadeIsUndoneThroughTheBinlogByThePrimary) {
  account("mysos_x", "%", "v", "", "");
  account("mysos_admin", "%", "v", "", "");
  account("", "10.%", "v", "", "");
  account("mysos_r7", "%", "v", "", "");
  account("eve", "%", "v", "", "SUPER");
  const auto all = look();

  ASSERT_EQ(all.size(), 5U);
  for (const Deviation& d : all) EXPECT_TRUE(d.here.empty() && !d.replicated.empty()) << d.what;
  EXPECT_EQ(all[0].replicated.back(), "DROP USER IF EXISTS 'mysos_x'@'%'");
  EXPECT_EQ(all[4].replicated.back(), "REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'eve'@'%'");
  EXPECT_EQ(all[4].what, "the account 'eve'@'%' had more rights than a user may have: SUPER");
  EXPECT_EQ(all[4].sessions_of, "eve");

  context_.writable = false;
  EXPECT_TRUE(look().empty()) << "a replica gets it from the primary: undone there, its applier could fail";
}

TEST_P(Guard, TheUsersAccountIsMadeRight) {
  user_.rows[0][0] = "0";
  EXPECT_EQ(one().replicated, user_sql(f(), kSecrets));
  context_.user_made = false;
  EXPECT_TRUE(look().empty()) << "it is being made";
}

TEST_P(Guard, AnEmptyPasswordGivesWayToTheKnownOne) {
  user_.columns.emplace_back("no_password");
  user_.rows[0].emplace_back("1");
  const Deviation d = one();
  EXPECT_EQ(d.what, "the account 'shop'@'%' had no password");
  EXPECT_EQ(d.here, std::vector<std::string>{"ALTER USER 'shop'@'%' ACCOUNT LOCK"});
  EXPECT_NE(d.replicated.front().find(for_member(f(), kSecrets).user_verifier), std::string::npos);
  EXPECT_EQ(d.replicated.back(), "ALTER USER 'shop'@'%' ACCOUNT UNLOCK");
  EXPECT_EQ(d.sessions_of, "shop");

  context_.writable = false;
  EXPECT_TRUE(one().here.empty() && one().replicated.empty()) << "a replica gets it from the primary";
  EXPECT_EQ(one().sessions_of, "shop");
  EXPECT_TRUE(one().by_primary);
}

TEST_P(Guard, AnAccountThatIsShutOutKeepsItsRights) {
  context_.replicating->at("mysos_r1") = true;
  cell(6, 2) = "Y";
  cell(6, 5) = "";
  EXPECT_TRUE(std::ranges::any_of(one().here, [](const auto& s) { return s.starts_with("GRANT REPLICATION SLAVE"); }));
}

TEST_P(Guard, ANameIsShownWithoutWhatCannotBeShown) {
  account("mysos_\n\x01", "%", "v", "", "");
  EXPECT_EQ(one().what.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace mysos::mysql
