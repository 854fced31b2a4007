// SPDX-License-Identifier: Apache-2.0
// The events about a member that is seeded.
#include "core/reporting/seeding_events.h"

#include "core/reporting/report_world.h"

namespace mysos {
namespace {

class Seedings : public ReportWorld {
 protected:
  Seedings() {
    MemberReport primary = report(kPrimary);
    primary.executed = *GtidSet::parse("0-1-9");
    give(primary);
    other_ = report(kOther);
    give(other_);
  }
  void copies() {
    other_.generation = 1;
    other_.seeding = Seeding{};
    other_.seeding->donor = MemberId("c-2");
    other_.seeding->generation = 1;
  }

  MemberReport other_;
};

TEST_F(Seedings, AnErrantMemberIsToldOnceWithWhatOnlyItHolds) {
  other_.role = MemberRole::kErrant;
  other_.received = *GtidSet::parse("0-1-9,0-7-2");
  const auto told = give(other_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kMemberErrant);
  EXPECT_EQ(told[0].member, kOther.value);
  EXPECT_NE(told[0].message.find("0-7-2"), std::string::npos) << told[0].message;
  EXPECT_TRUE(give(other_).empty());
}

// Its server shows no GTID set then, so that nothing could be found in it.
TEST_F(Seedings, AgainstAPrimaryWhoseServerIsDownNobodyIsErrant) {
  MemberReport primary = report(kPrimary);
  primary.server = ServerState::kStarting;
  give(primary);
  other_.role = MemberRole::kErrant;
  other_.received = *GtidSet::parse("0-1-9");
  EXPECT_TRUE(give(other_).empty());
}

TEST_F(Seedings, ACopyIsToldAtItsBeginAndAtItsEnd) {
  copies();
  auto told = give(other_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kSeedingStarted);
  EXPECT_NE(told[0].message.find("c-2"), std::string::npos);
  other_.seeding->bytes = mib(40);
  other_.seeding->took_ms = 3000;
  EXPECT_TRUE(give(other_).empty()) << "progress is no event";
  other_.seeding->state = SeedState::kDone;
  told = give(other_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kSeedingDone);
  EXPECT_NE(told[0].message.find("40 MB in 3000 ms"), std::string::npos) << told[0].message;
  EXPECT_EQ(told[0].took_ms.at("total"), 3000);
  EXPECT_TRUE(give(other_).empty());
}

TEST_F(Seedings, ACopyThatIsCutOffSaysSoAndTheNextOneIsAnother) {
  copies();
  give(other_);
  other_.executor = "e2";  // the one before was killed: this one knows nothing of its donor
  other_.seeding = Seeding{};
  other_.seeding->state = SeedState::kFailed;
  other_.seeding->generation = 1;
  other_.seeding->why = "killed";
  auto told = give(other_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kSeedingFailed);
  EXPECT_NE(told[0].message.find("c-2"), std::string::npos) << told[0].message;
  copies();
  other_.seeding->generation = 2;
  told = give(other_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kSeedingStarted);
}

TEST_F(Seedings, AServerThatEndsByItselfIsToldWithTheReasonOnceEachTime) {
  other_.crashed = true;
  other_.problem = "mysqld: out of memory";
  const auto told = give(other_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kServerEnded);
  EXPECT_EQ(told[0].message, "mysqld: out of memory");
  EXPECT_TRUE(give(other_).empty());

  other_.crashed = false;
  other_.problem.clear();
  EXPECT_TRUE(give(other_).empty());
  other_.crashed = true;
  other_.problem = "mysqld: out of memory";
  EXPECT_EQ(give(other_).size(), 1U);
}

TEST_F(Seedings, WhereTheErrantTransactionsAreIsTold) {
  other_.errant_kept = "errant/0";
  const auto told = give(other_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, EventKind::kErrantKept);
  EXPECT_NE(told[0].message.find("errant/0"), std::string::npos);
}

}  // namespace
}  // namespace mysos
