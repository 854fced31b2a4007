// SPDX-License-Identifier: Apache-2.0
// The steps of server_step.h on real servers of both flavours: what the simulator's servers are held to.
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "base/clock.h"
#include "base/fs.h"
#include "mysql/real_servers.h"
#include "mysql/relay_log.h"

namespace mysos::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Real : public testing::TestWithParam<FlavourKind> {
 protected:
  [[nodiscard]] static bool mysql() { return GetParam() == FlavourKind::kMysql; }
  TestMember& add() {
    members_.push_back(std::make_unique<TestMember>(io, GetParam(), static_cast<int>(members_.size())));
    members_.back()->make_and_start();
    if (!members_.back()->ops) throw std::runtime_error("the server did not start");
    return *members_.back();
  }
  // A primary that waits for one of two ackers, open, with the user's account.
  void a_cluster() {
    for (int i = 0; i < 3; ++i) add();
    a().promote(1, {&b(), &c()});
    b().follow(a());
    c().follow(a());
    ensure_user(a());
    ASSERT_TRUE(a().user("CREATE DATABASE d"));
    ASSERT_TRUE(a().user("CREATE TABLE d.t (i INT PRIMARY KEY)"));
  }
  void ensure_user(TestMember& m) {
    Status done = fail(Errc::kTimeout, "not run");
    asio::co_spawn(io, m.ops->ensure_user(seconds(10)), [&](const std::exception_ptr&, Status s) { done = std::move(s); });
    io.restart();
    io.run();
    ASSERT_TRUE(done) << done.error().message;
  }
  void push_commits(TestMember& m, bool works = true) {
    Status done = fail(Errc::kTimeout, "not run");
    asio::co_spawn(io, m.ops->push_commits(seconds(5)), [&](const std::exception_ptr&, Status s) { done = std::move(s); });
    io.restart();
    io.run();
    EXPECT_EQ(done.has_value(), works) << (done ? "" : done.error().message);
  }
  static void caught_up(TestMember& with, TestMember& who) {
    const GtidSet all = with.read().executed;
    EXPECT_TRUE(who.wait_for([&](const ServerSnapshot& s) { return s.executed.contains(all); }))
        << who.read().executed.to_string() << " lacks some of " << all.to_string() << ": " << who.read().last_error;
  }
  // MariaDB shows a transaction in its binlog a moment before a reader sees its rows.
  static bool comes_to_hold(TestMember& who, const std::string& table, const std::string& rows) {
    return who.wait_for([&](const ServerSnapshot&) {
      const auto count = who.user("SELECT COUNT(*) FROM " + table);
      return count && count->text(0, std::size_t{0}) == rows;
    });
  }
  TestMember& a() { return *members_[0]; }
  TestMember& b() { return *members_[1]; }
  TestMember& c() { return *members_[2]; }

  asio::io_context io;
  std::vector<std::unique_ptr<TestMember>> members_;
};
INSTANTIATE_TEST_SUITE_P(Flavours, Real, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(Real, AFreshServerIsReadOnlySilentAndHasNoOpenAccount) {
  TestMember& m = add();

  const ServerSnapshot s = m.read();
  EXPECT_TRUE(s.read_only);
  EXPECT_TRUE(s.executed.empty()) << s.executed.to_string();
  EXPECT_TRUE(s.binlog_complete);
  EXPECT_EQ(s.semi_sync_d, 0U);
  EXPECT_FALSE(s.receiver_running || s.applier_running || s.semi_sync_replica);
  const Rows accounts = m.admin("SELECT User AS u FROM mysql.user WHERE User NOT LIKE 'mysos\\_%' AND User NOT IN "
                                "('mysql.sys','mysql.session','mysql.infoschema','mariadb.sys','PUBLIC')");
  EXPECT_TRUE(accounts.empty()) << accounts.text(0, "u");
  EXPECT_FALSE(path_exists(m.spec.layout.init_file));
}

TEST_P(Real, AServerIsFoundAgainByItsFolder) {
  TestMember& m = add();

  auto found = ServerProcess::adopt(m.spec.layout);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->incarnation(), m.process->incarnation());
  EXPECT_FALSE(ServerProcess::start(m.spec, kTestSecrets));
  ASSERT_TRUE(remove_file(m.spec.layout.state_file));
  ASSERT_TRUE(ServerProcess::adopt(m.spec.layout)) << "without its state file";

  m.stop();
  EXPECT_FALSE(ServerProcess::adopt(m.spec.layout));
}

