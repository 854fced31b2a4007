// SPDX-License-Identifier: Apache-2.0
#include "mysql/accounts.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mysos::mysql {
namespace {

const Secrets kSecrets{.admin_password = "a'dmin", .monitor_password = "m", .replication_key = "key", .user = "shop",
                       .user_password = "p\\w'd"};
const MemberId kOne("k3x9a2bq-1"), kTwo("k3x9a2bq-12");

bool holds(const std::vector<std::string>& list, std::string_view part) {
  return std::ranges::any_of(list, [&](const std::string& s) { return s.find(part) != std::string::npos; });
}

TEST(Accounts, EachMemberReplicatesUnderAnAccountOfItsOwn) {
  EXPECT_EQ(replication_account(kOne), "mysos_r1");
  EXPECT_EQ(replication_account(kTwo), "mysos_r12");
  EXPECT_NE(replication_password(kSecrets, kOne), replication_password(kSecrets, kTwo));
  EXPECT_EQ(replication_password(kSecrets, kOne), replication_password(kSecrets, kOne));
}

TEST(Accounts, AUserMayNotBearAReservedName) {
  for (const char* good : {"shop", "my-app", "a.b_c9"}) EXPECT_TRUE(check_user_name(good)) << good;
  for (const char* bad : {"", "root", "ROOT", "mysos_x", "Mysos_admin", "mysql.sys", "a'b", "a b", "täst",
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_FALSE(check_user_name(bad)) << bad;
  }
}

TEST(Accounts, TheInitFileIsOneStatementALineAndQuotes) {
  const std::string sql = init_sql(flavour(FlavourKind::kMysql), kSecrets);

  EXPECT_NE(sql.find("IDENTIFIED BY 'a''dmin'"), std::string::npos);
  EXPECT_TRUE(sql.starts_with("SET SESSION sql_log_bin=0;\n"));
  EXPECT_TRUE(sql.ends_with("SET GLOBAL super_read_only=ON;\n"));
  EXPECT_EQ(init_sql(flavour(FlavourKind::kMariadb), kSecrets).find("super_read_only"), std::string::npos);
}

TEST(ShutOutSql, LocksFirstAndOpensWithRights) {
  const auto sql = shut_out_sql(flavour(FlavourKind::kMysql), kSecrets, {}, {kOne}, {kTwo});

  ASSERT_EQ(sql.size(), 4U);
  EXPECT_NE(sql[0].find("CREATE USER IF NOT EXISTS 'mysos_r12'@'%'"), std::string::npos);
  EXPECT_TRUE(sql[0].ends_with("ACCOUNT LOCK"));
  EXPECT_NE(sql[2].find("GRANT REPLICATION SLAVE"), std::string::npos);
  EXPECT_EQ(sql[3], "ALTER USER 'mysos_r1'@'%' ACCOUNT UNLOCK");
}

TEST(ShutOutSql, WritesNothingWhereAllIsRight) {
  const std::vector<AccountState> known = {{.name = "mysos_r1", .locked = false}, {.name = "mysos_r12", .locked = true}};

  EXPECT_TRUE(shut_out_sql(flavour(FlavourKind::kMariadb), kSecrets, known, {kOne, kTwo}, {kTwo}).empty());
  EXPECT_EQ(shut_out_sql(flavour(FlavourKind::kMariadb), kSecrets, known, {kOne, kTwo}, {kOne}).size(), 3U);
}

TEST(UserSql, GivesNothingThatBreaksAPromise) {
  for (const auto kind : {FlavourKind::kMysql, FlavourKind::kMariadb}) {
    const auto sql = user_sql(flavour(kind), kSecrets);

    EXPECT_TRUE(sql.front().ends_with("ACCOUNT LOCK"));
    EXPECT_TRUE(sql.back().ends_with("ACCOUNT UNLOCK"));
    EXPECT_TRUE(holds(sql, "'p\\\\w''d'"));
    for (const char* never : {"SUPER", "READ_ONLY", "READ ONLY", "REPLICATION SLAVE,", "REPLICATION SLAVE ON", "RELOAD",
                              "FILE", "SHUTDOWN", "BINLOG ADMIN", "SYSTEM_", "CONNECTION_ADMIN", "CONNECTION ADMIN",
                              "ALL PRIVILEGES ON *.*"}) {
      EXPECT_FALSE(holds(sql, never)) << never;
    }
  }
}

}  // namespace
}  // namespace mysos::mysql
