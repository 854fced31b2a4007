// SPDX-License-Identifier: Apache-2.0
#include "mysql/config.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace mysos::mysql {
namespace {

class Config : public testing::TestWithParam<FlavourKind> {
 protected:
  Config() {
    distribution_.kind = GetParam();
    distribution_.basedir = "/opt/db/usr";
    distribution_.plugin_dir = "/opt/db/usr/lib/mysql/plugin";
  }
  Distribution distribution_;
  ConfigInput in_{.memory = gib(1), .cpus = 1, .port = 3310, .report_host = "10.0.0.7", .server_id = 41,
                  .datadir = "/m/data", .socket = "/m/run/mysqld.sock", .error_log = "/m/error.log",
                  .pid_file = "/m/run/mysqld.pid", .temp_dir = "/m/tmp"};
};
INSTANTIATE_TEST_SUITE_P(Flavours, Config, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(Config, AServerStartsReadOnlySilentAndStopped) {
  const auto text = server_config(distribution_, in_);

  ASSERT_TRUE(text);
  const bool mysql = GetParam() == FlavourKind::kMysql;
  for (const char* line : {"\nread_only=ON\n", "\nsync_binlog=1\n", "\ninnodb_flush_log_at_trx_commit=1\n",
                           "\nskip_name_resolve=ON\n", "\nlocal_infile=OFF\n", "\nserver_id=41\n", "\nsync_relay_log=1\n",
                           "\nrelay_log_recovery=OFF\n", "\nport=3310\n", "\ntmpdir=/m/tmp\n"}) {
    EXPECT_NE(text->find(line), std::string::npos) << line;
  }
  for (const char* line : mysql ? std::initializer_list<const char*>{"\nsuper_read_only=ON\n", "\nskip_replica_start=ON\n",
                                                                     "\nrpl_semi_sync_source_enabled=OFF\n", "\nmysqlx=OFF\n",
                                                                     "\nrpl_semi_sync_source_wait_point=AFTER_SYNC\n"}
                                : std::initializer_list<const char*>{"\ngtid_strict_mode=ON\n", "\nskip_slave_start=ON\n",
                                                                     "\nrpl_semi_sync_master_enabled=OFF\n",
                                                                     "\nslave_parallel_threads=4\n"}) {
    EXPECT_NE(text->find(line), std::string::npos) << line;
  }
  EXPECT_EQ(text->find("init_rpl_role"), std::string::npos);  // its crash recovery truncates acknowledged writes
}

TEST_P(Config, RefusesWhatCannotStandInAFile) {
  in_.datadir = "/m/da\nta";
  EXPECT_FALSE(server_config(distribution_, in_));
  in_.datadir = "/m/data";
  in_.user_settings = {{"sql_mode", "X\nread_only=OFF"}};
  EXPECT_FALSE(server_config(distribution_, in_));
  in_.user_settings.clear();
  in_.server_id = 0;
  EXPECT_FALSE(server_config(distribution_, in_));
}

TEST_P(Config, MemoryStaysWithinTheLimit) {
  const Flavour& f = flavour(GetParam());
  for (const Bytes memory : {f.min_memory(), mib(600), gib(1), gib(2), gib(4), gib(16), gib(128)}) {
    const auto plan = plan_memory(f, memory, 4);

    ASSERT_TRUE(plan) << to_string(memory);
    const std::uint64_t diagnostics = plan->diagnostics ? f.diagnostics_memory().mib() : 0;
    const std::uint64_t used =
        plan->pool.mib() + f.fixed_memory().mib() + diagnostics + plan->max_connections * 192 / 1024;
    EXPECT_LE(used, memory.mib()) << to_string(memory);
    EXPECT_EQ(plan->pool.mib() % (16 * plan->pool_instances), 0U);
    EXPECT_GE(plan->applier_threads, 4U);
    EXPECT_LE(plan->packet.value * 7, memory.value - plan->pool.value) << "a row is in memory several times";
    EXPECT_GE(plan->applier_queue, plan->packet);
    EXPECT_LE(plan->session_buffer.value * 8, std::max(memory, mib(256)).value);
    if (memory >= gib(4)) EXPECT_GE(plan->pool.value, memory.value / 100 * 50);
  }
}

TEST_P(Config, WhatASessionMayTakeFollowsTheMemory) {
  in_.memory = mib(600);
  const auto small = server_config(distribution_, in_);
  in_.memory = gib(16);
  const auto large = server_config(distribution_, in_);

  ASSERT_TRUE(small && large);
  for (const char* line : {"\nmax_allowed_packet=9M\n", "\nmaximum_sort_buffer_size=18M\n", "\nmaximum_join_buffer_size=18M\n",
                           "\nmaximum_max_heap_table_size=18M\n", "\ninnodb_log_buffer_size=9M\n"}) {
    EXPECT_NE(small->find(line), std::string::npos) << line;
  }
  EXPECT_NE(large->find("\nmax_allowed_packet=64M\n"), std::string::npos);
  EXPECT_NE(large->find("\nmaximum_sort_buffer_size=512M\n"), std::string::npos);
}

TEST_P(Config, TheAdminPortIsAtTheMembersAddress) {
  EXPECT_EQ(server_config(distribution_, in_)->find("3399"), std::string::npos);
  in_.admin_port = 3399;
  const auto text = server_config(distribution_, in_);

  const bool mysql = GetParam() == FlavourKind::kMysql;
  EXPECT_NE(text->find(mysql ? "\nadmin_port=3399\n" : "\nextra_port=3399\n"), std::string::npos);
  EXPECT_EQ(text->find("\nadmin_address=10.0.0.7\n") != std::string::npos, mysql);
}

TEST_P(Config, TooLittleMemoryIsSaidInNumbers) {
  const auto plan = plan_memory(flavour(GetParam()), mib(64), 1);

  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().field, "mem");
  EXPECT_NE(plan.error().message.find(to_string(min_memory(GetParam()))), std::string::npos) << plan.error().message;
}

}  // namespace
}  // namespace mysos::mysql