TEST_P(Real, AServerThatCannotStartSaysWhy) {
  TestMember& m = add();
  m.stop();
  m.spec.user_settings = {{"no_such_setting_at_all", "1"}};

  auto started = ServerProcess::start(m.spec, kTestSecrets);
  ASSERT_TRUE(started);
  Status ready;
  asio::co_spawn(io, started->wait_ready(kTestSecrets, seconds(30)),
                 [&](const std::exception_ptr&, Status s) { ready = std::move(s); });
  io.restart();
  io.run();

  ASSERT_FALSE(ready);
  EXPECT_NE(ready.error().message.find("no_such_setting_at_all"), std::string::npos) << ready.error().message;
}

TEST_P(Real, ReplicasFollowAndAcknowledge) {
  a_cluster();
  ASSERT_TRUE(a().user("INSERT INTO d.t VALUES (1)"));

  caught_up(a(), b());
  caught_up(a(), c());
  EXPECT_EQ(a().read().semi_sync_d, 1U);
  EXPECT_TRUE(a().wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 2; }));
  const ServerSnapshot s = b().read();
  EXPECT_TRUE(s.read_only && s.receiver_connected && s.applier_running && s.semi_sync_replica);
  EXPECT_EQ(s.receiver_port, a().port);
  EXPECT_TRUE(s.received.contains(s.executed));
}

// As after a power cut: nobody has made it durable.
TEST_P(Real, ASilentReplicaWhoseRelayLogLostItsEndReceivesThatAgain) {
  a_cluster();
  caught_up(a(), b());
  EXPECT_EQ(b().admin("SELECT @@GLOBAL.sync_relay_log").text(0, std::size_t{0}), "1");
  b().follow(a(), false);
  EXPECT_EQ(b().admin("SELECT @@GLOBAL.sync_relay_log").text(0, std::size_t{0}), "0");
  b().admin(flavour(GetParam()).stop_applier());
  for (int i = 1; i <= 20; ++i) ASSERT_TRUE(a().user("INSERT INTO d.t VALUES (" + std::to_string(i) + ")"));
  const GtidSet all = a().read().executed;
  ASSERT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return s.received.contains(all); }));
  EXPECT_TRUE(sync_relay_logs(b().spec.layout.datadir));
  b().kill9();
  std::filesystem::path last;
  for (const auto& entry : std::filesystem::directory_iterator(b().spec.layout.datadir)) {
    const bool log = entry.path().filename().string().starts_with("relay.0");
    if (log && (last.empty() || entry.path() > last)) last = entry.path();
  }
  ASSERT_FALSE(last.empty());
  std::filesystem::resize_file(last, std::filesystem::file_size(last) - 300);

  b().start();

  EXPECT_FALSE(b().read().received.contains(all));
  b().follow(a(), false);
  caught_up(a(), b());
}

TEST_P(Real, AReceiverHearsItsSourceAndNothingOfOneThatIsStoppedThoughItCallsItselfConnected) {
  a_cluster();
  caught_up(a(), b());
  const Heard calm = b().read().heard;
  EXPECT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return s.heard.heartbeats != calm.heartbeats; }));
  ASSERT_TRUE(a().user("INSERT INTO d.t VALUES (1)"));
  EXPECT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return s.heard.position != calm.position; }));
  caught_up(a(), b());  // nothing is on its way

  ASSERT_EQ(::kill(a().process->pid(), SIGSTOP), 0);
  const ServerSnapshot last = b().read();
  EXPECT_TRUE(last.receiver_connected);
  EXPECT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return !s.receiver_connected; })) << "after net_timeout";
  const Heard then = b().read().heard;
  EXPECT_LE(then.heartbeats, last.heard.heartbeats + 1) << "one may have been on its way";
  EXPECT_EQ(then.position, last.heard.position);
  ASSERT_EQ(::kill(a().process->pid(), SIGCONT), 0);
}

