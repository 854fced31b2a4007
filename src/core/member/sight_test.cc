// SPDX-License-Identifier: Apache-2.0
// What an executor notes of each look at its server: what is silent, what comes in, what is astray.
#include "core/member/test_executor.h"

namespace mysos {
namespace {

namespace in = member_input;
using Executor = TestExecutor;
using std::chrono::milliseconds;
using std::chrono::seconds;

ServerSnapshot receiving(std::uint64_t heartbeats) {
  ServerSnapshot s;
  s.receiver_running = s.receiver_connected = true;
  s.receiver_host = "10.0.0.1";
  s.heard.heartbeats = heartbeats;
  return s;
}

TEST(MemberCore, TellsThatItsReceiverHearsNothingThoughItBelievesToBeConnected) {
  Executor e;
  e.start("a");
  e.give(in::Snapshot{receiving(1)});
  for (int i = 0; i < 6; ++i) {
    e.now += milliseconds(200);
    e.give(in::Snapshot{receiving(1)});
  }
  EXPECT_EQ(e.report().source_silent_ms, 1200U);
  EXPECT_TRUE(e.report().receiver_connected);
  EXPECT_TRUE(e.core().poll_fast()) << "it is about to count";
  e.now += milliseconds(200);
  EXPECT_TRUE(e.give(in::Snapshot{receiving(2)}).report_changed);
  EXPECT_EQ(e.report().source_silent_ms, 0U);
}

TEST(MemberCore, ARefusedReceiverThatStartsAgainIsRefusedUntilItsSourceSends) {
  Executor e;
  e.start("a");
  ServerSnapshot refused = receiving(0);
  refused.receiver_running = refused.receiver_connected = false;
  refused.binlog_gone = true;
  refused.executed = refused.received = gtid("0-1-7");
  e.give(in::Snapshot{refused});
  EXPECT_TRUE(e.report().binlog_gone);

  ServerSnapshot again = receiving(0);
  again.executed = again.received = refused.received;
  e.give(in::Snapshot{again});
  e.give(in::Snapshot{again});
  EXPECT_TRUE(e.report().binlog_gone) << "it is connected, and its source has yet to answer";
  again.heard.heartbeats = 1;
  e.give(in::Snapshot{again});
  EXPECT_FALSE(e.report().binlog_gone);

  e.give(in::Snapshot{refused});
  again = receiving(0);
  again.executed = again.received = refused.received;
  again.receiver_host = "10.0.0.2";
  e.give(in::Snapshot{again});
  EXPECT_FALSE(e.report().binlog_gone) << "another source may have it";
}

TEST(MemberCore, TellsThatPartOfATransactionComesIn) {
  Executor e;
  e.start("a");
  ServerSnapshot s = receiving(1);
  e.give(in::Snapshot{s});
  EXPECT_FALSE(e.report().receiving);
  s.heard.position.offset += 8192;
  e.now += milliseconds(200);
  EXPECT_TRUE(e.give(in::Snapshot{s}).report_changed);
  EXPECT_TRUE(e.report().receiving);
  for (int i = 0; i < 8; ++i) {
    e.now += milliseconds(200);
    s.heard.heartbeats += 1;
    e.give(in::Snapshot{s});
  }
  EXPECT_FALSE(e.report().receiving) << "heartbeats are none";
}

// It was written down when its receiver was stopped; the relay log may not have lasted so long.
TEST(MemberCore, WhereItWasInItsSourcesBinlogIsNotToldFromAnEarlierLife) {
  Executor e;
  e.start("a");
  ServerSnapshot s = receiving(1);
  s.received_end = {2, 4000};
  e.give(in::Snapshot{s});
  EXPECT_EQ(e.report().received_end, LogPosition{});
  s.heard.heartbeats = 2;
  e.give(in::Snapshot{s});
  EXPECT_EQ(e.report().received_end, (LogPosition{2, 4000}));
}

TEST(MemberCore, AReplicaMakesWhatItReceivedSilentlyDurableBeforeItAcknowledges) {
  Executor e;
  e.start("a");
  e.order(order::Follow{{2, 1}, MemberId("c-1"), "h", 1, false, {}});
  EXPECT_EQ(e.step_index(step::SyncRelayLog{}), e.out.plan->steps.size()) << "nobody counts on it";
  ServerSnapshot attached = receiving(1);
  attached.receiver_host = "h";
  attached.receiver_port = 1;
  e.end_plan(attached);

  e.order(order::Follow{{2, 2}, MemberId("c-1"), "h", 1, true, {}});

  EXPECT_LT(e.step_index(step::StopReceiver{}), e.step_index(step::SyncRelayLog{}));
  EXPECT_LT(e.step_index(step::SyncRelayLog{}), e.step_index(step::SemiSyncReplica{true}));
}

TEST(MemberCore, AHeartbeatAloneMakesNoNewReport) {
  Executor e;
  e.start("a");
  e.give(in::Snapshot{receiving(1)});
  e.now += milliseconds(200);
  EXPECT_FALSE(e.give(in::Snapshot{receiving(2)}).report_changed);
}

TEST(MemberCore, AReceiverThatConnectsOrIsPointedElsewhereBeginsAnew) {
  Executor e;
  e.start("a");
  ServerSnapshot trying = receiving(1);
  trying.receiver_connected = false;
  e.give(in::Snapshot{trying});
  for (int i = 0; i < 5; ++i) {
    e.now += milliseconds(200);
    e.give(in::Snapshot{trying});
  }
  EXPECT_EQ(e.report().source_silent_ms, 1000U);
  e.now += milliseconds(200);
  e.give(in::Snapshot{receiving(1)});
  EXPECT_EQ(e.report().source_silent_ms, 0U);
}

TEST(MemberCore, AReplicaWhoseServerIsPointedElsewhereIsNotSettledUntilItIsToldAgain) {
  Executor e;
  e.start("a");
  ServerSnapshot right = receiving(1);
  right.receiver_port = 4000;
  const order::Follow follow{{2, 1}, MemberId("c-1"), "10.0.0.1", 4000, true, {}};
  e.order(follow);
  e.end_plan(right);
  e.give(in::Snapshot{right});
  EXPECT_FALSE(e.report().busy);
  ServerSnapshot astray = right;
  astray.receiver_host = "10.0.0.9";

  e.give(in::Snapshot{astray});

  EXPECT_TRUE(e.out.report_changed);
  EXPECT_TRUE(e.report().busy);
  EXPECT_FALSE(e.report().acking) << "whose writes it acknowledges is not sure";
  EXPECT_EQ(e.report().problem, "its server is pointed at 10.0.0.9:4000, not at c-1");
  e.order(follow);
  ASSERT_TRUE(e.out.plan) << "the order is not taken for one that is in force";
  EXPECT_LT(e.step_index(step::SetSource{"10.0.0.1", 4000}), e.out.plan->steps.size());
  e.end_plan(right);
  EXPECT_FALSE(e.report().busy);
  EXPECT_EQ(e.report().problem, "");
}

TEST(MemberCore, TellsThatItsServerDoesNotAnswer) {
  Executor e;
  e.start("a");
  e.make_primary();
  for (int i = 0; i < 5; ++i) {
    e.now += milliseconds(200);
    e.give(in::Unanswered{});
  }
  EXPECT_EQ(e.report().server_silent_ms, 1000U);
  EXPECT_EQ(e.report().problem, "mysqld does not answer");
  e.give(in::Snapshot{Executor::serving()});
  EXPECT_EQ(e.report().server_silent_ms, 0U);
}

// A frozen replica would otherwise show the lag of the moment when it was frozen.
TEST(MemberCore, OfAServerThatDoesNotAnswerNoLagIsKnown) {
  Executor e;
  e.start("a");
  ServerSnapshot s = receiving(1);
  s.lag_ms = 0;
  e.give(in::Snapshot{s});
  EXPECT_EQ(e.report().lag_ms, 0);
  for (int i = 0; i < 5; ++i) {
    e.now += milliseconds(200);
    e.give(in::Unanswered{});
  }
  EXPECT_TRUE(e.out.report_changed);
  EXPECT_EQ(e.report().lag_ms, -1);
  e.give(in::Snapshot{s});
  EXPECT_EQ(e.report().lag_ms, 0);
}

// ---- resets of binary logs ----

ServerSnapshot logged(const std::string& set, bool read_only = true) {
  ServerSnapshot s;
  s.read_only = read_only;
  s.logged = gtid(set);
  s.semi_sync_d = read_only ? 0 : 1;
  return s;
}

// Reset, and dead before anybody looked.
TEST(Resets, AServerThatDiesRightAfterwardsIsFoundOut) {
  Executor e;
  e.start("a");
  e.give(in::Snapshot{logged("0-1-9")});
  e.die();
  e.start("b", logged("0-1-9"));
  EXPECT_FALSE(e.report().logs_reset) << "a crash takes nothing away";
  e.die();
  e.start("c", logged("0-1-2"));
  EXPECT_TRUE(e.report().logs_reset);
}

TEST(Resets, OtherDataAreNoReset) {
  Executor e;
  e.start("a");
  e.give(in::Snapshot{logged("0-1-9")});
  e.order(order::Rebuild{{2, 3}, 0, std::nullopt, {}});
  e.give(in::Snapshot{logged("0-1-9")});  // it has yet to end
  e.die();
  e.give(in::DatadirReady{});
  e.start("b", logged("0-2-1"));
  EXPECT_FALSE(e.report().logs_reset);
  EXPECT_EQ(e.report().made_at, (Pair{2, 3}));
}

// The order names what the donor held. By the time of the copy its binary logs had been reset.
TEST(Resets, ACopyWithoutTheNamesOfWhatItsDonorHeldIsNotFollowedWith) {
  for (const bool names : {true, false}) {
    Executor e;
    e.start("a");
    order::Rebuild rebuild{{2, 3}, 0, Donor{MemberId("c-1"), "10.0.0.1", 3306, 4306}};
    rebuild.holds = gtid("0-1-9");
    e.order(rebuild);
    e.give(in::Snapshot{logged("0-2-1")});  // the server of before has yet to end
    e.die();
    EXPECT_EQ(e.durable.copy_holds, rebuild.holds) << "its executor may end while it copies";
    e.give(in::DatadirReady{});
    ServerSnapshot copied = logged("");
    copied.executed = copied.received = names ? gtid("0-1-12") : gtid("0-1-1");
    e.start("b", copied);
    EXPECT_EQ(e.report().logs_reset, !names);
    EXPECT_TRUE(e.durable.copy_holds.empty());
    if (names) continue;
    e.order(order::Follow{{2, 4}, MemberId("c-2"), "10.0.0.2", 3306, false, gtid("0-1-20")});
    EXPECT_FALSE(e.durable.source) << "it does not follow";
  }
}

TEST(Resets, APrimaryIsToldThatItsNamesCountAndSeesTheNextReset) {
  Executor e;
  e.start("a");
  e.make_primary();
  e.give(in::Snapshot{logged("0-1-9", false)});
  e.give(in::Snapshot{logged("0-1-1", false)});
  ASSERT_TRUE(e.report().logs_reset);
  order::Promote told{{1, 2}, 1, {}, {MemberId("c-1")}, {}, Pair{1, 2}};
  e.order(told);
  e.end_plan(logged("0-1-3", false));
  EXPECT_FALSE(e.report().logs_reset);
  EXPECT_EQ(e.report().made_at, (Pair{1, 2}));
  EXPECT_EQ(e.durable.names_from, (Pair{1, 2})) << "a record that is put back may not say so";
  EXPECT_FALSE(e.report().binlog_complete) << "its binary logs lack what was before";

  e.give(in::Snapshot{logged("", false)});
  EXPECT_TRUE(e.report().logs_reset);
  told.pair = {1, 3};
  e.order(told);
  EXPECT_TRUE(e.report().logs_reset) << "that was about the reset before";
}

}  // namespace
}  // namespace mysos
