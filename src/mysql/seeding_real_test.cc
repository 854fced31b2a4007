// SPDX-License-Identifier: Apache-2.0
// A member seeded from a replica, on real servers of both flavours: as the executors do it, without their network.
#include <gtest/gtest.h>

#include <csignal>

#include "base/fs.h"
#include "mysql/real_servers.h"
#include "mysql/seeding.h"

namespace mysos::mysql {
namespace {

using std::chrono::seconds;

class Seeding : public testing::TestWithParam<FlavourKind> {
 protected:
  Seeding() { std::signal(SIGPIPE, SIG_IGN); }
  TestMember& add() {
    members_.push_back(std::make_unique<TestMember>(io_, GetParam(), static_cast<int>(members_.size())));
    members_.back()->make_and_start();
    if (!members_.back()->ops) throw std::runtime_error("the server did not start");
    return *members_.back();
  }
  Status run(asio::awaitable<Status> task) {
    std::optional<Status> out;
    asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& e, Status s) {
      if (e) std::rethrow_exception(e);
      out = std::move(s);
    });
    io_.restart();
    while (!out) io_.run_one();
    return *out;
  }
  Status begin(const SeedSpec& seed) {
    return run([](SeedSpec spec) -> asio::awaitable<Status> {
      co_await end_old_seeding(spec);
      co_return begin_seed(spec);
    }(seed));
  }
  static SeedSpec seed_of(const TestMember& m) {
    return {.server = m.spec, .cache_dir = test_root() + "/templates", .secrets = kTestSecrets};
  }
  asio::awaitable<Status> copy(TestMember& from, SeedSpec to) {
    if (GetParam() == FlavourKind::kMysql) {
      co_return co_await clone_from(to, {"127.0.0.1", from.port}, [this](Bytes done) { seen_ = done; });
    }
    const auto executor = co_await asio::this_coro::executor;
    MYSOS_CO_TRY(const ServerSnapshot before, co_await from.ops->read(seconds(10)));
    MYSOS_CO_TRY(Snapshot snapshot, Snapshot::begin(executor, from.spec, kTestSecrets));
    MYSOS_CO_TRY(SnapshotReceiver receiver, SnapshotReceiver::begin(executor, to));
    for (;;) {
      MYSOS_CO_TRY(std::string bytes, co_await snapshot.read_some(kSeedSilence));
      if (bytes.empty()) break;
      MYSOS_CO_TRY_VOID(co_await receiver.write(std::move(bytes), kSeedSilence));
    }
    MYSOS_CO_TRY_VOID(co_await receiver.finish());
    seen_ = seeded_bytes(to);
    co_return co_await prepare_snapshot(to, before.executed);
  }
  static void caught_up(TestMember& with, TestMember& who) {
    const GtidSet all = with.read().executed;
    EXPECT_TRUE(who.wait_for([&](const ServerSnapshot& s) { return s.executed.contains(all); }))
        << who.read().executed.to_string() << " lacks some of " << all.to_string() << ": " << who.read().last_error;
  }

  asio::io_context io_;
  Bytes seen_{};
  std::vector<std::unique_ptr<TestMember>> members_;
};
INSTANTIATE_TEST_SUITE_P(Flavours, Seeding, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(Seeding, ACopyOfAReplicaFollowsWhereTheBinlogIsGoneAndServesOthersLater) {
  TestMember &a = add(), &b = add(), &c = add();
  a.promote(0, {&b, &c});
  a.admin("CREATE DATABASE d");
  a.admin("CREATE TABLE d.t (i INT PRIMARY KEY)");
  a.admin("INSERT INTO d.t VALUES (1)");
  b.follow(a, false);
  caught_up(a, b);
  b.promote(0, {&a, &c});  // two have written by now: both are named in the set
  b.admin("INSERT INTO d.t VALUES (2)");
  a.run(step::SetReadOnly{true});
  a.follow(b, false);
  caught_up(b, a);
  b.admin("FLUSH BINARY LOGS");
  const bool mysql = GetParam() == FlavourKind::kMysql;
  const Rows logs = b.admin("SHOW BINARY LOGS");
  b.admin("PURGE BINARY LOGS TO '" + logs.text(logs.size() - 1, "Log_name") + "'");
  c.stop();

  const SeedSpec seed = seed_of(c);
  ASSERT_TRUE(begin(seed));
  const Status copied = run(copy(a, seed));
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_GT(seen_.value, mib(1).value);
  ASSERT_TRUE(finish_seed(seed));
  EXPECT_FALSE(path_exists(c.spec.layout.dir + "/seed"));
  c.start();

  const ServerSnapshot fresh = c.read();
  EXPECT_EQ(fresh.executed, a.read().executed);
  EXPECT_EQ(fresh.received, fresh.executed);
  EXPECT_TRUE(fresh.read_only);
  EXPECT_FALSE(fresh.receiver_running);
  EXPECT_FALSE(c.wait_for([](const ServerSnapshot& s) { return s.binlog_complete; }, seconds(0)));
  c.run(step::RequireContainedIn{b.read().executed});
  if (mysql) {
    EXPECT_NE(c.admin("SELECT @@server_uuid").text(0, std::size_t{0}), a.admin("SELECT @@server_uuid").text(0, std::size_t{0}));
  }
  c.follow(b, false);
  b.admin("INSERT INTO d.t VALUES (3)");
  caught_up(b, c);
  EXPECT_EQ(c.admin("SELECT SUM(i) AS s FROM d.t").text(0, "s"), "6");

  c.promote(0, {&a, &b});
  c.admin("INSERT INTO d.t VALUES (4)");
  caught_up(b, a);
  a.follow(c, false);
  caught_up(c, a);
}

TEST_P(Seeding, ADonorThatDiesIsAFailureAndTheNextBeginsAnew) {
  TestMember &a = add(), &b = add();
  a.promote(0, {&b});
  b.stop();
  const SeedSpec seed = seed_of(b);
  ASSERT_TRUE(begin(seed));
  a.kill9();

  const auto failed = run([&]() -> asio::awaitable<Status> {
    if (GetParam() == FlavourKind::kMysql) co_return co_await clone_from(seed, {"127.0.0.1", a.port}, [](Bytes) {});
    MYSOS_CO_TRY(Snapshot snapshot, Snapshot::begin(co_await asio::this_coro::executor, a.spec, kTestSecrets));
    for (;;) {
      MYSOS_CO_TRY(const std::string bytes, co_await snapshot.read_some(seconds(20)));
      if (bytes.empty()) co_return Status{};
    }
  }());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message.find(backup_password(kTestSecrets)), std::string::npos);
  EXPECT_TRUE(path_exists(b.spec.layout.datadir));  // nothing is thrown away for a copy that is not there

  a.start();
  ASSERT_TRUE(begin(seed));
  ASSERT_TRUE(run(copy(a, seed)));
  ASSERT_TRUE(finish_seed(seed));
  b.start();
  EXPECT_TRUE(b.read().read_only);
}

}  // namespace
}  // namespace mysos::mysql