TEST_P(Real, TheUsersAccountIsWideAndCannotBreakAPromise) {
  a_cluster();
  const GtidSet before = a().read().executed;
  ensure_user(a());
  EXPECT_EQ(a().read().executed, before) << "it is there: nothing is written";

  for (const char* no : {"SET GLOBAL read_only=OFF", "SET SESSION sql_log_bin=0", "DELETE FROM mysql.db",
                         "GRANT SUPER ON *.* TO shop@'%'", "SELECT * FROM mysql.user", "DROP DATABASE mysql",
                         "GRANT REPLICATION SLAVE ON *.* TO shop@'%'", "SHUTDOWN"}) {
    EXPECT_FALSE(a().user(no)) << no;
  }
  caught_up(a(), b());
  EXPECT_FALSE(b().user("INSERT INTO d.t VALUES (7)")) << "a replica is read-only";
  EXPECT_TRUE(b().user("SELECT * FROM d.t"));
}

TEST_P(Real, EnsureUserWritesNothingOnAReadOnlyServer) {
  TestMember& m = add();
  Status done;
  asio::co_spawn(io, m.ops->ensure_user(seconds(5)), [&](const std::exception_ptr&, Status s) { done = std::move(s); });
  io.restart();
  io.run();
  EXPECT_FALSE(done);
  EXPECT_TRUE(m.read().executed.empty());
}

TEST_P(Real, FailoverByTheStepsLosesNothingAndTheOldPrimaryRejoins) {
  a_cluster();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(a().user(fmt::format("INSERT INTO d.t VALUES ({})", i)));
  a().kill9();

  const Instant start = steady_now();
  b().run(step::StopReceiver{});
  c().run(step::StopReceiver{});
  const Instant fenced = steady_now();
  const GtidSet all = b().read().received.united(c().read().received);
  TestMember& next = b().read().received == all ? b() : c();
  TestMember& other = &next == &b() ? c() : b();
  ASSERT_TRUE(next.wait_for([&](const ServerSnapshot& s) { return s.executed.contains(all); }));
  const Instant drained = steady_now();
  next.run(step::RequireExecuted{all});
  next.promote(1, {&a(), &other});
  const Instant open = steady_now();
  other.run(step::RequireContainedIn{next.read().executed});
  other.follow(next);
  const Instant repointed = steady_now();
  ASSERT_TRUE(next.user("INSERT INTO d.t VALUES (100)", seconds(10)));
  fmt::print("{} failover, ms: fence {} drain {} promote {} re-point {} first write {} (with a new session)\n",
             enum_text(GetParam()), to_ms(fenced - start), to_ms(drained - fenced), to_ms(open - drained),
             to_ms(repointed - open), to_ms(steady_now() - repointed));
  EXPECT_EQ(next.user("SELECT COUNT(*) FROM d.t")->text(0, std::size_t{0}), "21");

  a().start();
  EXPECT_TRUE(a().read().read_only);
  a().run(step::RequireContainedIn{next.read().executed});  // each write was acknowledged before the kill
  a().follow(next);
  ASSERT_TRUE(next.user("INSERT INTO d.t VALUES (101)"));
  caught_up(next, a());
  // A MariaDB replica has a transaction in its binlog a moment before others see its rows.
  std::string rows;
  for (int i = 0; i < 5000 && rows != "22"; ++i) {
    rows = a().user("SELECT COUNT(*) FROM d.t")->text(0, std::size_t{0});
  }
  EXPECT_EQ(rows, "22");
  EXPECT_EQ(a().read().last_error, "");
}

TEST_P(Real, SwitchoverAndBackKeepsEveryPositionRight) {
  a_cluster();
  const auto hand_over = [&](TestMember& from, TestMember& to, TestMember& third) {
    for (const ServerStep& s : std::initializer_list<ServerStep>{
             step::KillClients{}, step::SetReadOnly{true}, step::KillClients{}, step::SemiSyncSource{0},
             step::StopReceiver{}}) {
      from.run(s);
    }
    const GtidSet all = from.read().executed;
    ASSERT_TRUE(to.wait_for([&](const ServerSnapshot& s) { return s.executed.contains(all); }));
    to.promote(1, {&from, &third});
    from.follow(to);
    third.follow(to);
  };
  for (int round = 0; round < 2; ++round) {
    hand_over(a(), b(), c());
    ASSERT_TRUE(b().user(fmt::format("INSERT INTO d.t VALUES ({})", 10 * round + 1), seconds(10)));
    hand_over(b(), a(), c());
    ASSERT_TRUE(a().user(fmt::format("INSERT INTO d.t VALUES ({})", 10 * round + 2), seconds(10)));
  }
  for (TestMember* m : {&b(), &c()}) {
    caught_up(a(), *m);
    EXPECT_EQ(m->read().last_error, "");
    EXPECT_TRUE(comes_to_hold(*m, "d.t", "4"));
  }
}

