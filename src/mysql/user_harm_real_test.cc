// SPDX-License-Identifier: Apache-2.0
// What a user can do with the rights it has, and what is seen of it.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "mysql/guarded_primary.h"
#include "mysql/user_procedures.h"

namespace mysos::mysql {
namespace {

using std::chrono::seconds;

class Harm : public GuardedPrimary {
 protected:
  void SetUp() override {
    a_primary();
    if (!HasFatalFailure()) EXPECT_EQ(seen(), "");
  }
  void user(const std::string& sql) {
    const auto done = m().user(sql);
    EXPECT_TRUE(done) << sql << ": " << done.error().message;
  }
};
INSTANTIATE_TEST_SUITE_P(Flavours, Harm, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(Harm, AnEmptyPasswordDoesNotLast) {
  user("SET PASSWORD=''");
  ASSERT_TRUE(logs_in("shop", "")) << "anybody";
  const auto found = look();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].what, "the account 'shop'@'%' had no password");
  EXPECT_TRUE(m().await(m().ops->mend_here(found, seconds(5))));
  EXPECT_FALSE(logs_in("shop", ""));
  EXPECT_TRUE(m().await(m().ops->mend_replicated(found, seconds(5))));

  EXPECT_EQ(seen(), "");
  EXPECT_FALSE(logs_in("shop", ""));
  EXPECT_TRUE(logs_in("shop", kTestSecrets.user_password));
}

TEST_P(Harm, APasswordThatTheUserSetIsKeptAndTold) {
  EXPECT_FALSE(m().ops->user_changed_password());
  user(mysql() ? "SET PASSWORD='own'" : "SET PASSWORD=PASSWORD('own')");
  EXPECT_EQ(seen(), "");
  EXPECT_TRUE(m().ops->user_changed_password());
  EXPECT_TRUE(logs_in("shop", "own"));
}

// A member that has no such account, as a replica, could not execute any of these.
TEST_P(Harm, AccountsThatReplicateAreOutOfReachWhileTheyAreLocked) {
  for (const char* name : {"mysos_r0", "mysos_r1", "mysos_r2"}) {
    EXPECT_FALSE(m().user(fmt::format("ALTER USER '{}'@'%' ACCOUNT LOCK", name))) << name;
    EXPECT_FALSE(m().user(fmt::format("ALTER USER '{} '@'%' IDENTIFIED BY 'x'", name))) << name;
    EXPECT_FALSE(m().user(fmt::format("DROP USER '{}'@'%'", name))) << name;
  }
  EXPECT_EQ(seen(), "");
}

TEST_P(Harm, PartitionsOfAnotherEngineAreSeen) {
  user("CREATE DATABASE d");
  constexpr std::string_view kMade[] = {
      "CREATE TABLE d.t (i INT) PARTITION BY HASH(i) (PARTITION p0 ENGINE={0}, PARTITION p1 ENGINE={0})",
      "CREATE TABLE d.t (i INT) PARTITION BY RANGE(i) SUBPARTITION BY HASH(i) (PARTITION p0 VALUES LESS THAN MAXVALUE "
      "(SUBPARTITION s0 ENGINE={0}, SUBPARTITION s1 ENGINE={0}))"};
  for (const std::string_view engine : {"MEMORY", "MyISAM", "Aria"}) {
    if (mysql() && engine == "Aria") continue;
    for (const std::string_view sql : kMade) {
      const bool made = m().user(fmt::format(fmt::runtime(sql), engine)).has_value();
      EXPECT_EQ(made, !mysql()) << sql;
      if (!made) continue;
      EXPECT_EQ(seen(), fmt::format("tables are not InnoDB: d.t ({})\n", engine));
      user("ALTER TABLE d.t REMOVE PARTITIONING");
      EXPECT_EQ(seen(), fmt::format("tables are not InnoDB: d.t ({})\n", engine));
      user("ALTER TABLE d.t ENGINE=InnoDB");
      EXPECT_EQ(seen(), "");
      user("DROP TABLE d.t");
    }
  }
}

TEST_P(Harm, AMemoryTableOfARestartedMariadbWritesNothing) {
  if (mysql()) return;
  user("CREATE DATABASE `d``q`");
  user("CREATE TABLE `d``q`.`a``b` (i INT) PARTITION BY HASH(i) (PARTITION p0 ENGINE=MEMORY)");
  user("INSERT INTO `d``q`.`a``b` VALUES (1), (2)");
  user("CREATE TABLE `d``q`.m (i INT) PARTITION BY HASH(i) (PARTITION p0 ENGINE=MEMORY)");
  user("ALTER TABLE `d``q`.m REMOVE PARTITIONING");
  user("INSERT INTO `d``q`.m VALUES (1)");
  const GtidSet before = m().read().executed;
  m().kill9();
  m().start();
  ASSERT_TRUE(m().ops);
  for (const char* table : {"`a``b`", "m"}) {
    const auto rows = m().user(fmt::format("SELECT COUNT(*) FROM `d``q`.{}", table));
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(rows->text(0, std::size_t{0}), "0");
  }
  EXPECT_EQ(m().read().executed, before);
}

TEST_P(Harm, ProceduresCompareNamesByteByByte) {
  if (mysql()) return;
  user("CREATE DATABASE d");
  user("CALL mysos.create_user('kate', 'pw')");
  for (const char* name : {"\xe2\x84\xaa" "ate", "\xc5\xbf" "hop", "kate ", "kat\xc3\xa9", "SHOP", "Root"}) {
    EXPECT_FALSE(m().user(fmt::format("CALL mysos.create_user('{}', 'pw')", name))) << name;
  }
  EXPECT_FALSE(m().user("CALL mysos.grant_database('kate', 'd\xc5\xbf', 'all')"));
  EXPECT_FALSE(m().user("CALL mysos.grant_database('KATE', 'd', 'all')")) << "that would make an account without a password";
  EXPECT_FALSE(logs_in("KATE", ""));
  user("CALL mysos.grant_database('kate', 'd', 'all')");
  user("CALL mysos.grant_database('kate', 'd', 'read')");
  const Rows made = m().admin("SELECT COUNT(*) AS n FROM mysql.proc WHERE db='mysos' AND sql_mode='NO_AUTO_CREATE_USER'");
  EXPECT_EQ(made.number(0, "n"), kProcedures);
}

}  // namespace
}  // namespace mysos::mysql
