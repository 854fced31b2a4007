// SPDX-License-Identifier: Apache-2.0
// What an executor does about an applier that has stopped.
#include "core/member/test_executor.h"

namespace mysos {
namespace {

namespace in = member_input;
using std::chrono::milliseconds;
using std::chrono::seconds;

// An executor whose server follows c-1, and applies what it receives until a test says otherwise.
class Replica : public TestExecutor {
 public:
  explicit Replica(bool relay_log_survives = true, bool acking = false) : TestExecutor(relay_log_survives) {
    now = Instant(seconds(100));
    start("a");
    seen.receiver_running = seen.receiver_connected = seen.applier_running = true;
    seen.receiver_host = "h";
    seen.receiver_port = 1;
    seen.executed = gtid("0-2-5");
    seen.received = gtid("0-2-9");
    follow({2, 1}, acking);
    end_plan();
    look();
  }
  void follow(Pair pair, bool acking, const std::string& host = "h") {
    order(order::Follow{pair, MemberId("c-1"), host, 1, acking, gtid("0-2-20")});
  }
  void end_plan() { TestExecutor::end_plan(seen); }
  void look() { give(in::Snapshot{seen}); }
  // It executes nothing for so long, and is seen to wait for a lock that no session holds, or to work.
  void stand_still(Duration how_long, const std::string& waits_for) {
    for (const Instant until = now + how_long; now < until; now += milliseconds(200)) {
      look();
      give(in::ApplierLooked{"", "a state", waits_for});
    }
  }
  void stop_applier(std::uint32_t error = 1032) {
    seen.applier_running = false;
    seen.applier_error = {error, error == 0 ? "" : "no such row"};
  }
  void fence(Pair pair) {
    order(order::Fence{pair});
    seen.receiver_running = seen.receiver_connected = false;
    end_plan();
    look();
  }
  [[nodiscard]] bool started() const {
    const auto starts = [](const auto& a) { return std::holds_alternative<server_action::StartApplier>(a); };
    return std::ranges::any_of(out.server, starts);
  }
  template <class Step>
  [[nodiscard]] bool plans() const {
    return std::ranges::any_of(out.plan.value().steps, [](const auto& s) { return std::holds_alternative<Step>(s); });
  }

  // Of the plan's last step.
  [[nodiscard]] bool plans_that_it_may_go() const {
    return std::get<step::StartReplication>(out.plan.value().steps.back()).relay_log_may_go;
  }