TEST_P(Real, WhatIsStillToBeReceivedIsWaitedForAndNotForEver) {
  a_cluster();
  ASSERT_TRUE(a().user("INSERT INTO d.t VALUES (1)"));
  const GtidSet all = a().read().executed;
  b().run(step::AwaitReceived{all});
  EXPECT_TRUE(b().read().received.contains(all));

  const GtidSet never = all.united(*GtidSet::parse(GetParam() == FlavourKind::kMysql
                                                       ? "11111111-2222-3333-4444-555555555555:1-9"
                                                       : "0-4000-9999999"));
  b().run(step::AwaitReceived{never}, seconds(10));
  b().run(step::StopReceiver{});
  b().run(step::AwaitReceived{never}, seconds(1));
}

TEST_P(Real, AReplicaIsPointedBeforehandAndOnlyStartedInThePause) {
  a_cluster();
  ASSERT_TRUE(a().user("INSERT INTO d.t VALUES (1)"));
  caught_up(a(), b());
  caught_up(a(), c());
  c().run(step::StopReceiver{});
  c().run(step::SetSource{"127.0.0.1", b().port});
  for (const ServerStep& s : std::initializer_list<ServerStep>{step::KillClients{}, step::SetReadOnly{true}}) a().run(s);

  b().promote(1, {&a(), &c()});
  c().run(step::SemiSyncReplica{true});
  c().run(step::SetSource{"127.0.0.1", b().port});
  c().run(step::StartReplication{});

  ASSERT_TRUE(b().user("INSERT INTO d.t VALUES (2)", seconds(10)));
  caught_up(b(), c());
  EXPECT_EQ(c().read().last_error, "");
}

// A new source must not have to wait for an applier that is behind: commits wait for what this replica acknowledges.
TEST_P(Real, MysqlIsPointedElsewhereWhileItAppliesWhatItReceived) {
  a_cluster();
  caught_up(a(), b());
  caught_up(a(), c());
  Session reader = c().user_session();  // as long as it reads, nothing is applied
  bool locked = false;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        const Status there = co_await reader.connect(seconds(5));
        if (there) locked = (co_await reader.query("LOCK TABLES d.t READ", seconds(5))).has_value();
      },
      [](const std::exception_ptr&) {});
  io.restart();
  io.run();
  ASSERT_TRUE(locked);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(a().user(fmt::format("INSERT INTO d.t VALUES ({})", i)));
  const GtidSet sent = a().read().executed;
  ASSERT_TRUE(c().wait_for([&](const ServerSnapshot& s) { return s.received.contains(sent); }));
  caught_up(a(), b());
  for (const ServerStep& s : std::initializer_list<ServerStep>{step::KillClients{}, step::SetReadOnly{true}}) a().run(s);
  b().promote(1, {&a(), &c()});

  c().run(step::StopReceiver{});
  EXPECT_EQ(c().try_run(step::SetSource{"127.0.0.1", b().port}, seconds(2)).has_value(), mysql());
  EXPECT_FALSE(c().read().executed.contains(sent));
  EXPECT_TRUE(c().read().received.contains(sent)) << "the relay log is there";
  if (mysql()) {
    c().run(step::SemiSyncReplica{true});
    c().run(step::StartReplication{});
    ASSERT_TRUE(b().user("INSERT INTO d.t VALUES (10)", seconds(10))) << "it acknowledges what it cannot apply yet";
    EXPECT_FALSE(c().read().executed.contains(sent));
    reader.close();
  } else {
    reader.close();
    c().follow(b());
    ASSERT_TRUE(b().user("INSERT INTO d.t VALUES (10)", seconds(10)));
  }

  caught_up(b(), c());
  EXPECT_EQ(c().read().last_error, "");
  EXPECT_TRUE(comes_to_hold(c(), "d.t", "6"));
}

