// SPDX-License-Identifier: Apache-2.0
// Stories of one executor: what it does on orders, deaths of mysqld, and its own rebirth.
#include "core/member/test_executor.h"

namespace mysos {
namespace {

namespace in = member_input;
using Executor = TestExecutor;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(MemberCore, MakesItsDataOnlyOnceItHasSecrets) {
  Executor e(true, {}, false);
  EXPECT_FALSE(e.did(server_action::MakeDatadir{}));

  e.give(in::SecretsStored{});
  EXPECT_TRUE(e.did(server_action::MakeDatadir{}));

  e.give(in::DatadirReady{});
  EXPECT_TRUE(e.durable.seeded);
  EXPECT_TRUE(e.did(server_action::Start{}));
}

TEST(MemberCore, PromisesBeforeItActs) {
  Executor e;
  e.start("a");

  e.order(order::Fence{{3, 0}});

  ASSERT_TRUE(e.out.promise) << "the promise is in the same output as the steps, and goes first";
  EXPECT_EQ(e.durable.pair, (Pair{3, 0}));
  ASSERT_TRUE(e.out.plan);
  EXPECT_TRUE(e.report().busy) << "not reported as fenced before the receiver was seen stopped";
  e.end_plan({});
  EXPECT_EQ(e.report().role, MemberRole::kFenced);
  EXPECT_FALSE(e.report().busy);
}

TEST(MemberCore, RefusesWhatIsBelowItsPromise) {
  Executor e;
  e.start("a");
  e.order(order::Fence{{3, 0}});
  e.end_plan({});

  for (const Order& late : std::vector<Order>{order::Fence{{2, 0}}, order::Promote{{2, 9}, 1, {}, {}, {}},
                                              order::Follow{{2, 9}, MemberId("c-1"), "h", 1, true, {}},
                                              order::Rebuild{{2, 9}}}) {
    e.order(late);
    ASSERT_EQ(e.out.answers.size(), 1U);
    ASSERT_TRUE(e.out.answers[0].error);
    EXPECT_EQ(e.out.answers[0].error->code, Errc::kFenced);
    EXPECT_FALSE(e.out.plan);
    EXPECT_FALSE(e.out.promise);
  }
}

TEST(MemberCore, QuietsAPrimaryInTheOnlySafeOrder) {
  Executor e;
  e.start("a");
  e.make_primary();
  EXPECT_TRUE(e.report().writable);

  e.order(order::Fence{{2, 0}});

  const auto kill = e.step_index(step::KillClients{});
  const auto read_only = e.step_index(step::SetReadOnly{true});
  EXPECT_LT(kill, read_only);
  EXPECT_EQ(e.step_index(step::SemiSyncSource{0}), e.out.plan->steps.size());
  EXPECT_EQ(e.out.plan->afterwards, std::vector<ServerStep>{step::SemiSyncSource{0}})
      << "any earlier acknowledges writes that no acker has";
}

TEST(MemberCore, AReplicaThatIsAttachingGoesOnWhenTheConfigChanges) {
  Executor e;
  e.start("a");
  e.order(order::Follow{{2, 1}, MemberId("c-1"), "h", 1, true, {}});
  ASSERT_TRUE(e.out.plan);
  const std::uint64_t under_way = e.out.plan->id;

  e.order(order::Follow{{2, 2}, MemberId("c-1"), "h", 1, true, {}});

  EXPECT_FALSE(e.out.plan) << "the steps under way lead there";
  EXPECT_EQ(e.durable.pair, (Pair{2, 2}));
  EXPECT_TRUE(e.report().busy);
  EXPECT_TRUE(e.out.answers.empty());
  ServerSnapshot attached;
  attached.receiver_running = true;
  e.give(in::PlanEnded{under_way, std::nullopt, attached});
  EXPECT_EQ(e.out.answers.size(), 2U);
  EXPECT_FALSE(e.report().busy);
  e.order(order::Follow{{2, 3}, MemberId("c-1"), "h", 1, false, {}});
  EXPECT_TRUE(e.out.plan) << "another end";
}

TEST(MemberCore, AFormerPrimarysSemiSyncIsOffBeforeItsApplierIsNeeded) {
  Executor e;
  e.start("a");
  e.make_primary();
  e.order(order::Fence{{2, 0}});
  ServerSnapshot quiet;
  quiet.semi_sync_d = 1;  // what follows a plan may not have been done
  e.end_plan(quiet);

  e.order(order::Follow{{2, 1}, MemberId("c-1"), "h", 1, true, {}});

  EXPECT_LT(e.step_index(step::SemiSyncSource{0}), e.step_index(step::SetSource{"h", 1}));
}

// A receiver that waits for room on a full disk does not stop.
TEST(MemberCore, KillsAReplicaThatDoesNotStopReceivingForAFence) {
  Executor e;
  e.start("a");
  e.order(order::Follow{{1, 1}, MemberId("c-1"), "h", 1, true, {}});
  e.end_plan({});
  e.order(order::Fence{{2, 0}});
  e.fail_plan("stop the receiver: no answer in time");
  EXPECT_FALSE(e.did(server_action::Kill{})) << "it may have been slow";
  e.order(order::Fence{{2, 0}});
  e.fail_plan("stop the receiver: no answer in time");
  EXPECT_TRUE(e.did(server_action::Kill{}));
  e.give(in::ServerExited{"killed"});
  e.start("b");
  EXPECT_EQ(e.report().role, MemberRole::kFenced) << "a server starts quiet";
}

TEST(MemberCore, AReplicaThatLacksTheRestAtAFenceIsNotKilledForIt) {
  Executor e;
  e.start("a");
  e.order(order::Follow{{1, 1}, MemberId("c-1"), "h", 1, true, {}});
  e.end_plan({});
  for (int times = 0; times < 3; ++times) {
    order::Fence fence{{2, 0}};
    fence.receive = *GtidSet::parse("0-1-9");
    e.order(fence);
    e.fail_plan("receive 0-1-9: the source is gone");
    EXPECT_FALSE(e.did(server_action::Kill{}));
  }
}

TEST(MemberCore, KillsAPrimaryThatCannotBeQuieted) {
  Executor e;
  e.start("a");
  e.make_primary();
  e.order(order::Fence{{2, 0}});

  e.fail_plan("read_only waits for commits that wait for an acker");

  EXPECT_TRUE(e.did(server_action::Kill{}));
  e.give(in::ServerExited{"killed"});
  EXPECT_TRUE(e.did(server_action::Start{}));
  e.start("b");
  EXPECT_EQ(e.report().role, MemberRole::kFenced);
  EXPECT_FALSE(e.report().writable);
}

TEST(MemberCore, OpensOnlyAfterTheFloorAndTheShutOut) {
  Executor e;
  e.start("a");

  e.order(order::Promote{{1, 1}, 1, gtid("0-1-5"), {MemberId("c-1")}, {MemberId("c-2")}});

  const auto open = e.step_index(step::SetReadOnly{false});
  EXPECT_EQ(open + 1, e.out.plan->steps.size());
  EXPECT_LT(e.step_index(step::RequireExecuted{gtid("0-1-5")}), open);
  EXPECT_LT(e.step_index(step::ShutOut{{MemberId("c-1")}, {MemberId("c-2")}}), open);
  EXPECT_LT(e.step_index(step::SemiSyncSource{1}), open);
  EXPECT_FALSE(e.report().writable);
}

TEST(MemberCore, ForgetsItsSourceOnceItServesAndNobodyWaits) {
  Executor e;
  e.start("a");

  e.order(order::Promote{{1, 1}, 1, {}, {MemberId("c-1")}, {}});

  EXPECT_EQ(e.step_index(step::ForgetSource{}), e.out.plan->steps.size());
  EXPECT_LT(e.step_index(step::Drain{}), e.step_index(step::RequireExecuted{})) << "which may need what is received";
  EXPECT_LT(e.step_index(step::Drain{}), e.step_index(step::StopReplication{})) << "what it received is not left behind";
  EXPECT_EQ(e.out.plan->afterwards, std::vector<ServerStep>{step::ForgetSource{}});
  EXPECT_GT(e.out.plan->afterwards_in, Duration{});
}

TEST(MemberCore, AFenceMayReceiveTheRestFirstAndPointsAtTheNextAfterwards) {
  Executor e;
  e.start("a");

  e.order(order::Fence{{1, 0}, gtid("0-1-5"), "10.0.0.2", 3306});

  EXPECT_EQ(e.durable.pair, (Pair{1, 0})) << "promised before it waits";
  EXPECT_LT(e.step_index(step::AwaitReceived{gtid("0-1-5")}), e.step_index(step::StopReceiver{}));
  EXPECT_LT(e.step_index(step::StopReceiver{}), e.step_index(step::SyncRelayLog{})) << "an election may count on it";
  EXPECT_EQ(e.step_index(step::SyncRelayLog{}) + 1, e.out.plan->steps.size());
  EXPECT_EQ(e.out.plan->afterwards, (std::vector<ServerStep>{step::SetSource{"10.0.0.2", 3306}}));
  EXPECT_TRUE(e.report().busy) << "what it receives meanwhile is no part of its report";
}

// An election waits for it, and nobody is there who could tell it to follow.
TEST(MemberCore, AServerThatStartsFencedAppliesTheRelayLogThatItKept) {
  Executor e;
  e.start("a");
  e.order(order::Fence{{1, 0}});
  e.end_plan({});
  e.die();
  ServerSnapshot kept;
  kept.received = gtid("0-1-9");

  e.start("b", kept);

  ASSERT_TRUE(e.out.plan);
  EXPECT_EQ(e.out.plan->afterwards, (std::vector<ServerStep>{step::Drain{}}));
  e.end_plan(kept);
  EXPECT_FALSE(e.report().busy) << "its fence is done: it receives nothing";
  EXPECT_FALSE(e.give(in::Snapshot{kept}).plan) << "once a second is enough";
  e.now += seconds(1);
  EXPECT_TRUE(e.give(in::Snapshot{kept}).plan);
  ServerSnapshot applying = kept;
  applying.applier_running = true;
  e.end_plan(applying);
  e.now += seconds(1);
  EXPECT_FALSE(e.give(in::Snapshot{applying}).plan);
}

// The server before it was asked a moment ago, and had stopped with an error.
TEST(MemberCore, AServerThatStartsFencedIsAskedToApplyAtOnceWhateverTheOneBeforeItDid) {
  Executor e;
  e.start("a");
  e.order(order::Fence{{1, 0}});
  e.end_plan({});
  ServerSnapshot kept;
  kept.received = gtid("0-1-9");
  kept.applier_error = {1032, "no such row"};
  e.now += seconds(100);
  e.give(in::Snapshot{kept});
  e.end_plan(kept);
  e.now += seconds(1);
  EXPECT_FALSE(e.give(in::Snapshot{kept}).plan) << "it would fail again";
  e.die();

  e.start("b", kept);

  EXPECT_TRUE(e.out.plan);
}

TEST(MemberCore, AFencedPrimaryIsQuietedWhateverItsFenceSaysBesides) {
  Executor e;
  e.start("a");
  e.make_primary();

  e.order(order::Fence{{2, 0}, gtid("0-1-5"), "", 0});

  EXPECT_EQ(e.out.plan->steps.front(), ServerStep(step::KillClients{}));
  EXPECT_EQ(e.step_index(step::AwaitReceived{gtid("0-1-5")}), e.out.plan->steps.size());
}

TEST(MemberCore, ANewConfigDoesNotCloseThePrimary) {
  Executor e;
  e.start("a");
  e.make_primary();

  e.order(order::Promote{{1, 2}, 0, {}, {MemberId("c-1")}, {}});

  EXPECT_EQ(e.step_index(step::KillClients{}), e.out.plan->steps.size()) << "no session is ended";
  EXPECT_EQ(e.step_index(step::SetReadOnly{true}), e.out.plan->steps.size());
}

TEST(MemberCore, ARestartedServerWaitsToBeTold) {
  Executor e;
  e.start("a");
  e.make_primary();

  e.give(in::ServerExited{"signal 9"});
  EXPECT_TRUE(e.report().crashed);
  EXPECT_FALSE(e.report().writable);
  e.now += milliseconds(100);
  e.give(in::Tick{});
  e.start("b");

  EXPECT_EQ(e.report().role, MemberRole::kIdle);
  EXPECT_FALSE(e.report().crashed);
  EXPECT_EQ(e.report().promised, (Pair{1, 1}));
}

TEST(MemberCore, ACrashIsToldBeforeTheServerIsStartedAgain) {
  Executor e;
  e.start("a");
  e.make_primary();
  e.now += seconds(60);

  e.give(in::ServerExited{"signal 9"});

  EXPECT_TRUE(e.out.report_changed);
  EXPECT_FALSE(e.did(server_action::Start{})) << "a failover waits for the news, and a start takes its time";
  EXPECT_LE(e.core().next_deadline() - e.now, milliseconds(50));
  e.now = e.core().next_deadline();
  e.give(in::Tick{});
  EXPECT_TRUE(e.did(server_action::Start{}));
}

TEST(MemberCore, CrashLoopsBackOff) {
  Executor e;
  e.start("a");
  e.give(in::ServerExited{"abort"});
  const Instant first = e.core().next_deadline();
  e.now = first;
  e.give(in::Tick{});
  e.give(in::ServerExited{"abort"});

  EXPECT_GT(e.core().next_deadline() - e.now, first - Instant{});
}

TEST(MemberCore, KillsForMemoryAreCountedUntilItsServerLasts) {
  Executor e;
  e.start("a");
  e.make_primary();
  for (int i = 0; i < 3; ++i) {
    e.give(in::ServerExited{"out of memory", true});
    e.now += seconds(60);
    e.give(in::Tick{});
    e.start("b");
  }
  EXPECT_EQ(e.report().memory_kills, 3U);

  e.give(in::ServerExited{"signal 9"});
  e.now += seconds(60);
  e.give(in::Tick{});
  e.start("c");
  EXPECT_EQ(e.report().memory_kills, 3U);

  e.now += std::chrono::minutes(10);
  e.give(in::Snapshot{});
  EXPECT_EQ(e.report().memory_kills, 0U);
}

TEST(MemberCore, ErrantMembersPromiseAndStayStill) {
  Executor e;
  e.start("a");
  e.order(order::Follow{{2, 1}, MemberId("c-1"), "h", 1, false, gtid("0-2-5")});
  EXPECT_LT(e.step_index(step::RequireContainedIn{gtid("0-2-5")}), e.step_index(step::StartReplication{}));

  ServerSnapshot extra;
  extra.executed = extra.received = gtid("0-1-7,0-2-5");
  e.fail_plan("not contained", extra);

  EXPECT_EQ(e.report().role, MemberRole::kErrant);
  EXPECT_EQ(e.report().promised, (Pair{2, 1}));
}

TEST(MemberCore, AnAttachedReplicaIsNotCheckedAgainstAnOlderRead) {
  Executor e;
  e.start("a");
  e.order(order::Follow{{2, 1}, MemberId("c-1"), "h", 1, false, gtid("0-2-5")});
  ServerSnapshot following;
  following.receiver_running = following.receiver_connected = true;
  following.received = gtid("0-2-9");
  e.end_plan(following);

  e.order(order::Follow{{2, 2}, MemberId("c-1"), "h", 1, true, gtid("0-2-8")});

  EXPECT_EQ(e.step_index(step::RequireContainedIn{gtid("0-2-8")}), e.out.plan->steps.size());
  EXPECT_LT(e.step_index(step::SemiSyncReplica{true}), e.step_index(step::StartReplication{}));
}

TEST(MemberCore, NeverRebuildsAnAckerOrAPrimary) {
  Executor acker;
  acker.start("a");
  acker.order(order::Follow{{2, 1}, MemberId("c-1"), "h", 1, true, {}});
  acker.end_plan({});
  acker.order(order::Rebuild{{2, 1}});
  EXPECT_EQ(acker.out.answers.at(0).error->code, Errc::kConflict);

  Executor primary;
  primary.start("a");
  primary.make_primary();
  primary.order(order::Rebuild{{1, 1}});
  EXPECT_EQ(primary.out.answers.at(0).error->code, Errc::kConflict);
}

TEST(MemberCore, ARebuildKeepsThePromiseAndTakesAServerIdOfItsOwn) {
  Executor e(false);
  e.start("a");
  e.order(order::Follow{{2, 1}, MemberId("c-1"), "h", 1, false, {}});
  e.end_plan({});

  e.order(order::Rebuild{{2, 1}});

  EXPECT_TRUE(e.did(server_action::Kill{}));
  EXPECT_TRUE(e.durable.rebuilding);
  EXPECT_TRUE(e.durable.amnesiac);
  EXPECT_EQ(e.durable.pair, (Pair{2, 1}));
  EXPECT_EQ(e.durable.generation, 1U);
  EXPECT_EQ(e.durable.server_id, 257U) << "by a scheduler of 0.1, which grants none";
  e.give(in::ServerExited{"killed"});
  EXPECT_TRUE(e.did(server_action::MakeDatadir{}));
}

TEST(MemberCore, ARestartedMariadbReplicaIsAmnesiacUntilCertified) {
  Executor e(false);
  e.start("a");
  EXPECT_FALSE(e.report().amnesiac) << "a first start has lost nothing";
  e.give(in::ServerExited{"signal 9"});
  e.now += seconds(1);
  e.give(in::Tick{});
  e.start("b");
  EXPECT_TRUE(e.report().amnesiac);
  EXPECT_TRUE(e.durable.amnesiac) << "and would still be after a crash of the executor";

  e.order(order::Follow{{1, 2}, MemberId("c-1"), "h", 1, true, {}});
  ServerSnapshot following;
  following.receiver_running = true;
  following.received = gtid("0-2-5");
  e.end_plan(following);
  e.order(order::Certify{{1, 2}, "b", gtid("0-2-6")});
  EXPECT_TRUE(e.report().amnesiac) << "it does not contain that read";
  e.order(order::Certify{{1, 2}, "a", gtid("0-2-5")});
  EXPECT_TRUE(e.report().amnesiac) << "that was of an earlier life";
  e.order(order::Certify{{1, 2}, "b", gtid("0-2-5")});
  EXPECT_FALSE(e.report().amnesiac);
}

TEST(MemberCore, WhatAMariadbReplicaHadReceivedIsPromisedBeforeItsServerForgetsIt) {
  Executor e(false);
  e.start("a");
  EXPECT_FALSE(e.did(server_action::ReadRelay{})) << "a first start has no relay logs";

  e.die();
  ASSERT_TRUE(e.did(server_action::ReadRelay{}));
  EXPECT_FALSE(e.did(server_action::Start{}));
  e.give(in::RelayRead{gtid("0-2-7")});

  ASSERT_TRUE(e.did(server_action::Start{}));
  ASSERT_TRUE(e.out.promise) << "in the same output as the start, and goes first";
  EXPECT_TRUE(e.durable.amnesiac);
  EXPECT_EQ(e.durable.known, gtid("0-2-7"));
  e.start("b");
  EXPECT_EQ(e.report().known, gtid("0-2-7"));
}

TEST(MemberCore, WhatWasKnownIsKeptOverASecondRestartAndDroppedOnceCertified) {
  Executor e(false);
  e.start("a");
  e.die();
  e.give(in::RelayRead{gtid("0-2-7")});
  e.start("b");
  e.die();
  const auto& actions = e.out.server;
  ASSERT_TRUE(std::ranges::any_of(actions, [](const auto& a) {
    const auto* read = std::get_if<server_action::ReadRelay>(&a);
    return read != nullptr && read->keep_earlier;
  }));
  e.give(in::RelayRead{gtid("0-3-9")});
  e.start("c");
  EXPECT_EQ(e.report().known, gtid("0-2-7,0-3-9")) << "the relay logs of the first restart are gone";

  e.order(order::Follow{{1, 2}, MemberId("c-1"), "h", 1, true, {}});
  ServerSnapshot following;
  following.receiver_running = true;
  following.received = gtid("0-2-7,0-3-9");
  e.end_plan(following);
  e.order(order::Certify{{1, 2}, "c", gtid("0-2-7")});
  EXPECT_TRUE(e.did(server_action::DropRelay{}));
  EXPECT_FALSE(e.durable.amnesiac);
  EXPECT_FALSE(e.durable.known);
}

TEST(MemberCore, OneThatCouldNotReadItsRelayLogsOnceKnowsNothingUntilCertified) {
  Executor e(false);
  e.start("a");
  e.relay.reset();
  e.die();
  e.start("b");
  EXPECT_TRUE(e.report().amnesiac);
  EXPECT_FALSE(e.report().known);

  e.relay = gtid("0-2-7");
  e.die();
  e.start("c");
  EXPECT_FALSE(e.report().known) << "what was lost at first is not in what is left now";
}

TEST(MemberCore, AnExecutorThatDiesWhileItReadsRelayLogsReadsThemAgain) {
  Executor e(false);
  e.start("a");
  e.die();
  ASSERT_TRUE(e.did(server_action::ReadRelay{}));

  Executor next(false, e.durable);
  EXPECT_TRUE(next.did(server_action::ReadRelay{}));
  EXPECT_FALSE(next.did(server_action::Start{}));
}

TEST(MemberCore, AServerThatDoesNotComeUpLeavesItsRelayLogsAndTheyAreReadAgain) {
  Executor e(false);
  e.start("a");
  e.die();
  e.give(in::RelayRead{gtid("0-2-7")});
  ASSERT_TRUE(e.did(server_action::Start{}));
  e.die();
  EXPECT_TRUE(e.did(server_action::ReadRelay{}));
}

TEST(MemberCore, AStopWhileRelayLogsAreReadEndsTheExecutor) {
  Executor e(false);
  e.start("a");
  e.die();
  e.give(in::Stop{});
  EXPECT_TRUE(e.out.finished);
}

TEST(MemberCore, AFormerPrimaryHasNoRelayLogToForget) {
  Executor e(false);
  e.start("a");
  e.make_primary();
  e.die();
  EXPECT_FALSE(e.did(server_action::ReadRelay{}));
  EXPECT_TRUE(e.did(server_action::Start{}));
  e.order(order::Fence{{2, 0}});
  e.start("b");
  EXPECT_FALSE(e.report().amnesiac);
}

TEST(MemberCore, ARebornExecutorLetsThePromisedPrimaryServeOn) {
  MemberPromise p;
  p.pair = {1, 1};
  p.role = MemberRole::kPrimary;
  p.seeded = true;
  p.incarnation = "a";
  Executor e(true, p);
  // The constructor's tick has not started anything that ServerAdopted could contradict in a real shell: it comes first.
  MemberCore core(p, Executor::config(true), true);
  core.step(in::ServerAdopted{"a"}, {});
  core.step(in::ServerUp{"a", "test", "1"}, {});
  core.step(in::Snapshot{Executor::serving()}, {});

  const auto out = core.take_output();
  EXPECT_FALSE(out.plan);
  EXPECT_TRUE(core.report().writable);
  EXPECT_TRUE(core.report().busy) << "until its next order";
}

TEST(MemberCore, ARebornExecutorFinishesAFence) {
  MemberPromise p;
  p.pair = {2, 0};
  p.role = MemberRole::kFenced;
  p.seeded = true;
  p.incarnation = "a";
  MemberCore core(p, Executor::config(true), true);

  core.step(in::ServerAdopted{"a"}, {});
  core.step(in::ServerUp{"a", "test", "1"}, {});

  const auto out = core.take_output();
  ASSERT_TRUE(out.plan);
  EXPECT_EQ(out.plan->steps.front(), ServerStep(step::KillClients{}));
}

TEST(MemberCore, StopsAPrimaryWithoutReleasingWhatWaits) {
  Executor e;
  e.start("a");
  e.make_primary();

  e.give(in::Stop{});
  EXPECT_FALSE(e.did(server_action::Shutdown{})) << "its clients are ended first";
  ServerSnapshot quiet;
  e.end_plan(quiet);
  EXPECT_TRUE(e.did(server_action::Shutdown{}));
  EXPECT_FALSE(e.out.finished);
  e.give(in::ServerExited{"exit 0"});
  EXPECT_TRUE(e.out.finished);
}

TEST(MemberCore, ANewerOrderReplacesAPlanAndAnswersTheOldOne) {
  Executor e;
  e.start("a");
  e.order(order::Promote{{1, 1}, 1, {}, {}, {}});
  e.order(order::Fence{{2, 0}});

  ASSERT_EQ(e.out.answers.size(), 1U);
  EXPECT_EQ(e.out.answers[0].order, 1U);
  EXPECT_EQ(e.out.plan->steps.front(), ServerStep(step::KillClients{})) << "it may have opened already";
}

// A primary of three that knows the others.
Executor primary_of_three() {
  Executor e;
  e.start("a");
  e.order(order::Meet{{{MemberId("c-1"), "h1", 1}, {MemberId("c-2"), "h2", 2}}});
  e.make_primary();
  e.give(in::Contact{true, {MemberId("c-1"), MemberId("c-2")}});
  return e;
}

TEST(MemberIsolation, APrimaryInTouchWithNobodyStopsServingAndServesOnWhenItIsAgain) {
  Executor e = primary_of_three();
  e.give(in::Contact{false, {}});
  EXPECT_FALSE(e.out.plan);
  EXPECT_EQ(e.core().next_deadline(), e.now + std::chrono::seconds(3));
  e.now += std::chrono::seconds(3);
  e.give(in::Tick{});
  ASSERT_TRUE(e.out.plan);
  EXPECT_EQ(e.out.plan->steps.front(), ServerStep(step::KillClients{}));
  e.end_plan({});
  EXPECT_TRUE(e.report().isolated);
  EXPECT_FALSE(e.report().writable);
  EXPECT_NE(e.report().problem, "");
  e.give(in::Tick{});
  EXPECT_FALSE(e.out.plan) << "it stays quiet";

  e.give(in::Contact{false, {MemberId("c-2")}});
  ASSERT_TRUE(e.out.plan) << "it is in a majority again";
  e.end_plan(Executor::serving());
  EXPECT_TRUE(e.report().writable);
  EXPECT_FALSE(e.report().isolated);
}

TEST(MemberIsolation, OneThatIsBeingStoppedWaitsForNothingElse) {
  Executor e = primary_of_three();
  e.give(in::Contact{false, {}});

  e.give(in::Stop{});

  EXPECT_EQ(e.core().next_deadline(), kNever) << "a deadline that nothing moves would keep its shell spinning";
}

TEST(MemberIsolation, WithoutTheSchedulerAMajorityIsEnough) {
  Executor e = primary_of_three();
  e.give(in::Contact{false, {MemberId("c-1")}});
  e.now += std::chrono::seconds(60);
  e.give(in::Tick{});
  EXPECT_FALSE(e.out.plan);
}

TEST(MemberIsolation, WhatWasFencedMeanwhileDoesNotServeOn) {
  Executor e = primary_of_three();
  e.give(in::Contact{false, {}});
  e.now += std::chrono::seconds(3);
  e.give(in::Tick{});
  e.end_plan({});
  e.order(order::Fence{{2, 0}});
  e.end_plan({});
  e.give(in::Contact{true, {MemberId("c-1")}});
  EXPECT_FALSE(e.out.plan);
  EXPECT_FALSE(e.report().writable);
}

// Secrets may come from an order that the scheduler sent to the executor before. The scheduler gave this member a server id
// for the data on the volume that is gone.
TEST(MemberCore, AnEmptyVolumeInPlaceOfTheOneThatIsKnownGetsNoData) {
  MemberConfig config = Executor::config(true);
  config.volume_name = "first";
  MemberPromise empty;
  empty.volume = "second";
  MemberCore lost(empty, config, true);
  lost.step(in::Tick{}, {});
  EXPECT_TRUE(lost.take_output().server.empty());
  EXPECT_EQ(lost.next_deadline(), kNever);
  EXPECT_NE(lost.report().problem.find("volume"), std::string::npos);

  empty.volume = "first";
  MemberCore back(empty, config, true);
  back.step(in::Tick{}, {});
  EXPECT_FALSE(back.take_output().server.empty());

  config.volume_name.clear();
  MemberCore never_heard_of(empty, config, true);
  never_heard_of.step(in::Tick{}, {});
  EXPECT_FALSE(never_heard_of.take_output().server.empty());
}

}  // namespace
}  // namespace mysos
