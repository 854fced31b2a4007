// SPDX-License-Identifier: Apache-2.0
// What executors tell once, from report to report.
#include "core/reporting/notices.h"

#include "core/reporting/report_world.h"

namespace mysos {
namespace {

class Notices : public ReportWorld {
 protected:
  std::vector<Event> tell(const std::string& executor, std::vector<Notice> notices) {
    MemberReport r = report(kOther);
    r.executor = executor;
    r.notices = std::move(notices);
    return give(r);
  }
  static Notice ended(std::uint64_t seq, const std::string& text) { return {seq, NoticeKind::kReaderEnded, text}; }
};

TEST_F(Notices, AreTheirOwnSentenceAndEachIsToldOnce) {
  EXPECT_TRUE(tell("e", {}).empty());
  const auto told = tell("e", {ended(1, "app@h was ended: the applier waited for a row lock")});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kReaderEnded);
  EXPECT_EQ(told[0].member, kOther.value);
  EXPECT_EQ(told[0].message, "app@h was ended: the applier waited for a row lock");
  EXPECT_TRUE(tell("e", {ended(1, "app@h was ended: the applier waited for a row lock")}).empty());
  EXPECT_EQ(tell("e", {ended(1, "one"), ended(2, "two"), ended(3, "three")}).size(), 2U) << "two came at once";
}

TEST_F(Notices, OfANewExecutorAreNewAndOfOneThatIsFirstSeenOld) {
  EXPECT_TRUE(tell("e", {ended(7, "before this scheduler came")}).empty());
  EXPECT_EQ(tell("f", {ended(1, "one")}).size(), 1U) << "another executor counts anew";
}

TEST_F(Notices, HaveAnEventForEachKind) {
  tell("e", {});
  std::vector<Notice> all;
  for (const auto& name : enum_names(NoticeKind{})) all.push_back({all.size() + 1, name.value, "text"});
  const auto told = tell("e", all);
  ASSERT_EQ(told.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(enum_text(told[i].kind), enum_text(all[i].kind));
}

}  // namespace
}  // namespace mysos
