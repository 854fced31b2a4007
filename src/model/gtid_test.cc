// SPDX-License-Identifier: Apache-2.0
#include "model/gtid.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

constexpr char kA[] = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
constexpr char kB[] = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

GtidSet set(const std::string& text) {
  auto parsed = GtidSet::parse(text);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}
std::string mysql(const std::string& numbers) { return std::string(kA) + ":" + numbers; }

TEST(GtidSet, ReadsAndWritesBothFlavours) {
  const std::string texts[] = {"", mysql("1-5"), mysql("1-5:8:10-11"), mysql("1-3") + "," + kB + ":7",
                               mysql("audit:1-9"), "0-101-57", "0-101-57,0-102-60,3-7-1"};
  for (const auto& text : texts) EXPECT_EQ(set(text).to_string(), text);
}

TEST(GtidSet, ReadsWhatServersPrint) {
  EXPECT_EQ(set(std::string(kA) + ":1-5,\n" + kB + ":1").to_string(), std::string(kA) + ":1-5," + kB + ":1");
  EXPECT_EQ(set("3E11FA47-71CA-11E1-9E33-C80AA9429562:1").to_string(), mysql("1"));
  EXPECT_EQ(set(mysql("1-3:4-6")).to_string(), mysql("1-6"));
  EXPECT_EQ(set(mysql("1-3:tag:1-2")).to_string(), mysql("1-3") + "," + kA + ":tag:1-2");
}

TEST(GtidSet, RefusesWhatIsNone) {
  for (const char* text : {"x", "0-1", "0-1-x", "1-2-3-4", ":1", "3e11fa47:1", "3e11fa47-71ca-11e1-9e33-c80aa9429562:",
                           "3e11fa47-71ca-11e1-9e33-c80aa9429562:5-1", "3e11fa47-71ca-11e1-9e33-c80aa9429562:0"}) {
    EXPECT_FALSE(GtidSet::parse(text)) << text;
  }
}

TEST(GtidSet, AMariadbTransactionIsErrantWhenItsWriterHasFewerElsewhere) {
  const GtidSet primary = set("0-1-9,0-2-15");

  EXPECT_TRUE(primary.contains(set("0-1-9")));
  EXPECT_FALSE(primary.contains(set("0-1-10")));
  EXPECT_EQ(set("0-1-10").minus(primary).count(), 1U);
}

TEST(GtidSet, ContainsUniteMinusAgreeOnEverySmallSet) {
  // All pairs of subsets of 1..5, against sets of bits.
  const auto build = [](unsigned bits) {
    GtidSet s;
    for (unsigned i = 0; i < 5; ++i) {
      if (bits & (1U << i)) s.add(kA, i + 1, i + 1);
    }
    return s;
  };
  for (unsigned a = 0; a < 32; ++a) {
    for (unsigned b = 0; b < 32; ++b) {
      EXPECT_EQ(build(a).contains(build(b)), (a & b) == b);
      EXPECT_EQ(build(a).united(build(b)), build(a | b));
      EXPECT_EQ(build(a).minus(build(b)), build(a & ~b)) << a << " " << b;
    }
  }
}

}  // namespace
}  // namespace mysos