// The applier holds its beginning, and shall neither keep it nor wait for the rest: the new source sends all of it.
TEST_P(Real, AReplicaThatReceivedHalfATransactionIsPointedElsewhere) {
  a_cluster();
  ASSERT_TRUE(a().user("CREATE TABLE d.big (i INT AUTO_INCREMENT PRIMARY KEY, pad LONGTEXT)"));
  ASSERT_TRUE(a().user("INSERT INTO d.big (pad) VALUES (REPEAT('x', 500000))"));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(a().user("INSERT INTO d.big (pad) SELECT pad FROM d.big", seconds(30)));
  caught_up(a(), b());
  caught_up(a(), c());
  const GtidSet before = a().read().executed;
  const std::uint64_t at = c().read().heard.position.offset;

  Session writer = a().user_session();
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        if (co_await writer.connect(seconds(5))) {
          (void)co_await writer.query("INSERT INTO d.big (pad) SELECT pad FROM d.big", seconds(30));
        }
      },
      [](const std::exception_ptr&) {});
  ASSERT_TRUE(c().wait_for([&](const ServerSnapshot& s) { return s.heard.position.offset > at + 1'000'000; }));
  c().run(step::StopReceiver{});
  const ServerSnapshot source = a().read();
  EXPECT_FALSE(c().read().received.contains(source.executed.united(source.in_flight))) << "it was faster than the test";
  ASSERT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return s.executed.count() > before.count(); }));
  caught_up(a(), b());
  for (const ServerStep& s : std::initializer_list<ServerStep>{step::KillClients{}, step::SetReadOnly{true}}) a().run(s);
  b().promote(1, {&a(), &c()});

  c().follow(b());

  ASSERT_TRUE(b().user("INSERT INTO d.t VALUES (1)", seconds(10)));
  caught_up(b(), c());
  EXPECT_EQ(c().read().last_error, "");
  EXPECT_TRUE(comes_to_hold(c(), "d.big", "64"));
}

TEST_P(Real, AMemberThatIsShutOutIsCutOffAndLetInAgain) {
  a_cluster();
  ASSERT_TRUE(a().wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 2; }));
  const GtidSet before = a().read().executed;

  a().run(step::ShutOut{{b().id, c().id}, {c().id}});

  EXPECT_TRUE(c().wait_for([](const ServerSnapshot& s) { return !s.receiver_connected; }));
  EXPECT_TRUE(a().wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 1; }));
  ASSERT_TRUE(a().user("INSERT INTO d.t VALUES (1)"));
  caught_up(a(), b());
  EXPECT_FALSE(c().read().received.contains(a().read().executed));

  a().run(step::ShutOut{{b().id, c().id}, {}});
  caught_up(a(), c());
  EXPECT_EQ(a().read().executed.minus(before).count(), 1U) << "accounts are local: only the insert is in the binlog";
}

// Commits that wait for an acker that does not come, from clients that go on waiting for their answers.
class Waiters {
 public:
  Waiters(asio::io_context& io, TestMember& primary, int n) : io_(io) {
    for (int i = 0; i < n; ++i) {
      asio::co_spawn(io, write(primary.user_session(), fmt::format("INSERT INTO d.t VALUES ({})", 1000 + i)),
                     [](const std::exception_ptr&) {});
    }
    // One of a group waits, the others wait for it: all are at their commits a moment later.
    const Instant until = steady_now() + seconds(10);
    while (waiting_sessions(primary) == 0 && steady_now() < until) turn(milliseconds(5));
    turn(milliseconds(500));
    waiting_ = acknowledged == 0 && failed == 0;
  }
  [[nodiscard]] bool waiting() const { return waiting_; }
  void turn(Duration time) {
    io_.restart();
    io_.run_for(time);
  }
  int acknowledged = 0;
  int failed = 0;

 private:
  asio::awaitable<void> write(Session session, std::string sql) {
    if (co_await session.connect(seconds(5))) {
      const auto done = co_await session.query(std::move(sql), seconds(20));
      ++(done ? acknowledged : failed);
    }
  }
  static std::int64_t waiting_sessions(TestMember& m) {
    return m.admin("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync%wait_sessions'").number(0, "Value").value_or(0);
  }
  asio::io_context& io_;
  bool waiting_ = false;
};

