// SPDX-License-Identifier: Apache-2.0
// Resets of binary logs: a set that lost names proves nothing, and data that are the only complete ones are kept.
#include "core/epochs/epoch_world.h"

namespace mysos {
namespace {

using World = EpochWorld;
using std::chrono::seconds;

// c-0 is solo; somebody has reset its binary logs, and it has written three transactions since.
World reset_alone() {
  World w(3);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).gtid_source = "0-1";
  w.r(0).semi_sync_d = 0;
  w.r(0).led = 3;
  w.r(0).logs_reset = true;
  w.r(0).executed = w.r(0).received = gtid("0-1-3");
  for (const int i : {1, 2}) {
    w.r(i).acking = false;
    w.r(i).led = 0;
    w.r(i).gtid_source = "0-" + std::to_string(i + 1);
  }
  return w;
}

// ... the record goes by the new names, and the primary knows.
World renamed() {
  World w = reset_alone();
  w.persist();
  for (int i = 0; i < 3; ++i) w.r(i).promised = w.cluster.epoch.pair;
  w.r(0).logs_reset = false;
  w.r(0).made_at = w.cluster.epoch.names_from;
  return w;
}

TEST(Names, APrimaryAloneWhoseLogsWereResetIsKeptUnderOtherNames) {
  World w = reset_alone();
  const EpochDecision d = w.persist();
  EXPECT_EQ(d.kind, EventKind::kNamesRenewed);
  EXPECT_EQ(w.cluster.epoch.names_from, w.cluster.epoch.pair);
  EXPECT_EQ(w.cluster.epoch.floor, gtid("0-1-3")) << "nobody can ever have the names of before";
  const auto told = World::ordered<order::Promote>(w.plan(), 0);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->names_from, w.cluster.epoch.names_from);
}

// One acker is away: no failover, and the other acknowledges writes that it skips, for it knows their names.
TEST(Names, WhereNobodyCanTakeOverThePrimaryGoesOnAloneAtOnce) {
  World w(3);
  w.r(0).logs_reset = true;
  w.r(0).executed = w.r(0).received = gtid("0-1-3");
  w.v(2).connected = false;
  EXPECT_EQ(w.persist().kind, EventKind::kNamesRenewed);
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kSolo);
  EXPECT_TRUE(w.cluster.epoch.ackers.empty());
}

// By now the primary has written more under the old names than the replicas had: their sets are contained in its own.
TEST(Names, AReplicaOfBeforeNeverAcknowledgesThoughItsSetFits) {
  World w = renamed();
  w.r(0).executed = w.r(0).received = gtid("0-1-40");
  for (const int i : {1, 2}) w.r(i).received = w.r(i).executed = gtid("0-1-40");
  (void)w.plan();
  w.now += w.times.rebuild_after;
  EXPECT_EQ(w.persist().kind, EventKind::kRebuildStarted) << "not: solo_leaving";
  for (int i = 0; i < 3; ++i) w.r(i).promised = w.cluster.epoch.pair;
  const MemberId first = *w.cluster.epoch.rebuilding;
  const int i = first == id(1) ? 1 : 2;
  const auto anew = World::ordered<order::Rebuild>(w.plan(), i);
  ASSERT_TRUE(anew && anew->donor);
  EXPECT_EQ(anew->donor->member, id(0)) << "the other replica's data are of before, too";
}

TEST(Names, AReplicaThatWasMadeAnewSinceFollowsAndAcknowledges) {
  World w = renamed();
  w.r(1).made_at = w.cluster.epoch.pair;
  w.r(1).executed = w.r(1).received = gtid("0-1-3");
  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeaving);
  EXPECT_EQ(w.cluster.epoch.joining, std::set<MemberId>{id(1)});
}

// The old primary is fenced by an operator's failover, or came back after its server died: the record says that it was alone.
TEST(Names, AnElectionKeepsTheOnlyCompleteDataUnderOtherNames) {
  World w = reset_alone();
  w.cluster.epoch.pair = {4, 0};
  w.cluster.epoch.electing = true;
  for (int i = 0; i < 3; ++i) w.fence(i);
  (void)w.plan();
  w.now += w.times.target_wait;
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(0));
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kSolo);
  EXPECT_EQ(w.cluster.epoch.names_from, w.cluster.epoch.pair);
  EXPECT_EQ(w.cluster.epoch.floor, gtid("0-1-3"));
}

