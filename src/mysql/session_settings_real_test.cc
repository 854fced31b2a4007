// SPDX-License-Identifier: Apache-2.0
// Settings that a client may change for its session, and that the binlog does not carry: which are refused, and which leave
// replicas as the primary is, on real servers of both flavours.
#include <gtest/gtest.h>

#include "mysql/replicating_pair.h"

namespace mysos::mysql {
namespace {

using std::chrono::seconds;

class SessionSettings : public ReplicatingPair {
 protected:
  SessionSettings() : ReplicatingPair(0) {}
  // One after the other in one session of the user's at the primary, until one is refused.
  Status in_one_session(const std::vector<std::string>& statements) {
    Session session = a.user_session();
    MYSOS_TRY_VOID(a.await(session.connect(seconds(5))));
    for (const std::string& s : statements) {
      const auto done = a.await(session.query(s, seconds(10)));
      if (!done) return fail(done.error().code, s + ": " + done.error().message);
    }
    return {};
  }
  void expect_the_same(const std::string& table) {
    caught_up();
    EXPECT_EQ(definition(a, table), definition(b, table));
    EXPECT_EQ(a.admin("SELECT * FROM d." + table).rows, b.admin("SELECT * FROM d." + table).rows);
  }
  static std::string definition(TestMember& m, const std::string& table) {
    return m.admin("SHOW CREATE TABLE d." + table).text(0, std::size_t{1});
  }
  // Wider than a page may hold: an error where the server is strict.
  static std::string too_wide(const std::string& name) {
    std::string columns;
    for (int i = 0; i < 190; ++i) columns += ", c" + std::to_string(i) + " VARCHAR(250) CHARACTER SET latin1";
    return "CREATE TABLE d." + name + " (i INT PRIMARY KEY" + columns + ") ROW_FORMAT=COMPACT";
  }
};
INSTANTIATE_TEST_SUITE_P(Flavours, SessionSettings, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(SessionSettings, StrictModeOfInnodbStopsNoApplier) {
  EXPECT_FALSE(in_one_session({too_wide("wide")})) << "sessions are strict as long as nobody changes that";
  const Status made = in_one_session({"SET SESSION innodb_strict_mode=OFF", too_wide("wide"),
                                  "INSERT INTO d.wide (i, c0) VALUES (1, 'x')",
                                  "CREATE TABLE d.odd (i INT PRIMARY KEY) ROW_FORMAT=DYNAMIC KEY_BLOCK_SIZE=4"});
  EXPECT_EQ(made.has_value(), !mysql()) << "refused by MySQL";
  if (mysql()) return;

  expect_the_same("wide");
  expect_the_same("odd");

  b.run(step::StopReplication{});
  b.promote(0, {&a});
  EXPECT_FALSE(b.user(too_wide("wide2"))) << "the new primary is strict again";
}

TEST_P(SessionSettings, ThatWouldMakeReplicasDifferAreRefused) {
  if (!mysql()) return;
  ASSERT_TRUE(a.user("CREATE TABLE d.t (i INT PRIMARY KEY)"));
  for (const char* statement :
       {"SET SESSION innodb_strict_mode=OFF", "SET SESSION sql_generate_invisible_primary_key=ON",
        "SET SESSION sql_require_primary_key=ON", "SET SESSION default_table_encryption=ON",
        "SET SESSION binlog_row_image=MINIMAL",
        "SET SESSION binlog_row_value_options=PARTIAL_JSON", "SET SESSION xa_detach_on_prepare=OFF",
        "SET SESSION character_set_filesystem=latin1", "ALTER TABLE d.t ADD COLUMN u VARCHAR(40) DEFAULT (UUID())"}) {
    EXPECT_FALSE(in_one_session({statement})) << statement;
  }
}

TEST_P(SessionSettings, ThatAreReplicatedLeaveReplicasTheSame) {
  const Status made = in_one_session({"SET SESSION sql_mode='PAD_CHAR_TO_FULL_LENGTH', character_set_server=latin1, "
                                  "collation_connection=latin1_bin, time_zone='+07:00', foreign_key_checks=OFF, "
                                  "explicit_defaults_for_timestamp=OFF, auto_increment_increment=7",
                                  "CREATE TABLE d.t (c CHAR(5), d TIMESTAMP, e TEXT, FOREIGN KEY (c) REFERENCES none (c))",
                                  "INSERT INTO d.t (c) VALUES ('x'), ('y')",
                                  "ALTER TABLE d.t ADD COLUMN i INT AUTO_INCREMENT PRIMARY KEY",
                                  "ALTER TABLE d.t MODIFY d DATETIME"});
  EXPECT_TRUE(made) << made.error().message;
  expect_the_same("t");
}

}  // namespace
}  // namespace mysos::mysql
