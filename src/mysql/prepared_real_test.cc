// SPDX-License-Identifier: Apache-2.0
// On real servers: XA transactions that are prepared on a replica and have no session, and an applier that waits for them.
#include <gtest/gtest.h>

#include "base/clock.h"
#include "mysql/replicating_pair.h"

namespace mysos::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PreparedOnReplica : public ReplicatingPair {
 protected:
  void SetUp() override {
    ReplicatingPair::SetUp();
    if (HasFatalFailure()) return;
    for (const char* sql : {"CREATE TABLE d.t (i INT PRIMARY KEY, v INT)", "INSERT INTO d.t VALUES (1, 1), (2, 2)",
                            "CREATE TABLE d.n (k INT, v INT)",  // no primary key
                            "INSERT INTO d.n VALUES (1, 1), (2, 2)"}) {
      at_primary(sql);
    }
    caught_up();
  }
  bool does(Session& session, const std::string& statement) {
    const auto done = await(session.query(statement, seconds(10)));
    EXPECT_TRUE(done) << statement << ": " << (done ? "" : done.error().message);
    return done.has_value();
  }
  // Prepares an XA transaction in a session that ends then.
  void prepare(TestMember& on, const std::string& xid, const std::string& statement) {
    Session session = on.user_session();
    ASSERT_TRUE(await(session.connect(seconds(5))));
    const std::string isolation = &on == &a ? "READ COMMITTED" : "SERIALIZABLE";
    for (const std::string& s : {"SET SESSION TRANSACTION ISOLATION LEVEL " + isolation, "XA START '" + xid + "'", statement,
                                 "XA END '" + xid + "'", "XA PREPARE '" + xid + "'"}) {
      ASSERT_TRUE(does(session, s));
    }
    session.close();
  }
  void write(const std::string& statement) {
    Session session = a.user_session();
    ASSERT_TRUE(await(session.connect(seconds(5))));
    ASSERT_TRUE(does(session, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"));
    ASSERT_TRUE(does(session, statement));
  }
  // Looks until the applier waits for nothing, or one look says `until`.
  ApplierLook look(const std::function<bool(const ApplierLook&)>& until) {
    ApplierLook seen;
    for (const Instant end = steady_now() + seconds(20); steady_now() < end;) {
      const auto looked = await(b.ops->end_readers(milliseconds(50), seconds(5)));
      EXPECT_TRUE(looked) << (looked ? "" : looked.error().message);
      seen = looked.value_or(ApplierLook{});
      if (until(seen)) return seen;
    }
    ADD_FAILURE() << "it was never seen; last: '" << seen.ended << "', '" << seen.does << "', '" << seen.waits_for << "'";
    return seen;
  }
  // MariaDB counts an XA PREPARE and an XA COMMIT as executed a moment before the replica shows what they did.
  void shows_soon(const std::function<std::string()>& what, const std::string& wanted) {
    const Instant end = steady_now() + seconds(20);
    while (what() != wanted && steady_now() < end) continue;
    EXPECT_EQ(what(), wanted);
  }
  void prepare_replicated(const std::string& statement) {
    prepare(a, "rep", statement);
    caught_up();
    shows_soon([&] { return prepared_on(b); }, "'rep'");
  }
  std::string prepared_on(TestMember& m) { return shown(prepared_xids(m.admin(flavour(GetParam()).list_prepared()))); }
};
INSTANTIATE_TEST_SUITE_P(Flavours, PreparedOnReplica, testing::Values(FlavourKind::kMysql, FlavourKind::kMariadb),
                         [](const auto& i) { return std::string(enum_text(i.param)); });

// MariaDB rolls it back with its session.
TEST_P(PreparedOnReplica, AUsersOwnHoldsUpNoApplierAndLeavesNoTrace) {
  Session idle = b.user_session();
  ASSERT_TRUE(await(idle.connect(seconds(5))) && does(idle, "SELECT 1"));
  prepare(b, "loc", "SELECT * FROM d.t WHERE i = 1");
  ASSERT_TRUE(a.user("ALTER TABLE d.t ADD COLUMN w INT", seconds(10)));

  if (mysql()) {
    const ApplierLook seen = look([](const ApplierLook& l) { return !l.ended.empty(); });
    EXPECT_EQ(seen.ended, "prepared XA transaction(s) 'loc' of users of this replica were rolled back: the applier waited for "
                          "a table metadata lock");
  }
  caught_up();
  EXPECT_TRUE(a.read().executed.contains(b.read().executed)) << "nothing was written on the replica";
  EXPECT_TRUE(does(idle, "SELECT 1")) << "it was in nobody's way";
}

TEST_P(PreparedOnReplica, TheReplicatedOnesAreToldFromUsersAndStay) {
  prepare_replicated("UPDATE d.n SET v = 5 WHERE k = 1");
  prepare(b, "loc", "SELECT * FROM d.t WHERE i = 1");
  ASSERT_TRUE(a.user("ALTER TABLE d.t ADD COLUMN w INT", seconds(10)));

  if (mysql()) {
    const ApplierLook seen = look([](const ApplierLook& l) { return !l.ended.empty(); });
    EXPECT_NE(seen.ended.find("transaction(s) 'loc' of users"), std::string::npos) << seen.ended;
  }
  caught_up();
  EXPECT_NE(prepared_on(b).find("'rep'"), std::string::npos);
  ASSERT_TRUE(a.user("XA COMMIT 'rep'"));
  caught_up();
  shows_soon([&] { return std::string(b.user("SELECT v FROM d.n WHERE k = 1")->text(0, std::size_t{0})); }, "5");
}

// The transaction waits for a row that the prepared one before it has locked, and the XA COMMIT comes after it.
TEST_P(PreparedOnReplica, AReplicatedOneThatTheApplierWaitsForIsNamedAndNobodyIsEnded) {
  Session idle = b.user_session();
  ASSERT_TRUE(await(idle.connect(seconds(5))));
  ASSERT_TRUE(does(idle, "BEGIN") && does(idle, "SELECT * FROM d.t"));
  prepare(a, "a1", "UPDATE d.n SET v = 5 WHERE k = 1");
  write("UPDATE d.n SET v = 6 WHERE k = 2");
  ASSERT_TRUE(a.user("XA COMMIT 'a1'"));
  const GtidSet all = a.read().executed;
  ASSERT_TRUE(b.wait_for([&](const ServerSnapshot& s) { return s.received.contains(all); }));

  const ApplierLook seen = look([](const ApplierLook& l) { return !l.waits_for.empty(); });

  EXPECT_EQ(seen.waits_for, "a row lock that no session holds; prepared XA transactions there: 'a1'");
  EXPECT_EQ(seen.ended, "");
  EXPECT_TRUE(does(idle, "SELECT 1"));
  EXPECT_TRUE(b.read().applier_running);
  EXPECT_FALSE(b.read().executed.contains(all));

  // As where its relay log is given up: it ends in time.
  b.run(step::StopReceiver{});
  b.run(step::StopReplication{}, seconds(5));
  EXPECT_FALSE(b.read().applier_running);
  b.run(step::AbandonRelayLog{});
  EXPECT_EQ(b.read().receiver_host, "");
  b.run(step::SetReadOnly{false});
  b.admin("CREATE TABLE d.opened (i INT PRIMARY KEY)");
}

TEST_P(PreparedOnReplica, AUserWhoEndsAReplicatedOneHasWrittenOnTheReplica) {
  prepare_replicated("UPDATE d.n SET v = 5 WHERE k = 1");
  const auto ended = b.user("XA ROLLBACK 'rep'");
  const ServerSnapshot seen = b.read();
  const GtidSet extra = seen.executed.minus(a.read().executed);
  EXPECT_EQ(ended.has_value(), mysql()) << "MariaDB refuses it on a read-only server";
  if (!mysql()) {
    EXPECT_TRUE(extra.empty()) << extra.to_string();
    return;
  }
  ASSERT_EQ(extra.sources().size(), 1U) << "so it is noticed like any transaction of a replica's own";
  EXPECT_EQ(extra.sources().begin()->first, seen.gtid_source);
}

}  // namespace
}  // namespace mysos::mysql