TEST(Names, AnAcceptedLossDoesNotGiveUpDataThatHaveLostTheirNamesOnly) {
  World w = reset_alone();
  w.cluster.epoch.mode = EpochMode::kNormal;
  w.cluster.epoch.ackers = {id(1), id(2)};
  w.cluster.epoch.pair = {4, 0};
  w.cluster.epoch.electing = true;
  w.cluster.failover = FailoverRequest{.to = std::nullopt, .accept_loss = true};
  for (int i = 0; i < 3; ++i) w.fence(i);
  w.r(1).executed = w.r(2).executed = gtid("0-1-5");  // neither can execute the rest
  for (const int i : {1, 2}) {
    w.r(i).applier_running = false;
    w.r(i).applier_error = {1032, "Could not execute Update_rows event"};
  }
  (void)w.plan();
  w.now += w.times.loss_fences;
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(0));
}

TEST(Names, ALaterPrimaryKeepsWhatIsKnownOfNames) {
  World w = renamed();
  const Pair since = w.cluster.epoch.names_from;
  w.r(1).made_at = {3, 7};
  w.r(1).executed = w.r(1).received = gtid("0-1-3");
  w.cluster.epoch.mode = EpochMode::kNormal;
  w.cluster.epoch.ackers = {id(1)};
  w.cluster.epoch.pair = {4, 0};
  w.cluster.epoch.electing = true;
  w.v(0).connected = false;
  w.r(2).executed = w.r(2).received = gtid("0-1-3");  // names of before; c-2 was away since
  w.fence(1);
  w.fence(2);
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(1));
  EXPECT_EQ(w.cluster.epoch.names_from, since);
  EXPECT_TRUE(w.cluster.epoch.ackers.empty()) << "c-2 is of before";
}

// Reset, and dead before its executor looked; another executor finds the server.
TEST(Names, ASetThatLacksWhatItsServerWroteProvesNothing) {
  World w(3);
  w.cluster.epoch.floor = GtidSet();
  w.r(0).gtid_source = "0-1";
  w.crash_primary();
  w.cluster.epoch.pair = {4, 0};
  w.cluster.epoch.electing = true;
  w.r(0).server = ServerState::kRunning;
  w.r(0).executed = w.r(0).received = gtid("0-1-2");
  w.fence(0);
  w.fence(2);
  w.r(2).executed = w.r(2).received = gtid("0-1-8");  // c-1 may have acknowledged more
  w.v(1).connected = false;
  w.now += seconds(60);
  EXPECT_FALSE(w.plan().next);
}

// ---- a replica whose logs were reset: it still acknowledges, as long as its connection lasts ----

// It is the last that acknowledges: c-2 is leaving, and nobody can show that it has what c-2 acknowledged.
TEST(Names, WhereTheLastAckerLostItsNamesThePrimaryGoesOnAlone) {
  World w(3);
  w.cluster.epoch.leaving = w.cluster.epoch.shut_out = {id(2)};
  w.v(2).connected = false;
  w.r(0).semi_sync_clients = 1;
  w.r(1).logs_reset = w.r(1).amnesiac = true;
  w.r(1).received = w.r(1).executed = gtid("0-1-1");
  EXPECT_FALSE(w.plan().next) << "another may come back";
  w.now += w.times.solo_after;
  const EpochDecision d = w.persist();
  EXPECT_EQ(d.kind, EventKind::kSoloEntered);
  EXPECT_NE(d.why.find("binary logs of c-1"), std::string::npos) << d.why;
  EXPECT_TRUE(w.cluster.epoch.leaving.empty());
  w.r(0).promised = w.r(1).promised = w.cluster.epoch.pair;
  w.r(0).semi_sync_d = 0;
  const auto told = World::ordered<order::Follow>(w.plan(), 1);
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->acking) << "it stops following, and is rebuilt";
}

// Neither could become the primary. What c-1 acknowledges counts, so c-2 goes first, and c-1 stays until c-2 has other data.
TEST(Names, OfTwoAckersThatAreNotSoundTheOneWithoutNamesIsDropped) {
  for (const bool amnesiac : {true, false}) {
    World w(3);
    w.r(1).applier_running = false;
    w.r(1).applier_restarts = 1;
    w.r(2).logs_reset = true;
    w.r(2).amnesiac = amnesiac;
    EXPECT_FALSE(w.plan().next);
    w.now += w.times.drop_after;
    EXPECT_EQ(w.persist().kind, EventKind::kAckerLeaving);
    EXPECT_EQ(w.cluster.epoch.leaving, (std::set<MemberId>{id(2)}));
  }
}