TEST_P(Real, WritesThatWaitForAnAckerAreNeverAcknowledgedByBeingQuieted) {
  a_cluster();
  caught_up(a(), b());
  b().run(step::StopReceiver{});
  c().run(step::StopReceiver{});
  Waiters writers(io, a(), 16);
  ASSERT_TRUE(writers.waiting());
  EXPECT_FALSE(a().read().read_only) << "reads go on meanwhile";

  const Instant start = steady_now();
  auto quiet = a().try_run(step::KillClients{}, milliseconds(500));
  if (quiet) quiet = a().try_run(step::SetReadOnly{true}, milliseconds(500));
  const auto took = steady_now() - start;
  writers.turn(milliseconds(200));

  ASSERT_FALSE(quiet) << "commits wait; acknowledged meanwhile: " << writers.acknowledged;
  EXPECT_EQ(quiet.error().code, Errc::kTimeout) << quiet.error().message;
  EXPECT_LT(took, milliseconds(1500));
  EXPECT_EQ(writers.acknowledged, 0);
  a().kill9();  // the way out
  writers.turn(milliseconds(200));
  EXPECT_EQ(writers.acknowledged, 0);
}

// It is in the binlog of its primary, and MySQL does not show it as executed: who holds it is not errant.
TEST_P(Real, AReplicaThatHoldsACommitThatWaitsForItMayFollow) {
  a_cluster();
  caught_up(a(), b());
  for (TestMember* m : {&b(), &c()}) {
    m->run(step::StopReceiver{});
    m->run(step::SemiSyncReplica{false});
    m->run(step::StartReplication{});
  }
  const GtidSet before = a().read().executed;
  Waiters writer(io, a(), 1);
  ASSERT_TRUE(writer.waiting());
  ASSERT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return !before.contains(s.received); }));
  ASSERT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return !before.contains(s.executed); }));

  b().kill9();
  b().start();
  b().run(step::StopReceiver{});
  const ServerSnapshot source = a().read();

  if (mysql()) {
    EXPECT_EQ(source.executed, before);
    EXPECT_EQ(source.in_flight.count(), 1U) << source.in_flight.to_string();
    EXPECT_FALSE(b().try_run(step::RequireContainedIn{source.executed})) << "all that is said of the binlog is needed";
  } else {
    EXPECT_TRUE(source.in_flight.empty());
  }
  const auto contained = b().try_run(step::RequireContainedIn{source.executed.united(source.in_flight)});
  EXPECT_TRUE(contained) << contained.error().message;
  b().follow(a());
  EXPECT_TRUE(a().wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 1; }));
  writer.turn(seconds(1));
  EXPECT_EQ(writer.acknowledged, 0) << "what it held when it connected it acknowledges only with the next commit";
  (void)a().read();
  EXPECT_GE(a().ops->commits_waited(), 1U);
  const std::uint64_t counted = a().ops->commits_acknowledged();
  push_commits(a());
  writer.turn(milliseconds(100));
  EXPECT_EQ(writer.acknowledged, 1) << "the write waited for just that replica";
  EXPECT_TRUE(a().read().in_flight.empty());
  EXPECT_GE(a().ops->commits_acknowledged(), counted + 2) << "that write, and the one that pushed it";
  EXPECT_TRUE(a().read().executed.contains(source.in_flight));
  a().run(step::SetReadOnly{true});
  const GtidSet closed = a().read().executed;
  push_commits(a(), false);
  EXPECT_EQ(a().read().executed, closed) << "a server that is read-only gets no commit by that";
  a().kill9();
  writer.turn(milliseconds(100));
}

// Not what anybody wants, but what the servers do: why a primary is made quiet, or killed, and never just told to end. The
// day that this test fails, that rule may go.
TEST_P(Real, AShutdownAcknowledgesWritesThatNoAckerHas) {
  a_cluster();
  caught_up(a(), b());
  b().run(step::StopReceiver{});
  c().run(step::StopReceiver{});
  Waiters writers(io, a(), 16);
  ASSERT_TRUE(writers.waiting());

  ASSERT_EQ(::kill(a().process->pid(), SIGTERM), 0);
  const Instant start = steady_now();
  while (!a().process->try_wait() && steady_now() < start + seconds(5)) writers.turn(milliseconds(20));

  EXPECT_GT(writers.acknowledged + writers.failed, 0);
  fmt::print("{}: SIGTERM with 16 commits waiting: {} acknowledged\n", enum_text(GetParam()), writers.acknowledged);
}

