// SPDX-License-Identifier: Apache-2.0
#include "scheduler/input_queue.h"

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

TEST(InputQueue, IsBoundedButTakesEveryEndOfAnOrder) {
  InputQueue queue;
  for (std::size_t i = 0; i < kMaxQueuedInputs; ++i) {
    EXPECT_TRUE(queue.push(SchedulerInput(scheduler_input::FromMesos{mesos::Heartbeat{}})));
  }
  EXPECT_FALSE(queue.push(SchedulerInput(scheduler_input::Tick{})));
  EXPECT_TRUE(queue.push(SchedulerInput(scheduler_input::OrderDone{.order = 1})));

  queue.drop_mesos();
  EXPECT_EQ(queue.size(), 1u);
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
