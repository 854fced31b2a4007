// SPDX-License-Identifier: Apache-2.0
#include "mysql/flavour.h"

#include <gtest/gtest.h>

namespace mysos::mysql {
namespace {

const Flavour& kMysql = flavour(FlavourKind::kMysql);
const Flavour& kMariadb = flavour(FlavourKind::kMariadb);
const SourceSpec kSource{.host = "10.0.0.1", .port = 3306, .user = "mysos_r1", .password = "p'w"};

Rows one(std::vector<std::string> columns, std::vector<std::optional<std::string>> values) {
  return {.columns = std::move(columns), .rows = {std::move(values)}};
}

std::vector<Rows> mariadb_answers(std::string binlog_state, std::string binlog_pos, std::string slave_pos) {
  return {one({"read_only", "binlog_state", "binlog_pos", "slave_pos", "source_on"},
              {"1", std::move(binlog_state), std::move(binlog_pos), std::move(slave_pos), "0"}),
          {}, {}};
}

TEST(Flavour, EachSpeaksItsOwnWords) {
  EXPECT_EQ(kMysql.stop_receiver(), "STOP REPLICA IO_THREAD");
  EXPECT_EQ(kMariadb.stop_receiver(), "STOP SLAVE IO_THREAD");
  EXPECT_NE(kMysql.change_source(kSource).find("SOURCE_AUTO_POSITION=1"), std::string::npos);
  EXPECT_NE(kMysql.change_source(kSource).find("'p''w'"), std::string::npos);
  EXPECT_NE(kMariadb.change_source(kSource).find("MASTER_USE_GTID=slave_pos"), std::string::npos);
  EXPECT_EQ(kMysql.semi_sync_source(0), "SET GLOBAL rpl_semi_sync_source_enabled=OFF");
  EXPECT_NE(kMysql.semi_sync_source(2).find("wait_for_replica_count=2"), std::string::npos);
  EXPECT_EQ(kMariadb.max_d(), 1U);
}

TEST(MysqlSnapshot, OfAStoppedApplierTheWorkersWordsAreTaken) {
  const std::vector<Rows> answers = {
      one({"owned"}, {""}),
      one({"read_only", "executed", "purged", "source_on", "d", "own"}, {"1", "", "", "0", "1", "3e11fa47"}),
      one({"Replica_IO_Running", "Replica_SQL_Running", "Last_SQL_Errno", "Last_SQL_Error"},
          {"Yes", "No", "1146", "Coordinator stopped because there were error(s) in the worker(s)."}),
      {},
      {},
      {},
      one({"words"}, {"Worker 1 failed: Table 'd.t' doesn't exist"})};

  const auto s = kMysql.parse_snapshot(answers);

  ASSERT_TRUE(s);
  EXPECT_FALSE(s->applier_running);
  EXPECT_EQ(s->applier_error, (ReplicationError{1146, "Worker 1 failed: Table 'd.t' doesn't exist"}));
  EXPECT_EQ(s->last_error, s->applier_error.text);
  EXPECT_EQ(s->gtid_source, "3e11fa47");
}

TEST(MysqlSnapshot, WhatWasReceivedIsAtLeastWhatIsExecuted) {
  const std::string uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
  const std::vector<Rows> answers = {
      one({"owned"}, {uuid + ":6#21:7#22,\n" + uuid + ":tag:1#23"}),
      one({"read_only", "executed", "purged", "source_on", "d"}, {"1", uuid + ":1-5", "", "0", "1"}),
      one({"Replica_IO_Running", "Replica_SQL_Running", "Source_Host", "Source_Port", "Seconds_Behind_Source",
           "Retrieved_Gtid_Set", "Last_SQL_Error", "Last_IO_Error", "Source_Log_File", "Read_Source_Log_Pos", "Last_SQL_Errno",
           "Last_IO_Errno"},
          {"Connecting", "Yes", "10.0.0.1", "3306", std::nullopt, uuid + ":4-9", "", "refused", "binlog.000012", "345", "0",
           "2003"}),
      {.columns = {"Variable_name", "Value"},
       .rows = {{"Rpl_semi_sync_source_clients", "2"}, {"Rpl_semi_sync_replica_status", "ON"}}},
      one({"File", "Position"}, {"binlog.000003", "157"}),
      one({"heartbeats"}, {"42"}), {.columns = {"words"}}};

  const auto s = kMysql.parse_snapshot(answers);

  ASSERT_TRUE(s);
  EXPECT_EQ(s->received.to_string(), uuid + ":1-9");
  EXPECT_EQ(s->in_flight.to_string(), uuid + ":6-7," + uuid + ":tag:1");
  EXPECT_TRUE(s->receiver_running);
  EXPECT_FALSE(s->receiver_connected);
  EXPECT_TRUE(s->applier_running);
  EXPECT_EQ(s->semi_sync_clients, 2U);
  EXPECT_TRUE(s->semi_sync_replica);
  EXPECT_EQ(s->semi_sync_d, 0U);
  EXPECT_EQ(s->lag_ms, -1);
  EXPECT_EQ(s->last_error, "refused");
  EXPECT_EQ(s->receiver_error, (ReplicationError{2003, "refused"}));
  EXPECT_FALSE(s->applier_error.any());
  EXPECT_EQ(s->receiver_port, 3306);
  EXPECT_EQ(s->received_end, (LogPosition{12, 345}));
  EXPECT_EQ(s->heard, (Heard{.heartbeats = 42, .position = {12, 345}}));
  EXPECT_EQ(s->binlog_end, (LogPosition{3, 157}));
}

TEST(MariadbSnapshot, ExecutedIsWhatEveryWriterWroteAndWhatWasApplied) {
  const auto s = kMariadb.parse_snapshot(mariadb_answers("0-1-7,0-2-9", "0-2-9", "0-3-5"));

  ASSERT_TRUE(s);
  EXPECT_EQ(s->executed.to_string(), "0-1-7,0-2-9,0-3-5");
  EXPECT_TRUE(s->read_only);
  EXPECT_FALSE(s->receiver_running);
  EXPECT_TRUE(s->receiver_host.empty());
}

TEST(MariadbPosition, OfAFormerPrimaryFollowsItsOwnWrites) {
  EXPECT_EQ(kMariadb.align_position(mariadb_answers("0-1-7,0-2-9", "0-2-9", "0-1-7")), "SET GLOBAL gtid_slave_pos='0-2-9'");
  EXPECT_EQ(kMariadb.align_position(mariadb_answers("0-2-9", "0-2-9", "")), "SET GLOBAL gtid_slave_pos='0-2-9'");
}

TEST(MariadbPosition, OfAReplicaStaysAsItIs) {
  EXPECT_EQ(kMariadb.align_position(mariadb_answers("0-1-7", "0-1-7", "0-1-7")), "");
  EXPECT_EQ(kMariadb.align_position(mariadb_answers("", "", "0-1-7")), "");  // restored: nothing in its binlog yet
  EXPECT_EQ(kMariadb.align_position(mariadb_answers("", "", "")), "");
}

TEST(MariadbWait, IsForTheLastOfADomain) {
  const auto set = GtidSet::parse("0-1-7,0-12-9,0-2-8");
  EXPECT_EQ(kMariadb.wait_executed(*set, 0.5), "SELECT MASTER_GTID_WAIT('0-12-9', 0.5)");
}

}  // namespace
}  // namespace mysos::mysql