TEST_P(Real, WhatAKilledReplicaKeepsOfItsRelayLog) {
  a_cluster();
  caught_up(a(), b());
  b().run(step::StopReplication{});
  b().run(step::StartReplication{});
  b().admin(mysql() ? "STOP REPLICA SQL_THREAD" : "STOP SLAVE SQL_THREAD");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(a().user(fmt::format("INSERT INTO d.t VALUES ({})", i)));
  const GtidSet sent = a().read().executed;
  ASSERT_TRUE(b().wait_for([&](const ServerSnapshot& s) { return s.received.contains(sent); }));
  EXPECT_FALSE(b().read().executed.contains(sent));

  b().kill9();
  b().start();

  const ServerSnapshot after = b().read();
  EXPECT_EQ(after.received.contains(sent), flavour(GetParam()).relay_log_survives()) << after.received.to_string();
  if (mysql()) {  // and it is applied before the source is changed, whoever asks
    b().run(step::SetSource{"127.0.0.1", c().port});
    EXPECT_TRUE(b().read().executed.contains(sent));
  } else {
    b().run(step::StartReplication{});
    caught_up(a(), b());
  }
}

// As a server leaves it that is killed in the middle of RESET REPLICA ALL or CHANGE REPLICATION SOURCE.
TEST_P(Real, AReplicaWhoseRelayLogIsGoneCanFollowAgain) {
  a_cluster();
  ASSERT_TRUE(a().user("INSERT INTO d.t VALUES (1)"));
  caught_up(a(), b());
  b().kill9();
  std::vector<std::filesystem::path> relay;
  for (const auto& entry : std::filesystem::directory_iterator(b().spec.layout.datadir)) {
    if (entry.path().filename().string().starts_with("relay.")) relay.push_back(entry.path());
  }
  ASSERT_FALSE(relay.empty());
  for (const auto& path : relay) std::filesystem::remove(path);
  b().start();

  const auto again = [&]() -> Status {
    MYSOS_TRY_VOID(b().try_run(step::SetSource{"127.0.0.1", a().port}));
    return b().try_run(step::StartReplication{});
  };
  Status done = again();
  EXPECT_FALSE(done) << "the server has learned to do without: this is not needed any more";
  if (!done) done = again();

  EXPECT_TRUE(done) << done.error().message;
  caught_up(a(), b());
}

TEST_P(Real, KillClientsEndsTheirSessionsAndLeavesReplicationAlone) {
  a_cluster();
  ASSERT_TRUE(a().wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 2; }));
  int ended = 0;
  for (const char* sql : {"SELECT SLEEP(30)", "INSERT INTO d.t SELECT 5000 + SLEEP(30)"}) {
    asio::co_spawn(
        io,
        [](Session session, std::string text, int& n) -> asio::awaitable<void> {
          if (co_await session.connect(seconds(5))) n += (co_await session.query(std::move(text), seconds(20))) ? 0 : 1;
        }(a().user_session(), sql, ended),
        [](const std::exception_ptr&) {});
  }
  const Instant until = steady_now() + seconds(10);
  const auto sleeping = [&] {
    return a().admin("SELECT COUNT(*) AS n FROM information_schema.processlist WHERE Info LIKE '%SLEEP(30)' AND User='shop'")
               .number(0, "n") == 2;
  };
  while (!sleeping() && steady_now() < until) {
    io.restart();
    io.run_for(milliseconds(5));
  }

  a().run(step::KillClients{}, seconds(5));

  while (ended < 2 && steady_now() < until) {
    io.restart();
    io.run_for(milliseconds(5));
  }
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(a().read().semi_sync_clients, 2U);
  ASSERT_TRUE(a().user("INSERT INTO d.t VALUES (1)")) << "commits go on";
  caught_up(a(), c());
}

