// SPDX-License-Identifier: Apache-2.0
// How one executor rebuilds its data.
#include "core/member/test_executor.h"

namespace mysos {
namespace {

namespace in = member_input;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Donor kDonor{MemberId("c-1"), "10.0.0.1", 3306, 4306};

class Recipient : public TestExecutor {
 public:
  explicit Recipient(MemberPromise promise = {}) : TestExecutor(MemberConfig{}, std::move(promise)) {}
  // Its server runs, quiet.
  void run() { start("a"); }
  std::optional<Error> rebuild(Pair pair = {3, 1}, std::optional<Donor> donor = kDonor) {
    order(order::Rebuild{pair, durable.generation, std::move(donor), gtid("0-9-5")});
    EXPECT_EQ(out.answers.size(), 1U);
    return out.answers.empty() ? std::nullopt : out.answers[0].error;
  }
  // ... and it got an order to copy, and has begun.
  void copy() {
    run();
    EXPECT_FALSE(rebuild());
    give(in::ServerExited{"killed"});
    EXPECT_NE(made(), nullptr);
  }
  const server_action::MakeDatadir* made() {
    for (const ServerAction& a : out.server) {
      if (const auto* m = std::get_if<server_action::MakeDatadir>(&a)) return m;
    }
    return nullptr;
  }
  template <class A>
  [[nodiscard]] bool did() const {
    for (const ServerAction& a : out.server) {
      if (std::holds_alternative<A>(a)) return true;
    }
    return false;
  }
};

TEST(MemberSeeding, CopiesTheDonorItWasToldAndKeepsTheErrantAside) {
  Recipient r;
  r.run();
  EXPECT_FALSE(r.rebuild());
  EXPECT_EQ(r.durable.pair, (Pair{3, 1}));
  EXPECT_FALSE(r.durable.seeded);
  EXPECT_TRUE(r.did<server_action::Kill>());
  EXPECT_EQ(r.made(), nullptr) << "its server must be gone first";
  r.give(in::ServerExited{"killed"});

  const auto* made = r.made();
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->donor, kDonor);
  EXPECT_EQ(made->generation, 1U);
  EXPECT_EQ(made->errant.to_string(), "0-9-5");
  EXPECT_EQ(made->errant_generation, 0U);
  EXPECT_FALSE(r.report().needs_copy);
}

TEST(MemberSeeding, SaysHowFarItIsAndHowItEnded) {
  Recipient r;
  r.copy();
  r.now += seconds(2);
  r.give(in::SeedProgress{mib(5)});
  ASSERT_TRUE(r.report().seeding);
  EXPECT_EQ(r.report().seeding->donor, kDonor.member);
  EXPECT_EQ(r.report().seeding->state, SeedState::kCopying);
  EXPECT_EQ(r.report().seeding->bytes, mib(5));
  EXPECT_EQ(r.report().seeding->took_ms, 2000);
  r.now += seconds(1);
  r.give(in::DatadirReady{});
  EXPECT_EQ(r.report().seeding->state, SeedState::kDone);
  EXPECT_EQ(r.report().seeding->took_ms, 3000);
  EXPECT_TRUE(r.durable.seeded);
  EXPECT_EQ(r.durable.errant.count(), 0U);
  EXPECT_TRUE(r.did<server_action::Start>());
}

TEST(MemberSeeding, AfterACopyThatFailedItWaitsToBeToldWhomToCopy) {
  Recipient r;
  r.copy();
  r.give(in::DatadirFailed{"the donor is gone"});
  EXPECT_TRUE(r.report().needs_copy);
  EXPECT_EQ(r.report().seeding->state, SeedState::kFailed);
  EXPECT_EQ(r.core().next_deadline(), kNever) << "it does not try by itself";
  r.now += seconds(60);
  r.give(in::Tick{});
  EXPECT_EQ(r.made(), nullptr);

  Donor other = kDonor;
  other.member = MemberId("c-2");
  EXPECT_FALSE(r.rebuild({3, 4}, other));
  ASSERT_NE(r.made(), nullptr);
  EXPECT_EQ(r.made()->donor, other);
  EXPECT_EQ(r.made()->generation, 2U);
  EXPECT_EQ(r.made()->errant.to_string(), "0-9-5") << "of the data before, if there is anything left to keep";
  EXPECT_EQ(r.made()->errant_generation, 0U);
  EXPECT_EQ(r.report().seeding->failures, 1U);
}

TEST(MemberSeeding, OneThatFailsAtOnceIsNotTriedWithoutAPause) {
  Recipient r;
  r.copy();
  r.give(in::DatadirFailed{"refused"});
  EXPECT_FALSE(r.rebuild());
  EXPECT_EQ(r.made(), nullptr);
  EXPECT_FALSE(r.report().needs_copy);
  r.now = r.core().next_deadline();
  ASSERT_NE(r.now, kNever);
  r.give(in::Tick{});
  EXPECT_NE(r.made(), nullptr);
}

TEST(MemberSeeding, AnExecutorThatComesBackBeginsNoCopyUnasked) {
  MemberPromise promise;
  {
    Recipient r;
    r.copy();
    promise = r.durable;
  }
  Recipient again(promise);
  EXPECT_EQ(again.made(), nullptr);
  EXPECT_TRUE(again.report().needs_copy);
  ASSERT_TRUE(again.report().seeding);
  EXPECT_EQ(again.report().seeding->state, SeedState::kFailed);
  EXPECT_EQ(again.report().promised, (Pair{3, 1})) << "the promise outlives the data";
  again.durable = promise;
  EXPECT_FALSE(again.rebuild({3, 1}, std::nullopt));
  ASSERT_NE(again.made(), nullptr) << "told to replay, it begins empty";
  EXPECT_FALSE(again.made()->donor);
}

// What it promised is true of the new data only: their generation, their names. The server of the old ones must not run on.
TEST(MemberSeeding, AnExecutorThatComesBackBeforeTheOldServerEndedEndsIt) {
  for (const bool copies : {true, false}) {
    MemberPromise p;
    p.pair = {3, 1};
    p.rebuilding = true;
    p.copies = copies;
    p.generation = 4;
    MemberCore core(p, MemberConfig{}, true);
    core.step(in::ServerAdopted{"a"}, {});
    MemberOutput out = core.take_output();
    ASSERT_EQ(out.server.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<server_action::Kill>(out.server[0]));
    core.step(in::ServerUp{"a", "v", "1"}, {});
    EXPECT_EQ(core.report().server, ServerState::kStopping);

    core.step(in::ServerExited{"killed"}, {});

    out = core.take_output();
    EXPECT_EQ(core.report().needs_copy, copies);
    EXPECT_EQ(out.server.size(), copies ? 0U : 1U) << "an order says whose copy it is to be";
    if (!copies) EXPECT_TRUE(std::holds_alternative<server_action::MakeDatadir>(out.server.at(0)));
  }
}

TEST(MemberSeeding, IsFencedAtOnceWhileItCopies) {
  Recipient r;
  r.copy();
  r.give(in::OrderGiven{9, order::Fence{{4, 0}}});
  ASSERT_EQ(r.out.answers.size(), 1U);
  EXPECT_FALSE(r.out.answers[0].error);
  EXPECT_EQ(r.durable.pair, (Pair{4, 0}));
  EXPECT_EQ(r.report().server, ServerState::kPreparing) << "the copy goes on";
  r.give(in::DatadirReady{});
  EXPECT_EQ(r.durable.pair, (Pair{4, 0}));
}

TEST(MemberSeeding, AnOrderThatComesLateThrowsNoNewDataAway) {
  Recipient r;
  r.copy();
  r.give(in::DatadirReady{});
  r.give(in::ServerUp{"b", "test", "1"});
  r.give(in::OrderGiven{9, order::Rebuild{{3, 1}, 0, kDonor}});
  ASSERT_EQ(r.out.answers.size(), 1U);
  EXPECT_TRUE(r.out.answers[0].error);
  EXPECT_TRUE(r.core().promise().seeded);
}

TEST(MemberSeeding, APromotedDonorEndsTheCopiesThatAreMadeOfIt) {
  Recipient r;
  r.run();
  r.give(in::OrderGiven{9, order::Promote{{2, 1}, 1, {}, {}, {}}});
  EXPECT_TRUE(r.did<server_action::EndCopies>());
}

TEST(MemberSeeding, APrimaryThatIsQuietedEndsThemFirst) {
  Recipient r;
  r.run();
  r.give(in::OrderGiven{9, order::Promote{{2, 1}, 0, {}, {}, {}}});
  ServerSnapshot open;
  open.read_only = false;
  r.give(in::PlanEnded{r.out.plan.value().id, std::nullopt, open});
  r.give(in::OrderGiven{10, order::Fence{{3, 0}}});
  EXPECT_TRUE(r.did<server_action::EndCopies>());
}

TEST(MemberSeeding, AFencedDonorThatCannotApplyWhatItHasEndsThemToo) {
  Recipient r;
  r.run();
  r.give(in::OrderGiven{9, order::Fence{{2, 0}}});
  ServerSnapshot behind;
  behind.received = *GtidSet::parse("0-1-5");
  r.give(in::PlanEnded{r.out.plan.value().id, std::nullopt, behind});
  r.give(in::Snapshot{behind});
  EXPECT_FALSE(r.did<server_action::EndCopies>()) << "it is given a moment";
  r.now += milliseconds(200);
  r.give(in::Snapshot{behind});
  EXPECT_TRUE(r.did<server_action::EndCopies>());
  behind.executed = behind.received;
  r.now += milliseconds(200);
  r.give(in::Snapshot{behind});
  EXPECT_FALSE(r.did<server_action::EndCopies>());
}

TEST(MemberSeeding, CopiesOfAServerThatHasJustStartedAreGivenTheirMomentToo) {
  Recipient r;
  r.run();
  r.give(in::OrderGiven{9, order::Fence{{2, 0}}});
  ServerSnapshot behind;
  behind.received = *GtidSet::parse("0-1-5");
  r.give(in::PlanEnded{r.out.plan.value().id, std::nullopt, behind});
  r.give(in::Snapshot{behind});
  r.die();

  r.start("b", behind);

  EXPECT_FALSE(r.did<server_action::EndCopies>());
}

// ---- server ids ----

MemberConfig launched_with(std::uint32_t server_id) {
  MemberConfig c;
  c.index = 2;
  c.server_id = server_id;
  return c;
}

TEST(MemberSeeding, TheFirstDataGetTheIdThatWasGrantedWithTheLaunchAndKeepIt) {
  MemberCore core({}, launched_with(12), true);
  core.step(in::Tick{}, Instant(seconds(1)));
  MemberOutput out = core.take_output();
  ASSERT_EQ(out.server.size(), 1U);
  EXPECT_EQ(std::get<server_action::MakeDatadir>(out.server[0]).server_id, 12U);
  core.step(in::DatadirReady{}, Instant(seconds(2)));
  EXPECT_EQ(core.report().data_server_id, 12U);
  EXPECT_EQ(core.promise().server_id, 12U);

  MemberCore later(core.promise(), launched_with(40), true);
  later.step(in::Tick{}, Instant(seconds(1)));
  EXPECT_EQ(later.report().data_server_id, 12U) << "a later grant is for later data";
}

TEST(MemberSeeding, DataOfVersion01KeepTheirId) {
  MemberPromise promise;
  promise.seeded = true;
  promise.generation = 3;
  EXPECT_EQ(MemberCore(promise, launched_with(12), true).report().data_server_id, 3U * 256 + 3);
  promise.seeded = false;
  EXPECT_EQ(MemberCore(promise, launched_with(12), true).report().data_server_id, 12U) << "it has none yet";
  EXPECT_EQ(MemberCore(promise, launched_with(0), true).report().data_server_id, 3U * 256 + 3) << "launched by 0.1";
}

TEST(MemberSeeding, NewDataGetTheIdOfTheOrderAndNeverThatOfTheDataBefore) {
  Recipient r;
  r.run();
  order::Rebuild order{{3, 1}, r.durable.generation, kDonor, {}, r.durable.server_id};
  r.give(in::OrderGiven{7, order});
  ASSERT_EQ(r.out.answers.size(), 1U);
  ASSERT_TRUE(r.out.answers[0].error);
  EXPECT_EQ(r.out.answers[0].error->code, Errc::kConflict);

  order.server_id = 31;
  r.give(in::OrderGiven{8, order});
  EXPECT_FALSE(r.out.answers.at(0).error);
  EXPECT_EQ(r.durable.server_id, 31U) << "durable before the data are made";
  r.give(in::ServerExited{"killed"});
  ASSERT_NE(r.made(), nullptr);
  EXPECT_EQ(r.made()->server_id, 31U);
}

}  // namespace
}  // namespace mysos
