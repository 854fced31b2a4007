// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/input_queue.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

LoopInput report(const char* member, std::uint64_t seq) {
  MemberReport said;
  said.member = MemberId(member);
  said.seq = seq;
  return SchedulerInput(scheduler_input::Reported{said});
}
std::uint64_t seq_of(const std::optional<LoopInput>& input) {
  return std::get<scheduler_input::Reported>(std::get<SchedulerInput>(*input)).report->seq;
}

TEST(InputQueue, KeepsOnlyTheNewestReportOfAMember) {
  InputQueue queue;
  queue.push(report("a", 1));
  queue.push(report("b", 7));
  queue.push(report("a", 2));

  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(seq_of(queue.pop()), 2u);
  EXPECT_EQ(seq_of(queue.pop()), 7u);
  EXPECT_FALSE(queue.pop());
}

TEST(InputQueue, NeverMovesAReportBeforeTheEndOfItsStream) {
  InputQueue queue;
  queue.push(report("a", 1));
  queue.push(SchedulerInput(scheduler_input::WatchLost{MemberId("a"), "gone"}));
  queue.push(report("a", 2));

  ASSERT_EQ(queue.size(), 3u);
  EXPECT_EQ(seq_of(queue.pop()), 1u);
}

void fill(InputQueue& queue, const SchedulerInput& with) {
  while (queue.size() < kMaxQueuedInputs) ASSERT_TRUE(queue.push(with));
}

TEST(InputQueue, IsBoundedButTakesEveryEndOfAnOrder) {
  InputQueue queue;
  fill(queue, scheduler_input::Tick{});

  EXPECT_FALSE(queue.push(SchedulerInput(scheduler_input::Tick{})));
  EXPECT_TRUE(queue.push(SchedulerInput(scheduler_input::OrderDone{.order = 1})));
}

TEST(InputQueue, TheEndOfAStreamIsTakenWhenItIsFullAndTheReportsBeforeItGiveWay) {
  InputQueue queue;
  queue.push(report("a", 1));
  queue.push(report("b", 1));
  queue.push(SchedulerInput(scheduler_input::WatchLost{MemberId("a"), "gone"}));
  queue.push(report("a", 2));
  fill(queue, scheduler_input::Tick{});

  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(queue.push(SchedulerInput(scheduler_input::WatchLost{MemberId("a"), "gone again"})));
    EXPECT_LE(queue.size(), kMaxQueuedInputs) << "only the last end of it waits";
  }
  EXPECT_EQ(std::get<scheduler_input::Reported>(std::get<SchedulerInput>(*queue.pop())).report->member, MemberId("b"));
}

TEST(InputQueue, WhenItIsFullWhatCameFromMesosGivesWayToTheEndOfTheSubscription) {
  InputQueue queue;
  queue.push_mesos(mesos::Heartbeat{});
  fill(queue, scheduler_input::FromMesos{mesos::Heartbeat{}});

  EXPECT_FALSE(queue.push_mesos(mesos::Heartbeat{}));
  ASSERT_EQ(queue.size(), 1u);
  const auto first = queue.pop();
  const auto& event = std::get<scheduler_input::FromMesos>(std::get<SchedulerInput>(*first)).event;
  EXPECT_TRUE(std::holds_alternative<mesos::Disconnected>(event));

  fill(queue, scheduler_input::Tick{});
  EXPECT_FALSE(queue.push_mesos(mesos::Heartbeat{}));
  EXPECT_FALSE(queue.push_mesos(mesos::Heartbeat{}));
  EXPECT_EQ(queue.size(), kMaxQueuedInputs + 1) << "of others; one end of the subscription";
}

TEST(InputQueue, WithdrawsARequestThatIsStillThere) {
  InputQueue queue;
  queue.push(SchedulerInput(Command{RequestId("r1"), {}, "shop", command::Delete{}}));
  queue.push(AuditInput{RequestId("r2"), Event{}});

  EXPECT_TRUE(queue.withdraw(RequestId("r1")));
  EXPECT_FALSE(queue.withdraw(RequestId("r1")));
  EXPECT_TRUE(queue.withdraw(RequestId("r2")));
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace mysos
