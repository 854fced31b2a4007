// SPDX-License-Identifier: Apache-2.0
// When an executor looks whether users' sessions are in the applier's way.
#include <vector>

#include "core/member/test_executor.h"

namespace mysos {
namespace {

namespace in = member_input;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// A replica that is looked at as its shell does: five times a second.
class Replica : public TestExecutor {
 public:
  explicit Replica(Duration idle_limit = Duration::zero(), bool kill_is_safe = true)
      : TestExecutor(config(idle_limit, kill_is_safe)) {
    now = Instant(seconds(100));
    start("a");
  }
  static MemberConfig config(Duration idle_limit, bool kill_is_safe) {
    MemberConfig c;
    c.member = MemberId("c-1");
    c.reader_idle_limit = idle_limit;
    c.kill_leaves_commits_waiting = kill_is_safe;
    return c;
  }
  MemberOutput give(const MemberInput& input) override {
    TestExecutor::give(input);
    for (const ServerAction& a : out.server) {
      if (const auto* e = std::get_if<server_action::EndReaders>(&a)) asked.push_back(*e);
      if (const auto* e = std::get_if<server_action::EndIdleReaders>(&a)) idle_asked.push_back(*e);
    }
    return out;
  }
  void follow() {
    order(order::Follow{{1, 1}, MemberId("c-0"), "10.0.0.1", 3306, true, gtid("0-1-9")});
    seen.receiver_running = seen.receiver_connected = seen.applier_running = true;
    seen.receiver_host = "10.0.0.1";
    seen.receiver_port = 3306;
    end_plan(seen);
  }
  void look_for(Duration how_long, Duration every = milliseconds(200)) {
    for (const Instant until = now + how_long; now < until;) {
      now += every;
      give(in::Snapshot{seen});
    }
  }

  ServerSnapshot seen;
  std::vector<server_action::EndReaders> asked;
  std::vector<server_action::EndIdleReaders> idle_asked;
};

TEST(Readers, OfAReplicaThatExecutesWhatItReceivesAreLeftAlone) {
  Replica r;
  r.follow();
  for (int i = 10; i < 40; ++i) {
    r.seen.received = gtid("0-1-" + std::to_string(i));
    r.seen.executed = gtid("0-1-" + std::to_string(i - 5));
    r.look_for(milliseconds(200));
  }
  EXPECT_TRUE(r.asked.empty());
  EXPECT_EQ(r.report().applier_stalled_ms, 0U) << "it is behind, and gets on";
}

TEST(Readers, AreLookedAtOnceAReplicaHasExecutedNothingForAWhile) {
  Replica r;
  r.follow();
  r.seen.received = gtid("0-1-10");
  r.look_for(milliseconds(800));
  EXPECT_TRUE(r.asked.empty());
  r.look_for(milliseconds(600));
  ASSERT_EQ(r.asked.size(), 1U);
  EXPECT_GE(r.asked[0].watched, milliseconds(500)) << "a short wait of the applier ends nobody's session";
  EXPECT_GE(r.report().applier_stalled_ms, 1000U);
  r.look_for(seconds(4));
  EXPECT_LE(r.asked.size(), 4U) << "now and then";
  r.seen.executed = r.seen.received;
  r.look_for(milliseconds(200));
  EXPECT_EQ(r.report().applier_stalled_ms, 0U);
}

TEST(Readers, OfAFencedReplicaAreLookedAtSoon) {
  Replica r;
  r.follow();
  r.seen.received = gtid("0-1-10");
  r.look_for(milliseconds(200));
  r.order(order::Fence{{2, 0}});
  r.seen.receiver_running = r.seen.receiver_connected = false;
  r.end_plan(r.seen);
  r.look_for(milliseconds(120), milliseconds(10));
  ASSERT_EQ(r.asked.size(), 1U);
  EXPECT_LE(r.asked[0].watched, milliseconds(100));
}

TEST(Readers, AreLookedAtSoonWhereAnOrderWaitsForTheApplier) {
  Replica r;
  r.seen.received = gtid("0-1-9");
  r.give(in::OrderGiven{1, order::Follow{{1, 1}, MemberId("c-0"), "10.0.0.1", 3306, true, gtid("0-1-9")}});
  r.look_for(milliseconds(400));
  EXPECT_FALSE(r.asked.empty());
}

// What stops replication keeps the server from saying how it is.
TEST(Readers, AreLookedAtWhereTheServerDoesNotAnswerEither) {
  Replica r;
  r.seen.received = gtid("0-1-9");
  r.look_for(milliseconds(10));
  r.give(in::OrderGiven{1, order::Follow{{1, 1}, MemberId("c-0"), "10.0.0.1", 3306, true, gtid("0-1-9")}});
  for (int i = 0; i < 3; ++i) {
    r.now += milliseconds(200);
    r.give(in::Unanswered{});
  }
  EXPECT_FALSE(r.asked.empty());
}

// Of either flavour; on MariaDB to end a session may acknowledge what others wait for, so not on one that may be open.
TEST(Readers, AreLookedAtWhereAPromotionTakesLongAndTheirEndIsSafe) {
  for (const bool safe : {true, false}) {
    Replica r(Duration::zero(), safe);
    r.order(order::Promote{{1, 1}, 1, {}, {MemberId("c-0")}, {}});
    r.look_for(milliseconds(200));
    EXPECT_TRUE(r.asked.empty());
    r.look_for(milliseconds(400));
    EXPECT_EQ(r.asked.empty(), !safe);
  }
}

TEST(Readers, OfAPrimaryAreClients) {
  Replica r;
  r.order(order::Promote{{1, 1}, 1, {}, {MemberId("c-0")}, {}});
  r.seen.read_only = false;
  r.seen.semi_sync_d = 1;
  r.end_plan(r.seen);
  r.give(in::OrderGiven{2, order::Promote{{1, 2}, 1, {}, {MemberId("c-0")}, {}}});
  r.look_for(seconds(2));
  r.give(in::OrderGiven{3, order::Fence{{2, 0}}});
  r.look_for(seconds(2));
  EXPECT_TRUE(r.asked.empty());
}

TEST(Readers, ThatWereEndedAreReported) {
  Replica r;
  r.follow();
  for (int i = 1; i <= 10; ++i) {
    EXPECT_TRUE(r.give(in::Noticed{NoticeKind::kReaderEnded, "app@h was ended, " + std::to_string(i)}).report_changed);
  }
  const auto ended = r.report().notices;
  ASSERT_EQ(ended.size(), 8U) << "the newest few";
  EXPECT_EQ(ended.back().seq, 10U);
  EXPECT_EQ(ended.back().text, "app@h was ended, 10");
}

TEST(Readers, OfAReplicaHaveALimitToTheirIdleTransactions) {
  Replica r(minutes(5));
  EXPECT_TRUE(r.idle_asked.empty()) << "it is no replica yet";
  r.follow();
  r.look_for(seconds(12));
  ASSERT_GE(r.idle_asked.size(), 2U);
  EXPECT_LE(r.idle_asked.size(), 4U);
  EXPECT_EQ(r.idle_asked[0].limit, minutes(5));
  Replica without(Duration::zero());
  without.follow();
  without.look_for(seconds(12));
  EXPECT_TRUE(without.idle_asked.empty());
}

}  // namespace
}  // namespace mysos
