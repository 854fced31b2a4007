// SPDX-License-Identifier: Apache-2.0
// What is told of users' sessions that were ended, from report to report.
#include "core/reader_events.h"

#include <gtest/gtest.h>

#include "core/reporting.h"

namespace mysos {
namespace {

class ReaderEvents : public testing::Test {
 protected:
  ReaderEvents() { table_.sync(ledger_.state(), Instant{}); }
  static SchedulerState state() {
    Cluster c;
    c.id = ClusterId("c");
    c.spec.name = "shop";
    Member m;
    m.id = MemberId("c-1");
    m.stage = MemberStage::kRunning;
    m.task = TaskId("t");
    m.volume_name = "v";
    c.members.push_back(m);
    SchedulerState s;
    s.clusters[c.id] = c;
    return s;
  }
  std::vector<Event> give(const std::string& executor, std::vector<EndedReaders> ended) {
    MemberReport r;
    r.member = MemberId("c-1");
    r.task = TaskId("t");
    r.volume = "v";
    r.executor = executor;
    r.readers_ended = std::move(ended);
    r.seq = ++seq_;
    note_report(ledger_, table_, r, Instant{});
    return ledger_.take().events;
  }
  Ledger ledger_{state(), Prng(1)};
  MemberTable table_;
  std::uint64_t seq_ = 0;
};

TEST_F(ReaderEvents, AreTheirOwnSentenceAndEachIsToldOnce) {
  EXPECT_TRUE(give("e", {}).empty());
  const auto told = give("e", {{1, "app@h was ended: the applier waited for a row lock"}});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, "reader_ended");
  EXPECT_EQ(told[0].member, "c-1");
  EXPECT_EQ(told[0].message, "app@h was ended: the applier waited for a row lock");
  EXPECT_TRUE(give("e", {{1, "app@h was ended: the applier waited for a row lock"}}).empty());
  EXPECT_EQ(give("e", {{1, "one"}, {2, "two"}, {3, "three"}}).size(), 2U) << "two came at once";
}

TEST_F(ReaderEvents, OfANewExecutorAreNewAndOfOneThatIsFirstSeenOld) {
  EXPECT_TRUE(give("e", {{7, "before this scheduler came"}}).empty());
  EXPECT_EQ(give("f", {{1, "one"}}).size(), 1U) << "another executor counts anew";
}

}  // namespace
}  // namespace mysos