TEST_P(Real, EachStepOfAPromotionInTime) {
  a_cluster();
  ASSERT_TRUE(a().user("INSERT INTO d.t VALUES (1)"));
  caught_up(a(), b());
  a().kill9();
  (void)b().read();
  std::string line = fmt::format("{} steps, ms:", enum_text(GetParam()));
  const auto timed = [&](std::string_view name, const std::function<void()>& what) {
    const Instant start = steady_now();
    what();
    line += fmt::format(" {} {:.1f}", name, static_cast<double>((steady_now() - start).count()) / 1000.0);
  };
  timed("read", [&] { (void)b().read(); });
  timed("stop-receiver", [&] { b().run(step::StopReceiver{}); });
  timed("require", [&] { b().run(step::RequireExecuted{}); });
  timed("stop-replication", [&] { b().run(step::StopReplication{}); });
  timed("semi-replica-off", [&] { b().run(step::SemiSyncReplica{false}); });
  timed("forget", [&] { b().run(step::ForgetSource{}); });
  timed("shut-out", [&] { b().run(step::ShutOut{{a().id, c().id}, {a().id}}); });
  timed("semi-source", [&] { b().run(step::SemiSyncSource{1}); });
  timed("open", [&] { b().run(step::SetReadOnly{false}); });
  timed("other:stop-receiver", [&] { c().run(step::StopReceiver{}); });
  timed("other:set-source", [&] { c().run(step::SetSource{"127.0.0.1", b().port}); });
  timed("other:start", [&] { c().run(step::StartReplication{}); });
  timed("first-write", [&] { EXPECT_TRUE(b().user("INSERT INTO d.t VALUES (2)", seconds(10))); });
  fmt::print("{}\n", line);
}

TEST_P(Real, AnErrantMemberIsNotLetIn) {
  a_cluster();
  c().run(step::StopReplication{});
  c().run(step::ForgetSource{});
  c().run(step::SetReadOnly{false});
  c().admin("CREATE DATABASE mine");
  c().run(step::SetReadOnly{true});

  const auto no = c().try_run(step::RequireContainedIn{a().read().executed});

  ASSERT_FALSE(no);
  EXPECT_EQ(no.error().code, Errc::kConflict);
  EXPECT_NE(no.error().message.find("the source lacks"), std::string::npos) << no.error().message;
}

// Under a memory cgroup of v1 or v2, where this process may make one.
class Cgroup {
 public:
  explicit Cgroup(Bytes limit) {
    const std::string v1 = "/sys/fs/cgroup/memory", v2 = "/sys/fs/cgroup";
    const bool old = path_exists(v1 + "/memory.limit_in_bytes");
    const std::string dir = fmt::format("{}/mysos-real-{}", old ? v1 : v2, ::getpid());
    if (::mkdir(dir.c_str(), 0755) != 0) return;
    dir_ = dir;
    std::ofstream out(dir + (old ? "/memory.limit_in_bytes" : "/memory.max"));
    out << limit.value << std::flush;
    usable = static_cast<bool>(out);
    peak_file = dir + (old ? "/memory.max_usage_in_bytes" : "/memory.peak");
  }
  ~Cgroup() {
    if (!dir_.empty()) ::rmdir(dir_.c_str());
  }
  [[nodiscard]] std::string procs() const { return dir_ + "/cgroup.procs"; }
  bool usable = false;
  std::string peak_file;

 private:
  std::string dir_;
};

TEST_P(Real, AServerStartsAndServesInTheLeastMemory) {
  const Bytes least = min_memory(GetParam());
  Cgroup group(least);
  if (!group.usable) GTEST_SKIP() << "no memory cgroup can be made here (root and a writable /sys/fs/cgroup are needed)";
  members_.push_back(std::make_unique<TestMember>(io, GetParam(), 0));
  TestMember& m = *members_.back();
  m.make_and_start(least, {group.procs()});
  ASSERT_TRUE(m.ops);
  m.promote(0, {});
  ensure_user(m);
  ASSERT_TRUE(m.user("CREATE DATABASE d"));
  ASSERT_TRUE(m.user("CREATE TABLE d.t (i INT PRIMARY KEY AUTO_INCREMENT, pad VARCHAR(4000))"));
  ASSERT_TRUE(m.user("INSERT INTO d.t (pad) VALUES (REPEAT('x', 4000))"));
  for (int i = 0; i < 16; ++i) {
    const auto grown = m.user("INSERT INTO d.t (pad) SELECT pad FROM d.t LIMIT 8000", seconds(60));
    ASSERT_TRUE(grown) << grown.error().message << m.process->last_words();
  }
  std::ifstream rss(fmt::format("/proc/{}/status", m.process->pid()));
  for (std::string line; std::getline(rss, line);) {
    if (!line.starts_with("VmHWM")) continue;
    fmt::print("{} in {}: {}\n", enum_text(GetParam()), to_string(least), line);
  }
  m.stop();
  members_.clear();
}

}  // namespace
}  // namespace mysos::mysql
