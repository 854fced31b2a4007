// SPDX-License-Identifier: Apache-2.0
// Appliers that stop, and transactions that somebody writes on a replica, on real servers of both flavours.
#include <gtest/gtest.h>

#include <filesystem>

#include "mysql/given_up.h"
#include "mysql/real_servers.h"

namespace mysos::mysql {
namespace {

using std::chrono::seconds;

class Applier : public testing::TestWithParam<FlavourKind> {
 protected:
  [[nodiscard]] static bool mysql() { return GetParam() == FlavourKind::kMysql; }
  TestMember& add() {
    members_.push_back(std::make_unique<TestMember>(io, GetParam(), static_cast<int>(members_.size())));
    members_.back()->make_and_start();
    if (!members_.back()->ops) throw std::runtime_error("the server did not start");
    return *members_.back();
  }
  // A primary that waits for nobody, and a replica that follows it and has d.t.
  void a_pair() {
    add();
    add();
    a().promote(0, {&b()});
    a().admin("CREATE DATABASE d");
    a().admin("CREATE TABLE d.t (i INT PRIMARY KEY)");
    b().follow(a());
    ASSERT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return s.executed.contains(a().read().executed); }));
  }
  // The replica's table goes, and what comes next cannot be applied there.
  void stop_applier() {
    without_binlog(b(), "DROP TABLE d.t");
    a().admin("INSERT INTO d.t VALUES (1)");
    a().admin("INSERT INTO d.t VALUES (2)");
    ASSERT_TRUE(b().wait_for([&](const ServerSnapshot& s) {
      return !s.applier_running && s.applier_error.any() && s.received.contains(a().read().executed);
    }));
  }
  void without_binlog(TestMember& m, const std::string& statement) {
    if (mysql()) m.admin("SET GLOBAL super_read_only=OFF");
    Session session(io.get_executor(), quiet(m));
    auto run = [&]() -> asio::awaitable<Status> {
      MYSOS_CO_TRY_VOID(co_await session.connect(seconds(5)));
      MYSOS_CO_TRY([[maybe_unused]] const Rows ok, co_await session.query(statement, seconds(5)));
      co_return Status{};
    };
    Status done;
    asio::co_spawn(io, run(), [&](const std::exception_ptr&, Status s) { done = std::move(s); });
    io.restart();
    io.run();
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    if (mysql()) m.admin("SET GLOBAL super_read_only=ON");
  }
  static SessionTarget quiet(TestMember& m) {
    SessionTarget target = admin_target(m.spec.layout, kTestSecrets);
    target.write_binlog = false;
    return target;
  }
  TestMember& a() { return *members_[0]; }
  TestMember& b() { return *members_[1]; }

  asio::io_context io;
  std::vector<std::unique_ptr<TestMember>> members_;
};
INSTANTIATE_TEST_SUITE_P(Flavours, Applier, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(Applier, OneThatStoppedSaysWhyAndGoesOnFromItsRelayLogOnceTheCauseIsGone) {
  a_pair();
  stop_applier();
  const ServerSnapshot stopped = b().read();
  EXPECT_EQ(stopped.applier_error.number, 1146U) << stopped.applier_error.text;
  EXPECT_NE(stopped.applier_error.text.find("d.t"), std::string::npos) << stopped.applier_error.text;
  EXPECT_TRUE(stopped.receiver_running);

  b().run(step::StartApplier{});
  EXPECT_TRUE(b().wait_for([](const ServerSnapshot& s) { return !s.applier_running && s.applier_error.any(); }));
  EXPECT_EQ(b().read().executed, stopped.executed) << "it stopped at the same place";
  EXPECT_EQ(b().read().received, stopped.received) << "the relay log is still there";

  a().kill9();  // whatever is applied now comes from the relay log
  without_binlog(b(), "CREATE TABLE d.t (i INT PRIMARY KEY)");
  b().run(step::StartApplier{});
  EXPECT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return s.executed.contains(stopped.received); }))
      << b().read().last_error;
}

TEST_P(Applier, ItIsNotStartedWhereTheServerWouldThrowItsRelayLogAway) {
  a_pair();
  stop_applier();
  b().run(step::StopReceiver{});

  const Status started = b().try_run(step::StartApplier{});

  EXPECT_EQ(started.has_value(), mysql()) << "MariaDB forgets the relay log where neither thread runs";
}

// An applier may stop after the plan that starts replication again was made.
TEST_P(Applier, ARelayLogWithARestIsThrownAwayOnlyWhereThePlanSaysSo) {
  a_pair();
  stop_applier();
  b().run(step::StopReceiver{});
  const GtidSet received = b().read().received;

  EXPECT_EQ(b().try_run(step::SetSource{"127.0.0.1", a().port}).has_value(), mysql());
  EXPECT_FALSE(b().try_run(step::SetSource{"127.0.0.2", a().port}, seconds(2)))
      << "MySQL does not take another source before its relay log is executed";
  EXPECT_EQ(b().try_run(step::StartReplication{}).has_value(), mysql());
  a().kill9();
  EXPECT_EQ(b().read().received, received);
  if (mysql()) return;

  b().run(step::SetSource{"127.0.0.1", a().port, true});
  b().run(step::StartReplication{true});
  EXPECT_FALSE(b().read().received.contains(received));
}

