// SPDX-License-Identifier: Apache-2.0
#include "base/did_you_mean.h"

#include <gtest/gtest.h>

#include <vector>

namespace mysos {
namespace {

TEST(DidYouMean, CountsEdits) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("members", "Members"), 0U);
  EXPECT_EQ(edit_distance("mebmers", "members"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(DidYouMean, FindsASlipButInventsNothing) {
  const std::vector<std::string> known = {"members", "memory", "cpus", "mem", "disk"};
  EXPECT_EQ(did_you_mean("member", known), " (did you mean 'members'?)");
  EXPECT_EQ(nearest_name("dsik", known), "disk");
  EXPECT_EQ(nearest_name("cpu", known), "cpus");
  EXPECT_EQ(nearest_name("replicas", known), std::nullopt);
  EXPECT_EQ(nearest_name("x", known), std::nullopt);
  EXPECT_EQ(nearest_name("", known), std::nullopt);
  EXPECT_EQ(did_you_mean(std::string(5000, 'x'), known), "");
}

}  // namespace
}  // namespace mysos
