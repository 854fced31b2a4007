// SPDX-License-Identifier: Apache-2.0
// The events of clients (CREATE EVENT) on real servers of both flavours: they run on the primary, after each change of it, as
// their owners left them.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "mysql/real_servers.h"
#include "mysql/server_events.h"

namespace mysos::mysql {
namespace {

using std::chrono::seconds;

class RealEvents : public testing::TestWithParam<FlavourKind> {
 protected:
  struct Server {
    Server(asio::io_context& io, FlavourKind kind, int index) : member(io, kind, index) {
      member.make_and_start();
      if (!member.ops) throw std::runtime_error("the server did not start");
      begin(io);
    }
    void begin(asio::io_context& io) {
      events = std::make_unique<ServerEvents>(
          io.get_executor(), ServerOpsConfig{.flavour = member.spec.distribution.kind,
                                             .admin = admin_target(member.spec.layout, kTestSecrets),
                                             .member = member.id,
                                             .secrets = kTestSecrets});
    }
    TestMember member;
    std::unique_ptr<ServerEvents> events;
  };
  Server& add() {
    servers_.push_back(std::make_unique<Server>(io_, GetParam(), static_cast<int>(servers_.size())));
    return *servers_.back();
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
  void works(asio::awaitable<Status> task) {
    const Status done = run(std::move(task));
    ASSERT_TRUE(done) << done.error().message;
  }
  void open(Server& s, const std::vector<TestMember*>& replicas, std::uint32_t d) {
    s.member.promote(d, replicas);
    works(s.events->start(seconds(10)));
  }
  void sql(Server& s, const std::string& statement) {
    const auto done = s.member.user(statement);
    ASSERT_TRUE(done) << statement << ": " << done.error().message;
  }
  // The event inserts its name and the server's id, each second.
  void make_event(Server& s, const std::string& name, const std::string& schedule = "EVERY 1 SECOND",
                  const std::string& status = "") {
    sql(s, fmt::format("CREATE EVENT d.{} ON SCHEDULE {} {} DO INSERT INTO d.log VALUES ('{}', @@server_id)", name, schedule,
                       status, name));
  }
  static std::int64_t runs(Server& at, const std::string& name, const Server& by) {
    const Rows rows = at.member.admin(
        fmt::format("SELECT COUNT(*) AS n FROM d.log WHERE e='{}' AND server={}", name, by.member.spec.server_id));
    return rows.number(0, "n").value_or(-1);
  }
  static bool runs_soon(Server& at, const std::string& name) {
    const std::int64_t before = runs(at, name, at);
    const Instant until = steady_now() + seconds(20);
    while (steady_now() < until) {
      if (runs(at, name, at) > before) return true;
      ::usleep(50'000);
    }
    return false;
  }
  static void caught_up(Server& with, Server& who) {
    const GtidSet all = with.member.read().executed;
    ASSERT_TRUE(who.member.wait_for([&](const ServerSnapshot& s) { return s.executed.contains(all); }))
        << who.member.read().last_error;
  }
  std::string status(Server& at, const std::string& event) {
    return at.member.admin("SELECT STATUS AS s FROM information_schema.events WHERE EVENT_NAME='" + event + "'").text(0, "s");
  }

  asio::io_context io_;
  std::vector<std::unique_ptr<Server>> servers_;
};
INSTANTIATE_TEST_SUITE_P(Flavours, RealEvents, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(RealEvents, RunOnThePrimaryOnlyAndAfterAFailoverOnTheNextAsTheirOwnersLeftThem) {
  Server& a = add();
  Server& b = add();
  open(a, {&b.member}, 1);
  b.member.follow(a.member);
  ASSERT_TRUE(a.member.wait_for([](const ServerSnapshot& s) { return s.semi_sync_clients == 1; }));
  works(a.member.ops->ensure_user(seconds(10)));
  sql(a, "CREATE DATABASE d");
  sql(a, "CREATE TABLE d.log (e VARCHAR(20), server INT)");
  make_event(a, "on_before");
  make_event(a, "off_at_birth", "EVERY 1 SECOND", "DISABLE");
  make_event(a, "off_later");
  sql(a, "ALTER EVENT d.off_later DISABLE");
  make_event(a, "on_again", "EVERY 1 SECOND", "DISABLE");
  works(a.events->record(seconds(10)));
  sql(a, "ALTER EVENT d.on_again ENABLE");
  make_event(a, "altered", "EVERY 1 SECOND", "DISABLE");
  sql(a, "ALTER EVENT d.altered COMMENT 'still disabled'");
  works(a.events->record(seconds(10)));
  const GtidSet recorded = a.member.read().executed;
  ASSERT_TRUE(runs_soon(a, "on_before"));
  caught_up(a, b);
  EXPECT_EQ(b.member.admin("SELECT @@GLOBAL.event_scheduler AS s").text(0, "s"), "OFF");
  EXPECT_FALSE(run(b.events->start(seconds(10)))) << "a replica is read-only";

  a.events->close();
  a.member.kill9();
  open(b, {&a.member}, 0);

  const GtidSet after_start = b.member.read().executed;
  EXPECT_TRUE(runs_soon(b, "on_before"));
  EXPECT_TRUE(runs_soon(b, "on_again"));
  works(b.events->record(seconds(10)));
  for (const char* off : {"off_at_birth", "off_later", "altered"}) {
    EXPECT_EQ(runs(b, off, b), 0) << off;
    EXPECT_EQ(status(b, off), "DISABLED") << off;
  }
  EXPECT_TRUE(after_start.contains(recorded));
  const Rows definer = b.member.admin("SELECT DISTINCT DEFINER AS d FROM information_schema.events");
  ASSERT_EQ(definer.size(), 1U);
  EXPECT_EQ(definer.text(0, "d"), kTestSecrets.user + "@%");
  EXPECT_FALSE(b.member.user("DELETE FROM mysql.mysos_disabled_events")) << "it is not the user's";

  // The former primary comes back: what was disabled there meanwhile stays so, and it runs nothing.
  sql(b, "ALTER EVENT d.on_before DISABLE");
  works(b.events->record(seconds(10)));
  a.member.start();
  a.begin(io_);
  a.member.run(step::SetReadOnly{true});
  a.member.follow(b.member);
  caught_up(b, a);
  b.member.run(step::KillClients{});
  EXPECT_EQ(b.member.admin("SELECT @@GLOBAL.event_scheduler AS s").text(0, "s"), "OFF") << "a demoted primary runs none";
  b.member.run(step::SetReadOnly{true});
  caught_up(b, a);
  open(a, {&b.member}, 0);
  EXPECT_TRUE(runs_soon(a, "on_again"));
  EXPECT_EQ(status(a, "on_before"), "DISABLED");
  EXPECT_EQ(status(a, "off_later"), "DISABLED");
}

TEST_P(RealEvents, EnablingWritesNothingToTheBinlogAndAServerWithoutEventsGetsNoTable) {
  Server& a = add();

  open(a, {}, 0);
  works(a.events->record(seconds(10)));

  EXPECT_TRUE(a.member.read().executed.empty()) << a.member.read().executed.to_string();
  EXPECT_TRUE(a.member.ops->events_on());
  works(a.events->stop(seconds(10)));
  (void)a.member.read();
  EXPECT_FALSE(a.member.ops->events_on());
}

// A MariaDB server writes the DROP EVENT of one that has run for the last time even while it is read-only.
TEST_P(RealEvents, ADemotedPrimaryWritesNothingOfAnEventThatIsDue) {
  Server& a = add();
  open(a, {}, 0);
  works(a.member.ops->ensure_user(seconds(10)));
  sql(a, "CREATE DATABASE d");
  sql(a, "CREATE TABLE d.log (e VARCHAR(20), server INT)");
  make_event(a, "once", "AT NOW() + INTERVAL 2 SECOND");

  a.member.run(step::KillClients{});
  a.member.run(step::SetReadOnly{true});
  const GtidSet then = a.member.read().executed;
  EXPECT_FALSE(a.member.wait_for([&](const ServerSnapshot& s) { return s.executed != then; }, seconds(4)));

  EXPECT_EQ(status(a, "once"), "ENABLED");
  a.member.run(step::SetReadOnly{false});
  works(a.events->start(seconds(10)));
  const Instant until = steady_now() + seconds(20);
  while (runs(a, "once", a) == 0 && steady_now() < until) ::usleep(50'000);
  EXPECT_EQ(runs(a, "once", a), 1) << "late, but once";
}

}  // namespace
}  // namespace mysos::mysql