TEST_P(Applier, APrimaryToBeKeepsAsideWhatItCannotExecuteAndOpens) {
  a_pair();
  stop_applier();
  a().kill9();
  b().run(step::StopReceiver{});
  const ServerSnapshot stopped = b().read();
  const GtidSet rest = stopped.received.minus(stopped.executed);
  ASSERT_EQ(rest.count(), 2U);
  b().run(step::RequireExecuted{stopped.executed});
  b().run(step::StopReplication{});

  const std::string kept = b().spec.layout.dir + "/errant";
  const auto folder = keep_given_up({b().spec.layout.datadir, kept, 5, rest});
  b().run(step::AbandonRelayLog{});

  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(*folder, "relay-5");
  std::size_t logs = 0;
  for (const auto& file : std::filesystem::directory_iterator(kept + "/" + *folder)) {
    logs += file.path().filename().string().find("relay.") != std::string::npos && file.file_size() > 200 ? 1 : 0;
  }
  EXPECT_GE(logs, 1U) << "after the server has forgotten them";
  EXPECT_TRUE(std::filesystem::exists(kept + "/" + *folder + "/README"));
  EXPECT_EQ(b().read().receiver_host, "");
  EXPECT_EQ(b().read().received, b().read().executed);
  b().run(step::SetReadOnly{false});
  b().admin("CREATE TABLE d.u (i INT PRIMARY KEY)");
}

TEST_P(Applier, OneThatStoppedCanFollowAnother) {
  a_pair();
  TestMember& c = add();
  a().run(step::ShutOut{{b().id, c.id}, {}});
  c.follow(a());
  stop_applier();
  ASSERT_TRUE(c.wait_for([&](const ServerSnapshot& s) { return s.executed.contains(a().read().executed); }));
  a().kill9();
  c.promote(0, {&b()});
  b().run(step::StopReceiver{});
  b().run(step::RequireContainedIn{c.read().executed});

  b().run(step::StopReplication{});
  b().run(step::AbandonRelayLog{});
  b().run(step::SetSource{"127.0.0.1", c.port});
  b().run(step::StartReplication{});

  const GtidSet all = c.read().executed;
  EXPECT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return s.receiver_connected && s.received.contains(all); }));
}

TEST_P(Applier, ATransactionThatIsWrittenOnAReplicaBearsItsOwnName) {
  a_pair();
  const GtidSet before = b().read().executed;
  // An operator's statement, which read-only does not refuse.
  b().admin(mysql() ? "FLUSH STATUS" : "ANALYZE TABLE d.t PERSISTENT FOR ALL");

  const ServerSnapshot seen = b().read();

  const GtidSet own = seen.executed.minus(before);
  ASSERT_EQ(own.sources().size(), 1U) << own.to_string();
  EXPECT_EQ(own.sources().begin()->first, seen.gtid_source);
  EXPECT_TRUE(a().read().gtid_source != seen.gtid_source);
}

TEST_P(Applier, EnginesThatACrashMayChangeAreRefusedUnlessTheClusterAllowsThem) {
  TestMember& m = add();
  m.promote(0, {});
  m.admin("CREATE DATABASE d");
  m.admin("CREATE TABLE d.t (i INT PRIMARY KEY)");
  m.admin("CREATE TEMPORARY TABLE d.mine (i INT)");
  for (const char* engine : {"MEMORY", "MyISAM", "CSV"}) {
    Session session(io.get_executor(), quiet(m));
    unsigned error = 0;
    auto run = [&]() -> asio::awaitable<Status> {
      MYSOS_CO_TRY_VOID(co_await session.connect(seconds(5)));
      MYSOS_CO_TRY([[maybe_unused]] const Rows mode, co_await session.query("SET sql_mode=DEFAULT", seconds(5)));
      const std::string create = std::string("CREATE TABLE d.other (i INT NOT NULL) ENGINE=") + engine;
      const auto made = co_await session.query(create, seconds(5));
      error = made ? 0 : session.last_errno();
      co_return Status{};
    };
    asio::co_spawn(io, run(), [](const std::exception_ptr&, const Status&) {});
    io.restart();
    io.run();
    EXPECT_EQ(error, mysql() ? 3161U : 1290U) << engine;
  }
  m.stop();
  m.spec.any_engine = true;
  m.start();
  m.run(step::SetReadOnly{false});
  m.admin("CREATE TABLE d.other (i INT) ENGINE=MEMORY");
}

}  // namespace
}  // namespace mysos::mysql
