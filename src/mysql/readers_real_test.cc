// SPDX-License-Identifier: Apache-2.0
// On real servers: users' sessions that keep a replica's applier waiting, and a replica that is told to follow whom it follows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "mysql/replicating_pair.h"

namespace mysos::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Readers : public ReplicatingPair {
 protected:
  void SetUp() override {
    ReplicatingPair::SetUp();
    if (HasFatalFailure()) return;
    at_primary("CREATE TABLE d.t (i INT PRIMARY KEY, v INT)");
    at_primary("INSERT INTO d.t VALUES (1, 1), (2, 2)");
    caught_up();
  }
  // A session of the user on the replica that has done this, and says nothing more.
  Session reader(const std::vector<std::string>& statements) {
    Session session = b.user_session();
    EXPECT_TRUE(await(session.connect(seconds(5))));
    for (const std::string& s : statements) {
      const auto done = await(session.query(s, seconds(5)));
      EXPECT_TRUE(done) << s << ": " << (done ? "" : done.error().message);
    }
    return session;
  }
  // Written at the primary: the replica has it, and cannot execute it.
  void write_and_block(const std::string& statement) {
    ASSERT_TRUE(a.user(statement, seconds(10)));
    sent = a.read().executed;
    ASSERT_TRUE(b.wait_for([&](const ServerSnapshot& s) { return s.received.contains(sent); }));
    const Instant until = steady_now() + milliseconds(300);
    while (steady_now() < until) ASSERT_FALSE(b.read().executed.contains(sent)) << "nothing blocks it";
  }
  std::string end_readers() {
    auto ended = await(b.ops->end_readers(milliseconds(50), seconds(5)));
    EXPECT_TRUE(ended) << (ended ? "" : ended.error().message);
    return ended.value_or(ApplierLook{}).ended;
  }
  bool alive(Session& session) { return await(session.query("SELECT 1", seconds(5))).has_value(); }

