// SPDX-License-Identifier: Apache-2.0
#include "mesos/stout_duration.h"

#include <gtest/gtest.h>

namespace mysos::mesos {
namespace {
using namespace std::chrono_literals;

TEST(StoutDuration, ReadsWhatMesosWrites) {
  EXPECT_EQ(parse_stout_duration("15mins").value(), 15min);
  EXPECT_EQ(parse_stout_duration("2secs").value(), 2s);
  EXPECT_EQ(parse_stout_duration("1.5hrs").value(), 90min);
  EXPECT_EQ(parse_stout_duration("2weeks").value(), 336h);
  EXPECT_EQ(parse_stout_duration("500ms").value(), 500ms);
  EXPECT_EQ(parse_stout_duration("0ns").value(), 0s);
  for (const char* bad : {"", "5", "secs", "5 secs", "-1secs", "5parsecs", "1e300weeks"}) {
    EXPECT_FALSE(parse_stout_duration(bad)) << bad;
  }
}

TEST(StoutDuration, WritesTheLargestExactUnit) {
  EXPECT_EQ(to_stout_text(15min), "15mins");
  EXPECT_EQ(to_stout_text(90s), "90secs");
  EXPECT_EQ(to_stout_text(336h), "2weeks");
  EXPECT_EQ(to_stout_text(1500ms), "1500ms");
}

}  // namespace
}  // namespace mysos::mesos
