// SPDX-License-Identifier: Apache-2.0
#include "core/orders.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const MemberId kMember("c-0");

class Desk {
 public:
  // How many orders went out for this.
  std::size_t want(const std::optional<Order>& order) {
    next = desk.want(kMember, false, order, now);
    const auto out = ledger.take().orders;
    if (!out.empty()) last = out.back().id;
    return out.size();
  }
  void pass(Duration d) { now += d; }

  Instant now{seconds(100)};
  Ledger ledger{SchedulerState{}, Prng(1)};
  OrderDesk desk{ledger, seconds(10), 1};
  Instant next = kNever;
  std::uint64_t last = 0;
};

order::Follow follow(Pair pair, std::uint64_t read) {
  order::Follow f{pair, MemberId("c-1"), "h", 1, true, {}};
  f.source_executed.add("s", 1, read);
  return f;
}

TEST(Orders, AnIdenticalOneIsNotSentTwiceBeforeItsAnswer) {
  Desk d;
  EXPECT_EQ(d.want(order::Fence{{1, 0}}), 1U);
  EXPECT_EQ(d.want(order::Fence{{1, 0}}), 0U);
  EXPECT_EQ(d.next, d.now + seconds(10));
  d.pass(seconds(11));
  EXPECT_EQ(d.want(order::Fence{{1, 0}}), 0U) << "given up, then a pause";
  d.pass(milliseconds(60));
  EXPECT_EQ(d.want(order::Fence{{1, 0}}), 1U);
}

TEST(Orders, FailuresBackOffUntilTheOrderChanges) {
  Desk d;
  Duration pause{};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(d.want(order::Promote{{1, 1}, 1, {}, {}, {}}), 1U);
    EXPECT_TRUE(d.desk.done(kMember, d.last, d.now));
    EXPECT_EQ(d.want(order::Promote{{1, 1}, 1, {}, {}, {}}), 0U);
    pause = d.next - d.now;
    d.pass(pause);
  }
  EXPECT_EQ(pause, kOrderBackoffMax);
  EXPECT_EQ(d.want(order::Promote{{1, 1}, 1, {}, {}, {}}), 1U);
  EXPECT_TRUE(d.desk.done(kMember, d.last, d.now));
  EXPECT_EQ(d.want(order::Promote{{1, 2}, 1, {}, {}, {}}), 1U) << "a changed one goes at once";
}

TEST(Orders, ANewerReadOfThePrimaryIsNoNewOrder) {
  Desk d;
  EXPECT_EQ(d.want(follow({1, 1}, 5)), 1U);
  EXPECT_EQ(d.want(follow({1, 1}, 6)), 0U);
  EXPECT_TRUE(d.desk.done(kMember, d.last, d.now));
  EXPECT_EQ(d.want(follow({1, 1}, 7)), 0U) << "it waits its turn";
  d.pass(milliseconds(50));
  EXPECT_EQ(d.want(follow({1, 1}, 8)), 1U);
}

TEST(Orders, ANewerReadOfTheDonorIsNoNewOrder) {
  Desk d;
  order::Rebuild rebuild{{1, 1}, 0, Donor{MemberId("c-1"), "h", 1, 2}};
  EXPECT_EQ(d.want(rebuild), 1U);
  EXPECT_TRUE(d.desk.done(kMember, d.last, d.now));
  rebuild.holds.add("s", 1, 9);
  EXPECT_EQ(d.want(rebuild), 0U) << "it waits its turn";
}

TEST(Orders, AFenceNeverWaitsBehindAnOlderOrder) {
  Desk d;
  EXPECT_EQ(d.want(order::Promote{{1, 1}, 1, {}, {}, {}}), 1U);
  const auto promote = d.last;
  EXPECT_EQ(d.want(follow({1, 1}, 1)), 0U) << "one in flight, the same pair";
  EXPECT_EQ(d.want(order::Fence{{2, 0}}), 1U);
  EXPECT_FALSE(d.desk.done(kMember, promote, d.now)) << "nobody waits for that answer any more";
  EXPECT_EQ(d.want(follow({2, 1}, 1)), 1U) << "a higher pair overtakes too";
}

TEST(Orders, AnOverdueAnswerToWhatNobodyWantsIsForgotten) {
  Desk d;
  EXPECT_EQ(d.want(order::Fence{{1, 0}}), 1U);
  d.pass(seconds(10));
  EXPECT_EQ(d.want(std::nullopt), 0U);
  EXPECT_EQ(d.next, kNever);
}

TEST(Orders, SetupHasALaneOfItsOwn) {
  Desk d;
  d.desk.want(kMember, true, order::Fence{{1, 0}}, d.now);
  EXPECT_EQ(d.ledger.take().orders.size(), 2U);
}

}  // namespace
}  // namespace mysos
