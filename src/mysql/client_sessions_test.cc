// SPDX-License-Identifier: Apache-2.0
// Whom a look at the sessions blames for an applier that waits. The rows are those of real servers.
#include "mysql/client_sessions.h"

#include <gtest/gtest.h>

namespace mysos::mysql {
namespace {

using std::chrono::minutes;

class Sessions : public testing::Test {
 protected:
  Sessions() {
    list.columns = {"Id", "User", "Host", "db", "Command", "Time", "State", "Info"};
    open.columns = {"id", "waits", "locks", "seconds"};
    add(6, "mysos_admin", "localhost", "Sleep", "");
    add(9, "system user", "", "Slave_IO", "Waiting for master to send event");
    add(10, "system user", "", "Slave_SQL", "Slave has read all relay log; waiting for more updates");
    add(11, "system user", "", "Slave_worker", "Waiting for work from SQL thread");
  }
  void add(int id, const char* user, const char* host, const char* command, const char* state, int time = 3) {
    list.rows.push_back({std::to_string(id), user, host, std::nullopt, command, std::to_string(time), state, std::nullopt});
  }
  void transaction(int id, bool waits, bool locks, int seconds) {
    open.rows.push_back({std::to_string(id), waits ? "1" : "0", locks ? "1" : "0", std::to_string(seconds)});
  }
  [[nodiscard]] std::vector<std::uint64_t> ids(int round) const {
    std::vector<std::uint64_t> out;
    for (const ClientSession& s : in_the_way(connected(list, open), round)) out.push_back(s.id);
    return out;
  }
  void applier_waits(const char* state) { add(12, "system user", "", "Slave_worker", state); }
  using Ids = std::vector<std::uint64_t>;
  Rows list, open;
};

TEST_F(Sessions, OfUsersAreLeftAloneWhileTheApplierWaitsForNoLock) {
  add(15, "app", "10.0.0.7:41200", "Sleep", "");
  transaction(15, false, false, 400);
  applier_waits("Waiting for prior transaction to commit");
  for (int round = 1; round <= kRounds; ++round) EXPECT_TRUE(ids(round).empty());
}

TEST_F(Sessions, WithAnOpenTransactionAreEndedFirst) {
  applier_waits("Waiting for table metadata lock");
  add(15, "app", "10.0.0.7:41200", "Sleep", "");
  add(16, "app", "10.0.0.7:41201", "Sleep", "");
  add(17, "app", "10.0.0.7:41202", "Query", "Waiting for table metadata lock");
  transaction(15, false, false, 35);
  transaction(17, false, false, 1);

  EXPECT_EQ(connected(list, open).applier_waits_for, "a table metadata lock");
  EXPECT_EQ(ids(1), (Ids{15})) << "one that waits too is no cause";
  EXPECT_EQ(ids(2), (Ids{15, 16})) << "LOCK TABLES shows nowhere";
  EXPECT_EQ(ids(3), (Ids{15, 16, 17}));
  EXPECT_EQ(named(in_the_way(connected(list, open), 1)), "app@10.0.0.7:41200 (35 s in a transaction)");
}

TEST_F(Sessions, EachLockOfAnApplierIsKnownByItsState) {
  for (const char* state : {"Waiting for schema metadata lock", "Waiting for table level lock", "Waiting for table flush",
                            "Waiting for global read lock", "Waiting for backup lock"}) {
    Rows one = list;
    one.rows.push_back({"12", "system user", "", std::nullopt, "Query", "1", state, std::nullopt});
    EXPECT_FALSE(connected(one, open).applier_waits_for.empty()) << state;
  }
}

TEST_F(Sessions, AreNotBlamedForWhatTheApplierDoesToItself) {
  applier_waits("Waiting for table metadata lock");
  add(13, "system user", "", "Slave_worker", "Update_rows_log_event::find_row(-1) on table `t`");
  add(15, "app", "10.0.0.7:41200", "Sleep", "");
  transaction(15, false, false, 400);
  EXPECT_TRUE(ids(1).empty()) << "the lock may be that of the long transaction before";
}

TEST_F(Sessions, AreNotBlamedForABackup) {
  add(14, "mysos_backup", "localhost", "Sleep", "");
  add(15, "app", "10.0.0.7:41200", "Sleep", "");
  transaction(15, false, false, 400);
  applier_waits("Waiting for backup lock");
  EXPECT_TRUE(ids(1).empty());
}

TEST_F(Sessions, AreNotEndedOnSuspicionWhereACopyMayHoldTheLock) {
  add(14, "mysos_backup", "localhost", "Sleep", "");
  add(15, "app", "10.0.0.7:41200", "Sleep", "");
  add(16, "app", "10.0.0.7:41201", "Sleep", "");
  transaction(15, false, false, 400);
  applier_waits("Waiting for table metadata lock");
  EXPECT_EQ(ids(1), (Ids{15}));
  EXPECT_TRUE(ids(2).empty() && ids(3).empty());
}

TEST_F(Sessions, AreNotEndedOnSuspicionWhereAPreparedTransactionMayHoldTheLock) {
  add(15, "app", "10.0.0.7:41200", "Sleep", "");
  add(16, "app", "10.0.0.7:41201", "Sleep", "");
  transaction(15, false, false, 400);
  applier_waits("Waiting for table metadata lock");
  Connected seen = connected(list, open);
  EXPECT_EQ(seen.applier_does, "Waiting for table metadata lock");
  EXPECT_EQ(seen.writers_without_session, 0U);
  EXPECT_EQ(in_the_way(seen, 2).size(), 2U);
  seen.prepared = true;
  EXPECT_EQ(in_the_way(seen, 1).size(), 1U);
  EXPECT_TRUE(in_the_way(seen, 2).empty());
  EXPECT_TRUE(in_the_way(seen, 3).empty());
}

TEST_F(Sessions, WhoseTransactionsAreYoungerThanTheWaitAreInNobodysWay) {
  add(15, "app", "10.0.0.7:41200", "Sleep", "");
  add(16, "app", "10.0.0.7:41201", "Sleep", "");
  transaction(15, false, false, 40);
  transaction(16, false, false, 5);
  applier_waits("Waiting for table metadata lock");
  const Connected seen = connected(list, open);
  EXPECT_EQ(in_the_way(seen, 1, std::chrono::seconds(2)).size(), 2U);
  const auto those = in_the_way(seen, 1, std::chrono::seconds(30));
  ASSERT_EQ(those.size(), 1U);
  EXPECT_EQ(those[0].id, 15U);
}

TEST_F(Sessions, ThatAreGoneLeavePreparedTransactionsThatHaveChangedRows) {
  open.columns.emplace_back("changes");
  for (const char* changes : {"1", "1", "0"}) open.rows.push_back({"0", "0", "1", "5", changes});
  EXPECT_EQ(connected(list, open).writers_without_session, 2U);
}

TEST_F(Sessions, ThatHoldRowLocksAreEndedForARowLockAndNoOthers) {
  add(12, "system user", "", "Slave_worker", "Waiting for work from SQL thread");
  transaction(12, true, true, 5);
  add(15, "app", "10.0.0.7:41200", "Sleep", "");
  add(16, "app", "10.0.0.7:41201", "Sleep", "");
  transaction(15, false, false, 35);
  transaction(16, false, true, 35);
  EXPECT_EQ(ids(1), (Ids{16}));
  EXPECT_EQ(ids(3), (Ids{16}));
}

TEST_F(Sessions, ThatAreIdleInATransactionHaveALimit) {
  add(15, "app", "10.0.0.7:41200", "Sleep", "", 301);
  add(16, "app", "10.0.0.7:41201", "Sleep", "", 299);
  add(17, "app", "10.0.0.7:41202", "Query", "Sending data", 900);
  add(18, "app", "10.0.0.7:41203", "Sleep", "", 900);
  add(19, "mysos_backup", "localhost", "Sleep", "", 900);
  for (const int id : {15, 16, 17, 19}) transaction(id, false, false, 900);
  const auto those = idle_for(connected(list, open), minutes(5));
  ASSERT_EQ(those.size(), 1U) << "not one that works, has no transaction, or is ours";
  EXPECT_EQ(those[0].id, 15U);
}

TEST_F(Sessions, AreNamedAsFarAsASentenceHoldsThem) {
  std::vector<ClientSession> many(5);
  for (ClientSession& s : many) s.who = "app@h";
  EXPECT_EQ(named(many), "app@h, app@h, app@h and 2 more");
}

}  // namespace
}  // namespace mysos::mysql
