// SPDX-License-Identifier: Apache-2.0
#include "mysql/server_events.h"

#include <gtest/gtest.h>

namespace mysos::mysql {
namespace {

Rows one_event(std::string name, std::string definer) {
  return {.columns = {"db", "name", "definer", "client", "collation"},
          .rows = {{"d", std::move(name), std::move(definer), "latin1", "latin1_swedish_ci"}}};
}

TEST(SettleEventSql, KeepsTheDefinerAndTheCharacterSetOfItsClient) {
  const auto sql = settle_event_sql(one_event("e`1", "a@b@10.%"), 0, true);

  ASSERT_EQ(sql.size(), 3U);
  EXPECT_EQ(sql[0], "SET character_set_client='latin1', collation_connection='latin1_swedish_ci'");
  EXPECT_EQ(sql[1], "ALTER DEFINER='a@b'@'10.%' EVENT `d`.`e``1` ENABLE");
  EXPECT_EQ(sql[2], "SET NAMES utf8mb4");
}

TEST(SettleEventSql, ANameThatIsNotAsciiIsSentInOurCharacterSet) {
  const auto sql = settle_event_sql(one_event("\xc3\xa9", "app@%"), 0, false);

  ASSERT_EQ(sql.size(), 1U);
  EXPECT_EQ(sql[0], "ALTER DEFINER='app'@'%' EVENT `d`.`\xc3\xa9` DISABLE");
}

TEST(RecordEventsSql, WritesWhatDiffersOnly) {
  const auto sql = record_events_sql({{"d", "gone"}, {"d", "stays"}}, {{"d", "new"}, {"d", "stays"}});

  ASSERT_EQ(sql.size(), 4U);
  EXPECT_EQ(sql[1], "DELETE FROM mysql.mysos_disabled_events WHERE (db, name) IN (('d','gone'))");
  EXPECT_EQ(sql[2], "INSERT IGNORE INTO mysql.mysos_disabled_events (db, name) VALUES ('d','new')");
}

TEST(RecordEventsSql, ManyGoInSeveralStatements) {
  std::set<EventName> many;
  for (int i = 0; i < 401; ++i) many.emplace("d", "e" + std::to_string(i));

  EXPECT_EQ(record_events_sql({}, many).size(), 2U + 3U);
}

}  // namespace
}  // namespace mysos::mysql
