// SPDX-License-Identifier: Apache-2.0
// The pipeline around the real core, and a volume that the test plays.
#include "core/member/pipeline.h"

#include <gtest/gtest.h>

#include <utility>

namespace mysos {
namespace {
using namespace std::chrono_literals;
namespace in = member_input;

constexpr Instant kStart{1h};

struct MemberPipelineTest : ::testing::Test {
  MemberPipeline pipeline{MemberCore({}, {.member = MemberId("c-0")}, true)};

  // A server that runs, and all promises durable.
  MemberPipelineTest() {
    pipeline.push(in::Tick{});
    pipeline.push(in::DatadirReady{});
    pipeline.push(in::ServerUp{"i1", "11.4", "257"});
    pipeline.push(in::Snapshot{});
    while (pipeline.next() != nullptr) {
      if (!pipeline.step(kStart)) (void)pipeline.durable();
    }
  }
  void hold_a_fence() {
    pipeline.push(in::OrderGiven{7, order::Fence{{3, 0}}});
    EXPECT_FALSE(pipeline.step(kStart));
  }
  MemberReport report(bool server_alive = true) {
    const SharedValue<MemberReport> now = pipeline.report(server_alive);
    return *now;
  }
  // What waits, in its order.
  std::vector<MemberInput> waiting() {
    std::vector<MemberInput> all;
    for (;;) {
      if (pipeline.promise() != nullptr) (void)pipeline.durable();
      if (pipeline.next() == nullptr) return all;
      all.push_back(*pipeline.next());
      (void)pipeline.step(kStart);
    }
  }
};

TEST_F(MemberPipelineTest, WhatFollowsFromAPromiseLeavesOnceItIsDurable) {
  hold_a_fence();
  ASSERT_NE(pipeline.promise(), nullptr);
  EXPECT_EQ(pipeline.promise()->pair, (Pair{3, 0}));
  EXPECT_TRUE(pipeline.durable().plan);
  EXPECT_EQ(pipeline.promise(), nullptr);
}

TEST_F(MemberPipelineTest, TheCoreGetsNothingWhileAPromiseIsNotDurable) {
  hold_a_fence();
  pipeline.push(in::Snapshot{});
  EXPECT_EQ(pipeline.next(), nullptr);
  EXPECT_EQ(pipeline.due(), kNever);

  (void)pipeline.durable();
  EXPECT_NE(pipeline.next(), nullptr);
}

TEST_F(MemberPipelineTest, ReportsSayWhatIsDurableAndWhyNothingMoreIs) {
  const std::uint64_t before = report().seq;
  hold_a_fence();
  (void)pipeline.refused("no space left");
  const MemberReport held = report();
  EXPECT_EQ(held.promised, Pair{});
  EXPECT_EQ(held.role, MemberRole::kIdle);
  EXPECT_TRUE(held.busy);
  EXPECT_EQ(held.problem, "no space left");
  EXPECT_GT(held.seq, before);
  EXPECT_EQ(held.server, ServerState::kRunning);
  EXPECT_EQ(report(false).server, ServerState::kExited) << "its exit waits";

  (void)pipeline.durable();
  EXPECT_EQ(report().promised, (Pair{3, 0}));
  EXPECT_EQ(report().problem, "");
}

TEST_F(MemberPipelineTest, AReportOfWhatIsDurableIsThereForEachPromise) {
  hold_a_fence();
  (void)pipeline.durable();
  pipeline.push(in::OrderGiven{8, order::Fence{{4, 0}}});
  EXPECT_FALSE(pipeline.step(kStart));
  EXPECT_EQ(report().promised, (Pair{3, 0})) << "of which no report was made before";
}

TEST_F(MemberPipelineTest, ARefusedPromiseIsTriedAgainEverMoreRarely) {
  hold_a_fence();
  EXPECT_EQ(pipeline.refused("full"), 100ms);
  EXPECT_EQ(pipeline.refused("full"), 200ms);
  for (int i = 0; i < 10; ++i) EXPECT_LE(pipeline.refused("full"), 5s);
  (void)pipeline.durable();
  pipeline.push(in::OrderGiven{8, order::Fence{{4, 0}}});
  EXPECT_FALSE(pipeline.step(kStart));
  EXPECT_EQ(pipeline.refused("full"), 100ms);
}

TEST_F(MemberPipelineTest, OfWhatIsSeenOnlyTheNewestWaits) {
  hold_a_fence();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ServerSnapshot seen;
    seen.semi_sync_clients = static_cast<std::uint32_t>(i);
    pipeline.push(in::Snapshot{seen});
    pipeline.push(in::Unanswered{});
    pipeline.push(in::Contact{.scheduler = i % 2 == 0, .peers = {}});
    pipeline.push(in::VolumeProbed{"full"});
    pipeline.push(in::SeedProgress{mib(i)});
    pipeline.push(in::Guarded{.tampered = {"t"}, .repaired = {"r" + std::to_string(i)}});
    pipeline.push(in::Noticed{NoticeKind::kReaderEnded, std::to_string(i)});
    pipeline.push(in::Tick{});
  }
  const std::vector<MemberInput> all = waiting();
  EXPECT_EQ(all.size(), 7 + kMaxWaitingNotices);
  for (const MemberInput& input : all) {
    if (const auto* seen = std::get_if<in::Snapshot>(&input)) EXPECT_EQ(seen->server.semi_sync_clients, 999u);
    if (const auto* guarded = std::get_if<in::Guarded>(&input)) {
      EXPECT_EQ(guarded->tampered.size(), 1u);
      EXPECT_EQ(guarded->repaired.size(), kMaxWaitingNotices) << "the newest of what was repaired";
      EXPECT_EQ(guarded->repaired.back(), "r999");
    }
    if (const auto* notice = std::get_if<in::Noticed>(&input)) EXPECT_GE(std::stoul(notice->text), 1000 - kMaxWaitingNotices);
  }
}

TEST_F(MemberPipelineTest, WhatHappenedToTheServerWaitsInItsOrder) {
  hold_a_fence();
  pipeline.push(in::Snapshot{});
  pipeline.push(in::ServerExited{"killed"});
  pipeline.push(in::ServerUp{"i2", "11.4", "257"});
  pipeline.push(in::Snapshot{});
  const std::vector<MemberInput> all = waiting();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<in::ServerExited>(all[0]));
  EXPECT_TRUE(std::holds_alternative<in::ServerUp>(all[1]));
  EXPECT_TRUE(std::holds_alternative<in::Snapshot>(all[2]));
}

TEST_F(MemberPipelineTest, AnOrderWhoseCallerHasGoneIsWithdrawnIfItWaits) {
  hold_a_fence();
  pipeline.push(in::OrderGiven{8, order::Fence{{4, 0}}});
  EXPECT_TRUE(pipeline.withdraw(8));
  EXPECT_FALSE(pipeline.withdraw(8));
  EXPECT_FALSE(pipeline.withdraw(7)) << "the core has it";
  (void)pipeline.durable();
  EXPECT_EQ(pipeline.next(), nullptr);
}

}  // namespace
}  // namespace mysos
