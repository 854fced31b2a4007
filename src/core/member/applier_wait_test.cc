// SPDX-License-Identifier: Apache-2.0
#include "core/member/applier_wait.h"

#include <gtest/gtest.h>

#include <string>

namespace mysos {
namespace {

using std::chrono::seconds;

const std::string kLock = "a row lock that no session holds; prepared XA transactions there: 'a1'";

TEST(ApplierWait, LastsFromTheFirstLookThatFindsIt) {
  ApplierWait wait;
  wait.looked("Update_rows", kLock, false, seconds(1));
  EXPECT_EQ(wait.told_ms(seconds(4)), 3000U);
  EXPECT_EQ(wait.waits_for(), kLock);
  wait.looked("", "", false, seconds(5));
  EXPECT_EQ(wait.told_ms(seconds(5)), 4000U) << "the server tries again";
  wait.looked("Update_rows", kLock, false, seconds(7));
  EXPECT_EQ(wait.told_ms(seconds(7)), 6000U);
  wait.looked("altering table", "", false, seconds(9));
  wait.looked("altering table", "", false, seconds(11));
  EXPECT_EQ(wait.told_ms(seconds(11)), 0U);
  EXPECT_EQ(wait.waits_for(), "");
  EXPECT_EQ(wait.does(), "altering table");
}

TEST(ApplierWait, BeginsAnewWhereSessionsWereEnded) {
  ApplierWait wait;
  wait.looked("x", kLock, false, seconds(1));
  wait.looked("x", "", true, seconds(3));
  wait.looked("x", kLock, false, seconds(5));
  EXPECT_EQ(wait.told_ms(seconds(7)), 2000U);
  wait.moved();
  EXPECT_EQ(wait.told_ms(seconds(7)), 0U);
}

}  // namespace
}  // namespace mysos
