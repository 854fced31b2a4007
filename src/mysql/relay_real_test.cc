// SPDX-License-Identifier: Apache-2.0
// Relay logs that a real MariaDB left behind when it was killed: what of them relay_log.h says.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <charconv>

#include "base/clock.h"
#include "base/fs.h"
#include "mysql/real_servers.h"
#include "mysql/relay_log.h"

namespace mysos::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RelayLogsOfMariadb : public testing::Test {
 protected:
  RelayLogsOfMariadb() : a(io, FlavourKind::kMariadb, 0), b(io, FlavourKind::kMariadb, 1) {}
  // A primary that waits for its one replica, whose applier stands.
  void SetUp() override {
    a.make_and_start();
    b.make_and_start();
    ASSERT_TRUE(a.ops && b.ops);
    a.promote(1, {&b});
    b.follow(a);
    a.admin("CREATE DATABASE d");
    a.admin("CREATE TABLE d.t (i INT PRIMARY KEY, v LONGTEXT)");
    const GtidSet all = a.read().executed;
    ASSERT_TRUE(b.wait_for([&](const ServerSnapshot& s) { return s.executed.contains(all); }));
    b.admin("STOP SLAVE SQL_THREAD");
  }
  GtidSet held() {
    auto found = read_relay_logs(b.spec.layout.datadir);
    EXPECT_TRUE(found) << (found ? "" : found.error().message);
    return found.value_or(GtidSet{});
  }
  [[nodiscard]] std::string source() const { return fmt::format("0-{}", a.spec.server_id); }
  std::uint64_t last_of_a() {
    const GtidSet executed = a.read().executed;
    const auto found = executed.sources().find(source());
    return found == executed.sources().end() ? 0 : found->second.back().last;
  }

  asio::io_context io;
  TestMember a, b;
};

TEST_F(RelayLogsOfMariadb, HoldWritesOfEverySortUntilReplicationStartsAgain) {
  a.admin("INSERT INTO d.t VALUES (1, 'a')");
  a.admin("INSERT INTO d.t VALUES (2, REPEAT('b', 5000000))");  // larger than what is read at once
  a.admin("CREATE TABLE d.aria (i INT) ENGINE=ARIA");
  a.admin("INSERT INTO d.aria VALUES (1)");
  b.admin("FLUSH RELAY LOGS");
  a.admin("CREATE TABLE d.selected AS SELECT * FROM d.t");
  a.admin("SET STATEMENT binlog_format=STATEMENT FOR INSERT INTO d.t VALUES (3, UUID())");
  a.admin("FLUSH BINARY LOGS");
  a.admin("DELETE FROM d.t");
  const GtidSet acknowledged = a.read().executed;
  const GtidSet applied = b.read().executed;
  EXPECT_EQ(acknowledged.minus(applied).count(), 7U);
  a.kill9();
  b.kill9();

  EXPECT_TRUE(held().united(applied).contains(acknowledged)) << held().to_string();
  EXPECT_TRUE(acknowledged.contains(held())) << held().to_string();

  b.start();
  EXPECT_FALSE(b.read().received.contains(acknowledged)) << "the server itself does not know of it any more";
  b.kill9();
  EXPECT_TRUE(held().united(applied).contains(acknowledged)) << "they are there until replication starts";

  ASSERT_TRUE(keep_relay_logs(b.spec.layout.datadir, b.spec.layout.dir + "/kept"));
  b.start();
  b.run(step::SetSource{"127.0.0.1", a.port});
  b.run(step::StartReplication{});
  b.kill9();
  EXPECT_FALSE(held().united(applied).contains(acknowledged)) << "and then they are gone";
  EXPECT_GE(list_dir(b.spec.layout.dir + "/kept").value().size(), 2U) << "but for those that were kept";
}

// The acknowledgement of a write leaves the replica after the write is in its relay log, whole.
TEST_F(RelayLogsOfMariadb, HoldAllThatWasAcknowledgedWhenTheReplicaIsKilledUnderWrites) {
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t before = last_of_a();
    std::uint64_t acknowledged = 0;
    const auto write = [&]() -> asio::awaitable<void> {
      Session session(io.get_executor(), admin_target(a.spec.layout, kTestSecrets));
      if (!co_await session.connect(seconds(5))) co_return;
      for (int i = 0;; ++i) {
        const auto done = co_await session.query(
            fmt::format("INSERT INTO d.t VALUES ({}, REPEAT('x', {}))", round * 100000 + i, i * 37 % 9000), seconds(3));
        if (!done) co_return;
        ++acknowledged;
      }
    };
    asio::co_spawn(io, write(), [](const std::exception_ptr&) {});
    io.restart();
    io.run_for(milliseconds(700 + 150 * round));
    b.kill9();
    io.restart();
    io.run_for(seconds(5));  // until the last write has given up waiting
    EXPECT_GT(acknowledged, 10U);

    const GtidSet found = held();

    GtidSet must;
    must.add(source(), 1, before + acknowledged);
    EXPECT_TRUE(found.contains(must)) << found.to_string() << " of " << must.to_string();
    b.start();
    b.follow(a);  // what waits is acknowledged now
    const GtidSet all = a.read().executed;
    ASSERT_TRUE(b.wait_for([&](const ServerSnapshot& s) { return s.executed.contains(all); }));
    b.admin("STOP SLAVE SQL_THREAD");
  }
}

}  // namespace
}  // namespace mysos::mysql