TEST(Names, AnAckerThatIsNotSoundStaysWhereOnlyOneWithoutNamesIsLeft) {
  World w(3);
  w.r(1).applier_running = false;
  w.r(1).applier_restarts = 1;
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.drop_after;
  w.r(2).logs_reset = true;
  EXPECT_FALSE(w.plan().next);
}

// The other acker does not come back: it lost its volume. It is unreachable, and nobody knows that it acknowledges nothing.
TEST(Names, NorDoesOneThatIsAwayKeepThePrimaryWaiting) {
  World w(3);
  w.v(2).volume_lost = true;
  w.v(2).connected = false;
  w.v(2).report.reset();
  w.r(0).semi_sync_clients = 1;
  w.r(1).logs_reset = w.r(1).amnesiac = true;
  w.r(1).received = w.r(1).executed = gtid("0-1-1");
  EXPECT_FALSE(w.plan().next) << "it may come back";
  w.now += w.times.solo_after;
  EXPECT_EQ(w.persist().kind, EventKind::kSoloEntered);
}

// The record is on its way back from solo; `who` is joining and acknowledges.
World joining(std::set<MemberId> who) {
  World w(3);
  w.cluster.epoch.mode = EpochMode::kSolo;
  w.cluster.epoch.ackers.clear();
  w.r(0).semi_sync_clients = static_cast<std::uint32_t>(who.size());
  for (const int i : {1, 2}) w.r(i).acking = who.contains(id(i));
  w.cluster.epoch.joining = std::move(who);
  return w;
}

TEST(Names, AJoiningReplicaThatLostItsNamesIsNotWaitedForForEver) {
  World w = joining({id(1)});
  w.v(2).connected = false;
  w.r(1).logs_reset = w.r(1).amnesiac = true;
  w.r(1).received = w.r(1).executed = gtid("0-1-1");
  (void)w.plan();
  w.now += w.times.solo_after;
  EXPECT_EQ(w.persist().kind, EventKind::kSoloEntered);
  EXPECT_EQ(w.cluster.epoch.mode, EpochMode::kSolo);
  EXPECT_TRUE(w.cluster.epoch.joining.empty());
}

TEST(Names, AnotherJoiningReplicaThatHasEverythingIsEnough) {
  World w = joining({id(1), id(2)});
  w.r(1).logs_reset = w.r(1).amnesiac = true;
  w.r(1).received = w.r(1).executed = gtid("0-1-1");
  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeft);
}

// Its executor did not see the reset: the primary holds what this replica wrote, and it does not know.
TEST(Names, AReplicaThatForgotWhatItWroteIsNotNamed) {
  World w = joining({});
  w.r(0).semi_sync_d = 0;
  w.v(2).connected = false;
  w.r(0).executed = w.r(0).received = gtid("0-2-30,0-1-9");
  w.r(1).gtid_source = "0-2";
  w.r(1).received = w.r(1).executed = gtid("0-1-9");
  EXPECT_FALSE(w.plan().next) << "not: solo_leaving";
  w.r(1).received = w.r(1).executed = gtid("0-2-30,0-1-9");
  EXPECT_EQ(w.persist().kind, EventKind::kSoloLeaving);
}

// ---- a record that may be old ----

World asked() {
  World w(3);
  w.cluster.doubt = RecordDoubt{.why = "state.db was put back"};
  w.cluster.epoch.pair = {6, 0};
  w.cluster.epoch.electing = true;
  w.cluster.doubt->asking = 6;
  for (int i = 0; i < 3; ++i) {
    w.fence(i);
    w.r(i).led = 0;
  }
  w.r(0).led = 3;
  w.r(1).led = 5;
  return w;
}

TEST(Names, InDoubtTheLastPrimaryIsTheOneThoughItsLogsWereReset) {
  World w = asked();
  w.r(1).logs_reset = true;
  w.r(1).executed = w.r(1).received = gtid("0-2-1");
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(1));
  EXPECT_EQ(w.cluster.epoch.names_from, w.cluster.epoch.pair);
  EXPECT_TRUE(w.cluster.epoch.ackers.empty());
}

