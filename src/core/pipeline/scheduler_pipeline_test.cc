// SPDX-License-Identifier: Apache-2.0
// The pipeline around the real core, and a store that the test plays.
#include "core/pipeline/scheduler_pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mysos {
namespace {
using namespace std::chrono_literals;

constexpr Instant kStart{1h};

SchedulerConfig config() {
  SchedulerConfig c;
  c.versions = {{"mariadb-10.11", Flavour::kMariadb, mib(128)}};
  return c;
}

struct Pipeline : ::testing::Test {
  SchedulerCore core{SchedulerState{}, config(), Prng(1), kStart};
  SchedulerPipeline pipeline{core};

  Pipeline() { turn(kStart); }  // what the core wants to do at first

  void create(const std::string& name) {
    command::Create what{ClusterSpec{.name = name, .user = "anna"}, "sealed", "hash", {}};
    EXPECT_TRUE(pipeline.push(SchedulerInput(Command{RequestId("r-" + name), {}, name, std::move(what)})));
  }
  // As the shell does it, but for the store: false, there was nothing to do.
  bool turn(Instant now) {
    if (pipeline.due() > now) return false;
    pipeline.decided(pipeline.decide(now), now);
    while (pipeline.commit() != nullptr && pipeline.commit()->output.records.empty()) left.push_back(pipeline.durable(now));
    return true;
  }
  [[nodiscard]] bool answered(const std::string& name) const {
    return std::ranges::any_of(left, [&](const SchedulerOutput& o) {
      return std::ranges::count(o.replies, RequestId("r-" + name), &Reply::request) > 0;
    });
  }
  [[nodiscard]] std::size_t specs() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(pipeline.commit()->output.records, [](const Record& r) { return r.kind == "spec"; }));
  }

  std::vector<SchedulerOutput> left;  // what may be carried out, in its order
};

TEST_F(Pipeline, WhatFollowsFromARecordLeavesOnceItIsDurable) {
  create("shop");
  ASSERT_TRUE(turn(kStart));
  ASSERT_NE(pipeline.commit(), nullptr);
  EXPECT_EQ(specs(), 1u);
  EXPECT_FALSE(answered("shop"));

  left.push_back(pipeline.durable(kStart + 2ms));
  EXPECT_TRUE(answered("shop"));
  EXPECT_EQ(pipeline.commit(), nullptr);
}

TEST_F(Pipeline, WhatHasNoRecordsIsDurableAtOnce) {
  pipeline.push(AuditInput{RequestId("r-read"), Event{.kind = EventKind::kCredentialsRead}});
  EXPECT_TRUE(turn(kStart));
  EXPECT_TRUE(answered("read"));
}

TEST_F(Pipeline, WhatWaitsMakesOneCommitUpToABound) {
  for (std::size_t i = 0; i < kMaxInputsPerCommit + 1; ++i) create("c" + std::to_string(i));
  ASSERT_TRUE(turn(kStart));
  EXPECT_EQ(specs(), kMaxInputsPerCommit);
  EXPECT_EQ(pipeline.inputs(), 1u);
}

TEST_F(Pipeline, TheCoreWaitsForACommitThatIsUnderWay) {
  create("shop");
  ASSERT_TRUE(turn(kStart));
  create("blog");
  EXPECT_FALSE(turn(kStart + 100ms));
  EXPECT_EQ(pipeline.due(), kStart + kCommitPatience);

  left.push_back(pipeline.durable(kStart + 120ms));
  EXPECT_TRUE(turn(kStart + 120ms));
  EXPECT_EQ(specs(), 1u);
}

TEST_F(Pipeline, TheCoreGoesOnWithoutACommitThatDoesNotCome) {
  create("shop");
  ASSERT_TRUE(turn(kStart));
  create("blog");
  const Instant later = kStart + kCommitPatience;
  ASSERT_TRUE(turn(later));
  EXPECT_TRUE(core.state().find_by_name("blog")) << "it is decided";
  EXPECT_EQ(specs(), 1u) << "and not in the commit that is under way";
  create("wiki");
  EXPECT_TRUE(turn(later)) << "nothing more is waited for";
  EXPECT_EQ(pipeline.store_trouble(later + 600ms), "the disk of the state directory has not answered for 2 s");

  left.push_back(pipeline.durable(later + 600ms));
  EXPECT_TRUE(answered("shop"));
  EXPECT_FALSE(answered("blog"));
  EXPECT_EQ(specs(), 2u) << "what gathered is the next commit";
  const auto& events = pipeline.commit()->output.events;
  EXPECT_TRUE(std::ranges::count(events, EventKind::kStoreRecovered, &Event::kind) == 1);
  EXPECT_EQ(pipeline.store_trouble(later + 600ms), "");
}

TEST_F(Pipeline, ACommitThatIsRefusedIsTriedAgainEverMoreRarelyAndTheCoreGoesOnAtOnce) {
  create("shop");
  ASSERT_TRUE(turn(kStart));
  EXPECT_EQ(pipeline.refused("no space left"), 100ms);
  EXPECT_EQ(pipeline.refused("no space left"), 200ms);
  EXPECT_EQ(pipeline.store_trouble(kStart), "no space left");
  EXPECT_EQ(pipeline.store_refusal(), "no space left");
  for (int i = 0; i < 10; ++i) EXPECT_LE(pipeline.refused("no space left"), 5s);

  create("blog");
  EXPECT_TRUE(turn(kStart + 1ms));
  EXPECT_FALSE(answered("shop") || answered("blog"));
  left.push_back(pipeline.durable(kStart + 3s));
  EXPECT_EQ(pipeline.store_refusal(), "");
  EXPECT_EQ(pipeline.refused("again"), 100ms) << "the pauses are a commit's own";
}

TEST_F(Pipeline, OfOrdersThatWaitAMemberGetsTheNewestOfEachKind) {
  const auto order = [](std::uint64_t id, const char* member, Order what) {
    return SentOrder{.id = id, .member = MemberId(member), .order = std::move(what), .deadline = 1s};
  };
  create("shop");
  ASSERT_TRUE(turn(kStart));
  SchedulerOutput first, second;
  first.orders = {order(1, "a", order::Fence{{2, 0}}), order(2, "a", order::Setup{}), order(3, "b", order::Fence{{2, 0}})};
  second.orders = {order(4, "a", order::Fence{{3, 0}})};
  pipeline.decided(std::move(first), kStart);
  pipeline.decided(std::move(second), kStart);

  (void)pipeline.durable(kStart + 1ms);
  std::vector<std::uint64_t> ids;
  for (const SentOrder& sent : pipeline.commit()->output.orders) ids.push_back(sent.id);
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{2, 3, 4}));
}

TEST_F(Pipeline, NothingMoreIsDecidedWhileTooMuchWaitsForTheStore) {
  create("shop");
  ASSERT_TRUE(turn(kStart));
  (void)pipeline.refused("no space left");
  SchedulerOutput much;
  much.events.resize(kMaxUndone + 1);
  pipeline.decided(std::move(much), kStart);
  create("blog");
  EXPECT_EQ(pipeline.due(), kNever);

  (void)pipeline.durable(kStart + 1s);
  (void)pipeline.durable(kStart + 1s);
  EXPECT_TRUE(turn(kStart + 1s));
}

TEST_F(Pipeline, ARequestThatWaitsCanBeWithdrawn) {
  create("shop");
  ASSERT_TRUE(turn(kStart));
  create("blog");
  EXPECT_TRUE(pipeline.withdraw(RequestId("r-blog")));
  EXPECT_FALSE(pipeline.withdraw(RequestId("r-shop")));
}

}  // namespace
}  // namespace mysos
