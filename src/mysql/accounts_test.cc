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

  EXPECT_EQ(sql.find("'dmin"), std::string::npos) << "no password stands in it";
  EXPECT_NE(sql.find("'mysos_admin'@'localhost' IDENTIFIED WITH caching_sha2_password AS '$A$005$"), std::string::npos);
  EXPECT_EQ(sql, init_sql(flavour(FlavourKind::kMysql), kSecrets)) << "the same at each start";
  EXPECT_TRUE(sql.starts_with("SET SESSION sql_log_bin=0;\n"));
  EXPECT_TRUE(sql.ends_with("SET GLOBAL super_read_only=ON;\n"));
  EXPECT_EQ(init_sql(flavour(FlavourKind::kMariadb), kSecrets).find("super_read_only"), std::string::npos);
}

TEST(ShutOutSql, LocksFirstAndOpensWithRights) {
  const auto sql = shut_out_sql(flavour(FlavourKind::kMysql), kSecrets, {}, {kOne}, {kTwo});

  ASSERT_EQ(sql.size(), 5U);
  EXPECT_NE(sql[0].find("CREATE USER IF NOT EXISTS 'mysos_r12'@'%'"), std::string::npos);
  EXPECT_TRUE(sql[0].ends_with("ACCOUNT LOCK"));
  EXPECT_TRUE(sql[1].find("SYSTEM_USER") != std::string::npos && sql[1].ends_with("ON *.* TO 'mysos_r12'@'%'"))
      << "out of a user's reach, locked or not: " << sql[1];
  EXPECT_NE(sql[3].find("GRANT REPLICATION SLAVE"), std::string::npos);
  EXPECT_EQ(sql[4], "ALTER USER 'mysos_r1'@'%' ACCOUNT UNLOCK");
}

AccountState account(FlavourKind kind, const MemberId& member, bool locked) {
  const std::string name = replication_account(member);
  return {.name = name, .locked = locked,
          .verifier = verifier_of(flavour(kind), kSecrets, name, replication_password(kSecrets, member))};
}

TEST(ShutOutSql, WritesNothingWhereAllIsRight) {
  const auto kind = FlavourKind::kMariadb;
  const std::vector<AccountState> known = {account(kind, kOne, false), account(kind, kTwo, true)};

  EXPECT_TRUE(shut_out_sql(flavour(kind), kSecrets, known, {kOne, kTwo}, {kTwo}).empty());
  EXPECT_EQ(shut_out_sql(flavour(kind), kSecrets, known, {kOne, kTwo}, {kOne}).size(), 3U);
}

TEST(ShutOutSql, AnAccountThatSomebodyElseMadeIsMadeAnew) {
  const auto kind = FlavourKind::kMysql;
  AccountState theirs = account(kind, kOne, false);
  theirs.verifier = flavour(kind).verifier("theirs", "abcdefghijklmnopqrst");

  const auto sql = shut_out_sql(flavour(kind), kSecrets, {theirs}, {kOne}, {});
  ASSERT_GE(sql.size(), 2U);
  EXPECT_EQ(sql[0], "DROP USER 'mysos_r1'@'%'");
  EXPECT_TRUE(sql[1].ends_with("ACCOUNT LOCK"));
  EXPECT_EQ(sql.back(), "ALTER USER 'mysos_r1'@'%' ACCOUNT UNLOCK");
}

TEST(Accounts, AClientWhoseNameBeginsLikeOursIsAClient) {
  EXPECT_TRUE(is_own_session("mysos_admin", "localhost"));
  EXPECT_TRUE(is_own_session("mysos_admin", "127.0.0.1:5123"));
  EXPECT_TRUE(is_own_session("mysos_r12", "10.0.0.3:5123"));
  EXPECT_TRUE(is_own_session("mysos_backup", "10.0.0.3:5123"));
  for (const char* client : {"mysos_x", "mysos_r", "mysos_r1x", "mysos_", "shop"}) {
    EXPECT_FALSE(is_own_session(client, "localhost")) << client;
  }
  EXPECT_FALSE(is_own_session("mysos_admin", "10.0.0.3:5123"));
}

TEST(Accounts, AMemberIsNotToldTheUsersPassword) {
  const Secrets told = for_member(flavour(FlavourKind::kMysql), kSecrets);

  EXPECT_EQ(told.user_password, "");
  EXPECT_TRUE(told.user_verifier.starts_with("$A$005$"));
  EXPECT_EQ(for_member(flavour(FlavourKind::kMysql), told), told);
  EXPECT_EQ(user_sql(flavour(FlavourKind::kMysql), told), user_sql(flavour(FlavourKind::kMysql), kSecrets));
}

TEST(UserSql, GivesNothingThatBreaksAPromise) {
  for (const auto kind : {FlavourKind::kMysql, FlavourKind::kMariadb}) {
    const auto sql = user_sql(flavour(kind), kSecrets);

    EXPECT_TRUE(holds(sql, "ACCOUNT LOCK"));
    EXPECT_TRUE(sql.back().ends_with("ACCOUNT UNLOCK"));
    EXPECT_FALSE(holds(sql, "w'd")) << "no password stands in it";
    for (const char* never : {"SUPER", "READ_ONLY", "READ ONLY", "REPLICATION SLAVE,", "REPLICATION SLAVE ON", "RELOAD",
                              "FILE", "SHUTDOWN", "BINLOG ADMIN", "SYSTEM_", "CONNECTION_ADMIN", "CONNECTION ADMIN", "FLUSH_",
                              "GRANT ALL PRIVILEGES", "TABLESPACE", "SET USER", "SET_"}) {
      EXPECT_FALSE(holds(sql, never)) << never;
    }
  }
  const auto mariadb = user_sql(flavour(FlavourKind::kMariadb), kSecrets);
  EXPECT_FALSE(holds(mariadb, "CREATE USER ON")) << "it would reach our accounts";
  EXPECT_FALSE(holds(mariadb, "WITH GRANT OPTION")) << "what is granted on a pattern reaches mysql.*";
  EXPECT_FALSE(holds(mariadb, ", CREATE USER")) << "it would reach our accounts";
}

}  // namespace
}  // namespace mysos::mysql