// The record that was put back is of before the reset. What the others hold contains the new names by chance.
TEST(Names, InDoubtThePrimaryThatIsAloneSinceAResetGoesOnUnderItsNames) {
  World w = asked();
  w.r(1).made_at = {5, 3};
  w.r(1).executed = w.r(1).received = gtid("0-1-7");
  w.v(1).connected = false;
  EXPECT_FALSE(w.plan().next) << "nobody else is complete";
  w.v(1).connected = true;
  w.now += w.times.target_wait;
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(1));
  EXPECT_EQ(w.cluster.epoch.names_from, (Pair{5, 3}));
  EXPECT_TRUE(w.cluster.epoch.ackers.empty()) << "data of before";
}

// c-1 was rebuilt in the epoch before the one that it led: its names are those of all.
TEST(Names, InDoubtAPrimaryThatWasMadeAnewBeforeHasTheNamesOfAll) {
  World w = asked();
  w.r(1).made_at = {4, 3};
  w.persist();
  EXPECT_EQ(w.cluster.epoch.names_from, Pair{});
  EXPECT_FALSE(w.cluster.epoch.ackers.empty());
}

// After the reset c-0 led, c-1 was rebuilt from it and took over; c-2 was still to be rebuilt. The record is older than that.
TEST(Names, InDoubtDataOfBeforeAResetDoNotCountAlsoAfterALaterElection) {
  World w = asked();
  w.r(0).led = 4;
  w.r(0).names_from = w.r(0).made_at = {4, 1};
  w.r(1).names_from = {4, 1};
  w.r(1).made_at = {4, 3};
  w.r(1).executed = w.r(1).received = gtid("0-1-10");
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(1));
  EXPECT_EQ(w.cluster.epoch.names_from, (Pair{4, 1}));
  EXPECT_EQ(w.cluster.epoch.ackers, std::set{id(0)}) << "the set of c-2 fits, but its transactions have other names";
}

// The record that was put back knows of the reset. What c-2 holds contains what the leader holds by chance.
TEST(Names, InDoubtDataOfBeforeAResetDoNotCountWhereTheRecordKnowsOfIt) {
  World w = asked();
  w.cluster.epoch.names_from = {4, 1};
  w.cluster.epoch.floor = GtidSet();
  w.r(0).made_at = w.r(1).made_at = {4, 1};
  for (int i = 0; i < 3; ++i) w.r(i).executed = w.r(i).received = GtidSet();
  w.v(0).connected = w.v(1).connected = false;
  EXPECT_FALSE(w.plan().next) << "c-2 holds nothing that the names of the record are about";
  w.v(1).connected = true;
  w.now += w.times.target_wait;
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(1));
}

TEST(Names, InDoubtAnOperatorMayChooseDataOfBeforeAResetAndAllOthersAreRebuilt) {
  World w = asked();
  w.r(0).names_from = w.r(0).made_at = {5, 1};
  w.v(1).connected = false;
  w.v(1).report = SharedValue<MemberReport>();
  w.cluster.failover = FailoverRequest{.to = id(2), .accept_loss = true};
  EXPECT_FALSE(w.plan().next);
  w.now += w.times.loss_wait;
  w.persist();
  EXPECT_EQ(w.cluster.epoch.primary, id(2));
  EXPECT_EQ(w.cluster.epoch.names_from, w.cluster.epoch.pair);
}

TEST(Names, InDoubtNobodyElseIsTakenForCompleteByASetThatLostNames) {
  World w = asked();
  w.r(1).logs_reset = true;
  w.r(1).executed = w.r(1).received = GtidSet();
  w.v(1).connected = false;
  const EpochDecision d = w.plan();
  EXPECT_FALSE(d.next);
  EXPECT_NE(d.waiting_for.find("c-1 to come back"), std::string::npos) << d.waiting_for;
}

TEST(Names, InDoubtAReplicaWhoseLogsWereResetIsNotChosenAndHidesNothing) {
  World w = asked();
  w.r(2).logs_reset = true;
  w.r(2).executed = w.r(2).received = GtidSet();
  w.persist();
  EXPECT_NE(w.cluster.epoch.primary, id(2)) << "the last primary says what is complete";

  World unknown = asked();
  unknown.r(1).led_kept = false;
  unknown.r(2).logs_reset = true;
  unknown.r(2).executed = unknown.r(2).received = GtidSet();
  EXPECT_FALSE(unknown.plan().next) << "what all hold together is not all that they hold";
}

}  // namespace
}  // namespace mysos