  ServerSnapshot seen;
};

TEST(Applier, OneThatStoppedIsStartedAgainOnceAndThenRarely) {
  Replica r;
  r.stop_applier();
  r.look();
  EXPECT_TRUE(r.started());
  EXPECT_EQ(r.report().applier_error, (ReplicationError{1032, "no such row"}));
  EXPECT_EQ(r.report().applier_restarts, 0U);

  r.now += milliseconds(200);
  r.look();
  EXPECT_FALSE(r.started()) << "it may not have been seen running yet";
  r.now += seconds(1);
  r.look();
  EXPECT_FALSE(r.started());
  EXPECT_EQ(r.report().applier_restarts, 1U) << "it stopped at the same place";

  r.now += seconds(5);
  r.look();
  EXPECT_TRUE(r.started());
  r.now += seconds(1);
  r.look();
  EXPECT_EQ(r.report().applier_restarts, 2U);
  r.now += seconds(5);
  r.look();
  EXPECT_FALSE(r.started()) << "the pauses grow";
}

// The order to rebuild came, and the server has yet to end.
TEST(Applier, OfDataThatAreThrownAwayIsNotStarted) {
  Replica r;
  r.order(order::Rebuild{{2, 2}, r.durable.generation, std::nullopt, {}});
  r.stop_applier();
  r.look();
  EXPECT_FALSE(r.started());
}

TEST(Applier, OneThatGoesOnIsForgiven) {
  Replica r;
  r.stop_applier();
  r.look();
  r.now += seconds(1);
  r.look();
  ASSERT_EQ(r.report().applier_restarts, 1U);
  r.seen.applier_running = true;
  r.look();
  EXPECT_EQ(r.report().applier_restarts, 1U) << "it may be about to stop again";
  r.seen.executed = gtid("0-2-6");
  r.look();
  EXPECT_EQ(r.report().applier_restarts, 0U);
}

TEST(Applier, OneThatStopsFurtherOnIsStartedAtOnce) {
  Replica r;
  r.stop_applier();
  r.look();
  r.now += seconds(1);
  r.seen.executed = gtid("0-2-7");
  r.look();
  EXPECT_TRUE(r.started());
  EXPECT_EQ(r.report().applier_restarts, 0U);
}

// ---- what somebody does to a server ----

TEST(Sight, AResetOfTheBinaryLogsIsToldAndKept) {
  Replica r;
  r.seen.logged = gtid("0-2-5,0-3-7");
  r.look();
  r.seen.logged = gtid("0-2-6,0-3-7");
  r.look();
  EXPECT_FALSE(r.report().logs_reset) << "it has written more";

  r.seen.logged = gtid("0-2-7");
  r.look();

  EXPECT_TRUE(r.report().logs_reset);
  EXPECT_TRUE(r.report().amnesiac) << "it cannot tell an election what it acknowledged";
  EXPECT_FALSE(r.report().binlog_complete);
  ASSERT_TRUE(r.out.promise && r.out.promise->logs_reset) << "durable";
  ASSERT_EQ(r.report().notices.size(), 1U);
  EXPECT_EQ(r.report().notices[0].kind, NoticeKind::kBinlogsChanged);
  EXPECT_NE(r.report().notices[0].text.find("0-3-"), std::string::npos) << r.report().notices[0].text;
  r.look();
  EXPECT_EQ(r.report().notices.size(), 1U) << "once";
}

TEST(Sight, AServerWhoseLogsWereResetDoesNotFollowUntilItHasOtherData) {
  Replica r;
  r.seen.logged = gtid("0-2-5");
  r.look();
  r.seen.logged = gtid("");
  r.look();
  r.follow({2, 2}, true);
  EXPECT_FALSE(r.plans<step::StartReplication>());
  r.seen.receiver_running = r.seen.receiver_connected = false;
  r.end_plan();
  EXPECT_EQ(r.report().role, MemberRole::kErrant);
  EXPECT_FALSE(r.report().busy);
  r.follow({2, 3}, true);
  EXPECT_EQ(r.report().role, MemberRole::kErrant);
  EXPECT_EQ(r.report().promised, (Pair{2, 3}));

  r.give(in::OrderGiven{90, order::Rebuild{{2, 3}, 0, std::nullopt, {}}});
  EXPECT_FALSE(r.report().logs_reset);
}

TEST(Sight, AReplicaThatWritesByItselfSaysSo) {
  Replica r;
  r.seen.gtid_source = "0-1";
  r.seen.executed = r.seen.received = gtid("0-2-9,0-1-3");
  r.look();
  r.look();
  EXPECT_FALSE(r.report().written_on) << "of the time when it was the primary";
  r.seen.executed = r.seen.received = gtid("0-2-12,0-1-3");
  r.look();
  EXPECT_FALSE(r.report().written_on);
  r.seen.executed = r.seen.received = gtid("0-2-12,0-1-4");
  r.look();
  EXPECT_TRUE(r.report().written_on);
}

// The order came, and its server has yet to end.
TEST(Sight, WhatIsSeenOfDataThatAreThrownAwayIsNotSaidOfTheNextOnes) {
  Replica r;
  r.seen.gtid_source = "0-1";
  r.seen.executed = r.seen.received = gtid("0-2-12,0-1-3");
  r.seen.logged = gtid("0-2-12,0-1-3");
  r.look();
  EXPECT_FALSE(r.report().written_on);
  r.order(order::Rebuild{{2, 2}, r.durable.generation, std::nullopt, {}});
  r.seen.executed = r.seen.received = gtid("0-2-12,0-1-4");
  r.seen.logged = gtid("0-1-4");
  r.look();
  r.give(in::ServerExited{"killed"});
  r.give(in::DatadirReady{});
  r.start("b");
  r.follow({2, 3}, false);
  r.end_plan();

  EXPECT_FALSE(r.report().written_on);
  EXPECT_FALSE(r.report().logs_reset);
}

TEST(Sight, WhyTheClientsEventsDoNotRunIsToldOnceAndEndsWithTheServer) {
  Replica r;
  r.give(in::EventsMinded{true, ""});
  EXPECT_TRUE(r.report().events_run);
  r.give(in::EventsMinded{true, "1 event(s) stay disabled"});
  r.give(in::EventsMinded{true, "1 event(s) stay disabled"});
  ASSERT_EQ(r.report().notices.size(), 1U);
  EXPECT_EQ(r.report().notices[0].kind, NoticeKind::kEventsFailed);
  r.give(in::ServerExited{"signal 9"});
  EXPECT_FALSE(r.report().events_run);
  EXPECT_EQ(r.report().events_trouble, "");
}

TEST(Applier, WithTheReceiverStoppedNothingIsStarted) {
  Replica r(false);
  r.stop_applier();
  r.seen.receiver_running = r.seen.receiver_connected = false;
  r.look();
  EXPECT_FALSE(r.started()) << "MariaDB would throw the relay log away";
}

TEST(Applier, APrimaryToBeThatCannotApplyTheRestKeepsItAside) {
  for (const bool survives : {true, false}) {
    Replica r(survives);
    r.stop_applier();
    r.fence({3, 0});
    if (r.out.plan) r.end_plan();  // of an applier that was to be started
    r.give(in::OrderGiven{90, order::Promote{{3, 1}, 1, gtid("0-2-5"), {MemberId("c-1")}, {}}});
    EXPECT_FALSE(r.plans<step::Drain>()) << "it would fail for ever";
    const auto& steps = r.out.plan->steps;
    ASSERT_GE(steps.size(), 4U);
    EXPECT_EQ(steps[0], ServerStep(step::RequireExecuted{gtid("0-2-5")})) << "all that counts is executed before";
    EXPECT_EQ(steps[2], ServerStep(step::KeepRelayLog{3, gtid("0-2-9").minus(gtid("0-2-5"))}));
    EXPECT_TRUE(r.plans<step::AbandonRelayLog>());
  }
}

TEST(Applier, APrimaryToBeWhoseApplierWorksAppliesTheRest) {
  Replica r;
  r.fence({3, 0});
  if (r.out.plan) r.end_plan();
  r.give(in::OrderGiven{90, order::Promote{{3, 1}, 1, gtid("0-2-5"), {MemberId("c-1")}, {}}});
  EXPECT_TRUE(r.plans<step::Drain>());
  EXPECT_FALSE(r.plans<step::AbandonRelayLog>());
}

TEST(Applier, APrimaryToBeWhoseApplierStandsStillKeepsTheRestAside) {
  Replica r;
  r.fence({3, 0});
  if (r.out.plan) r.end_plan();
  r.stand_still(seconds(9), "");
  r.give(in::OrderGiven{90, order::Promote{{3, 1}, 1, gtid("0-2-5"), {MemberId("c-1")}, {}}});
  EXPECT_TRUE(r.plans<step::Drain>()) << "it may be about to go on";
  r.give(in::PlanEnded{r.out.plan->id, "not in time", r.seen});
  r.stand_still(seconds(2), "");

  r.give(in::OrderGiven{91, order::Promote{{3, 1}, 1, gtid("0-2-5"), {MemberId("c-1")}, {}}});

  EXPECT_FALSE(r.plans<step::Drain>());
  EXPECT_TRUE(r.plans<step::RequireExecuted>());
  EXPECT_TRUE(r.plans<step::KeepRelayLog>());
}

TEST(Applier, OneThatStandsStillIsAbortedForAnotherSourceOnlyWhereItWaitsForALock) {
  for (const bool waits : {true, false}) {
    Replica r;
    r.stand_still(seconds(12), waits ? "a row lock that no session holds" : "");
    EXPECT_EQ(r.report().applier_waits_ms > 10'000, waits);
    EXPECT_EQ(r.report().applier_does, "a state");
    EXPECT_NE(r.report().problem.find(waits ? "it waits for a row lock" : "it works on one transaction"), std::string::npos);
    r.fence({3, 0});
    if (r.out.plan) r.end_plan();
    r.follow({3, 1}, false, "elsewhere");
    EXPECT_EQ(r.plans<step::AbandonRelayLog>(), waits) << "what was worked on for long is not thrown away";
    EXPECT_TRUE(r.plans<step::RequireContainedIn>());
  }
}

TEST(Applier, OneThatGoesOnWaitsForNothing) {
  Replica r;
  r.stand_still(seconds(3), "a row lock that no session holds");
  EXPECT_GT(r.report().applier_waits_ms, 0U);
  r.seen.executed = gtid("0-2-6");
  r.look();
  EXPECT_EQ(r.report().applier_waits_ms, 0U);
  EXPECT_EQ(r.report().applier_waits_for, "");
}

TEST(Applier, AStoppedOneDoesNotKeepAReplicaFromFollowingAnother) {
  Replica r;
  r.stop_applier();
  r.fence({3, 0});
  if (r.out.plan) r.end_plan();
  r.follow({3, 1}, false, "elsewhere");
  EXPECT_TRUE(r.plans<step::AbandonRelayLog>());
  EXPECT_TRUE(r.plans<step::RequireContainedIn>()) << "the new source has it all";
}

// Its receiver is stopped and started, and MariaDB throws the relay log away in between. Only a stopped receiver can tell what
// was in it.
TEST(Applier, OnMariadbAnAckerThatLosesItsRelayLogPromisesWhatWasInItBefore) {
  Replica r(false, true);
  r.stop_applier();
  r.look();
  r.follow({2, 2}, false);
  EXPECT_EQ(r.out.plan.value().steps, std::vector<ServerStep>{step::StopReceiver{}}) << "nothing is lost yet";
  ASSERT_EQ(r.out.answers.size(), 1U);
  EXPECT_TRUE(r.out.answers[0].error) << "an order is promised where it is answered without an error";
  EXPECT_FALSE(r.durable.amnesiac);
  r.seen.receiver_running = r.seen.receiver_connected = false;
  r.seen.received = gtid("0-2-11");  // it had received more by then
  r.end_plan();

  r.follow({2, 2}, false);

  ASSERT_TRUE(r.out.promise);
  EXPECT_TRUE(r.out.promise->amnesiac);
  EXPECT_EQ(r.out.promise->known, gtid("0-2-11"));
  EXPECT_TRUE(r.plans_that_it_may_go());
}

TEST(Applier, OnMysqlTheRelayLogIsKept) {
  Replica r(true, true);
  r.stop_applier();
  r.look();
  r.follow({2, 2}, false);
  EXPECT_FALSE(r.out.promise->amnesiac);
  EXPECT_FALSE(r.plans_that_it_may_go());
}

// The plan was made while the applier ran: the step itself refuses to lose the relay log of an applier that stops meanwhile.
TEST(Applier, AnAckerWhoseApplierRunsIsNotToLoseItsRelayLog) {
  Replica r(false, true);
  r.follow({2, 2}, false);
  EXPECT_FALSE(r.out.promise->amnesiac);
  EXPECT_FALSE(r.plans_that_it_may_go());
}

TEST(Applier, WhatWasReceivedInAnotherEpochOrSilentlyMayGo) {
  Replica silent(false, false);
  silent.stop_applier();
  silent.look();
  silent.follow({2, 2}, true);
  EXPECT_TRUE(silent.plans_that_it_may_go());
  EXPECT_FALSE(silent.out.promise->amnesiac);

  Replica later(false, true);
  later.stop_applier();
  later.fence({3, 0});
  later.follow({3, 1}, true);
  EXPECT_TRUE(later.plans_that_it_may_go()) << "the new source has it all, or the order fails";
}

// A replica that only stops to acknowledge is not compared with its source: it may have received more than the order knows.
TEST(Applier, AReplicaThatFailsToStayAttachedIsNotErrant) {
  Replica r(false, true);
  r.follow({2, 2}, false);
  r.seen.receiver_running = r.seen.receiver_connected = false;
  r.seen.received = gtid("0-2-25");  // the order says 20
  r.fail_plan("both replication threads have stopped", r.seen);
  EXPECT_NE(r.report().role, MemberRole::kErrant);
}

// A new executor has not looked at its server yet: it cannot know whether the applier runs.
TEST(Applier, OnMariadbAnAckerFollowsAgainOnlyOnceItsServerWasRead) {
  const auto follows_after = [](bool relay_log_survives) {
    MemberCore core(Replica(relay_log_survives, true).durable, TestExecutor::config(relay_log_survives), true);
    core.step(in::ServerAdopted{"a"}, {});
    core.step(in::ServerUp{"a", "v", "1"}, {});
    core.step(in::OrderGiven{1, order::Follow{{2, 1}, MemberId("c-1"), "h", 1, true, gtid("0-2-20")}}, {});
    return core.take_output();
  };

  const MemberOutput mariadb = follows_after(false);
  EXPECT_FALSE(mariadb.plan);
  ASSERT_EQ(mariadb.answers.size(), 1U);
  ASSERT_TRUE(mariadb.answers[0].error);
  EXPECT_EQ(mariadb.answers[0].error->code, Errc::kUnavailable);
  EXPECT_TRUE(follows_after(true).plan) << "MySQL keeps its relay log";
}

// The primary has another port since it restarted. A server does not take another source before its relay log is executed.
TEST(Applier, AnAckerThatGivesUpItsRelayLogForAnotherPortPromisesWhatWasInIt) {
  Replica r(true, true);
  r.stop_applier();
  r.look();
  r.follow({2, 2}, true, "elsewhere");
  EXPECT_FALSE(r.plans<step::AbandonRelayLog>()) << "its receiver stops first";
  r.seen.receiver_running = r.seen.receiver_connected = false;
  r.end_plan();

  r.follow({2, 2}, true, "elsewhere");

  EXPECT_TRUE(r.plans<step::AbandonRelayLog>());
  EXPECT_TRUE(r.out.promise.value().amnesiac);
  EXPECT_EQ(r.out.promise->known, gtid("0-2-9"));
}

}  // namespace
}  // namespace mysos