  GtidSet sent;
};
INSTANTIATE_TEST_SUITE_P(Flavours, Readers, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

TEST_P(Readers, ThatBlockTheApplierAreEndedAndNamedAndOthersGoOn) {
  Session idle = reader({"SELECT 1"});
  Session blocker = reader({"BEGIN", "SELECT * FROM d.t"});
  write_and_block("ALTER TABLE d.t ADD COLUMN w INT");

  const std::string ended = end_readers();

  EXPECT_TRUE(ended.starts_with("shop@127.0.0.1:")) << ended;
  EXPECT_NE(ended.find("s in a transaction) was ended: the applier waited for a table metadata lock"), std::string::npos)
      << ended;
  caught_up();
  EXPECT_FALSE(alive(blocker));
  EXPECT_TRUE(alive(idle)) << "it was in nobody's way";
}

TEST_P(Readers, AreLeftAloneWhereTheApplierWaitsForNobody) {
  Session open = reader({"BEGIN", "SELECT * FROM d.t"});
  EXPECT_EQ(end_readers(), "");
  EXPECT_TRUE(alive(open));
}

// It may have been promoted since its executor thought of it.
TEST_P(Readers, OfAServerThatIsOpenAreClients) {
  Session blocker = reader({"BEGIN", "SELECT * FROM d.t"});
  write_and_block("ALTER TABLE d.t ADD COLUMN w INT");
  b.run(step::SetReadOnly{false});
  EXPECT_EQ(end_readers(), "");
  EXPECT_TRUE(alive(blocker));
  blocker.close();
}

// No server says who holds it.
TEST_P(Readers, WithLockedTablesAreEndedToo) {
  Session blocker = reader({"LOCK TABLES d.t READ"});
  write_and_block("INSERT INTO d.t (i) VALUES (3)");
  EXPECT_NE(end_readers().find("was ended"), std::string::npos);
  caught_up();
  EXPECT_FALSE(alive(blocker));
}

TEST_P(Readers, WithRowLocksAreEndedAndThoseWithoutAreNot) {
  Session harmless = reader({"BEGIN", "SELECT * FROM d.t WHERE i = 1"});
  Session blocker = reader({"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "BEGIN", "SELECT * FROM d.t WHERE i = 2"});
  write_and_block("UPDATE d.t SET v = 3 WHERE i = 2");
  EXPECT_NE(end_readers().find("a row lock"), std::string::npos);
  caught_up();
  EXPECT_FALSE(alive(blocker));
  EXPECT_TRUE(alive(harmless));
}

// It would stop the applier, and every step, without a transaction or a table that shows who holds it.
TEST_P(Readers, MayNotTakeAGlobalReadLock) {
  Session session = reader({});
  EXPECT_FALSE(await(session.query("FLUSH TABLES WITH READ LOCK", seconds(5))));
  EXPECT_FALSE(await(session.query("LOCK INSTANCE FOR BACKUP", seconds(5))));
}

TEST_P(Readers, ThatAreIdleInATransactionForTooLongAreEnded) {
  Session quiet = reader({"SELECT 1"});
  Session forgotten = reader({"BEGIN", "SELECT * FROM d.t"});
  EXPECT_EQ(await(b.ops->end_idle_readers(seconds(60), seconds(5))).value(), "");
  std::string ended;
  for (const Instant until = steady_now() + seconds(20); ended.empty() && steady_now() < until;) {
    ended = await(b.ops->end_idle_readers(seconds(1), seconds(5))).value();
    await([]() -> asio::awaitable<Status> {
      co_await sleep_for(milliseconds(200));
      co_return Status{};
    }());
  }
  EXPECT_NE(ended.find("may be idle for 1 s"), std::string::npos) << ended;
  EXPECT_FALSE(alive(forgotten));
  EXPECT_TRUE(alive(quiet));
}

// As after a switchover that was given up. Its applier is in the middle of something long, and may go on with it.
TEST_P(Readers, ThatBlockTheApplierDoNotKeepAReplicaFromFollowingWhomItFollowed) {
  Session blocker = reader({"LOCK TABLES d.t READ"});
  write_and_block("INSERT INTO d.t (i) VALUES (3)");

  b.run(step::StopReceiver{});
  b.run(step::SemiSyncReplica{true});
  b.run(step::SetSource{"127.0.0.1", a.port}, seconds(2));
  b.run(step::StartReplication{});

  ASSERT_TRUE(a.user("INSERT INTO d.t (i) VALUES (4)", seconds(10))) << "it acknowledges";
  EXPECT_TRUE(b.read().applier_running);
  EXPECT_FALSE(b.read().executed.contains(sent));
  blocker.close();
  caught_up();
  EXPECT_EQ(b.read().last_error, "");
  const auto all_rows = [&](const ServerSnapshot&) {
    return b.user("SELECT COUNT(*) FROM d.t")->text(0, std::size_t{0}) == "4";
  };
  EXPECT_TRUE(b.wait_for(all_rows));
}

// The receiver is stopped in the middle of a transaction; its source sends that again, and the applier goes on meanwhile.
TEST_P(Readers, AReplicaThatReceivedHalfATransactionFollowsTheSameSourceAgain) {
  ASSERT_TRUE(a.user("CREATE TABLE d.big (i INT AUTO_INCREMENT PRIMARY KEY, pad LONGTEXT)"));
  ASSERT_TRUE(a.user("INSERT INTO d.big (pad) VALUES (REPEAT('x', 500000))"));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(a.user("INSERT INTO d.big (pad) SELECT pad FROM d.big", seconds(30)));
  caught_up();
  const std::uint64_t at = b.read().heard.position.offset;
  Session writer = a.user_session();
  ASSERT_TRUE(await(writer.connect(seconds(5))));
  std::optional<bool> written;
  asio::co_spawn(
      io, [&]() -> asio::awaitable<void> {
        written = (co_await writer.query("INSERT INTO d.big (pad) SELECT pad FROM d.big", seconds(60))).has_value();
      },
      [](const std::exception_ptr&) {});
  ASSERT_TRUE(b.wait_for([&](const ServerSnapshot& s) { return s.heard.position.offset > at + 1'000'000; }));
  b.run(step::StopReceiver{});
  EXPECT_FALSE(written) << "it was faster than the test";

  b.run(step::SetSource{"127.0.0.1", a.port});
  b.run(step::StartReplication{});

  ASSERT_TRUE(a.wait_for([&](const ServerSnapshot&) { return written.has_value(); }, seconds(60)));
  EXPECT_TRUE(*written);
  caught_up();
  EXPECT_EQ(b.read().last_error, "");
  const auto all_rows = [&](const ServerSnapshot&) {  // MariaDB says that it has executed what can be seen a moment later
    return b.user("SELECT COUNT(*) FROM d.big")->text(0, std::size_t{0}) == "64";
  };
  EXPECT_TRUE(b.wait_for(all_rows));
}

}  // namespace
}  // namespace mysos::mysql
