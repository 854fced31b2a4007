// SPDX-License-Identifier: Apache-2.0
#include "mysql/rows.h"

#include <gtest/gtest.h>

namespace mysos::mysql {
namespace {

TEST(Quote, NothingGetsOutOfAString) {
  EXPECT_EQ(quote("plain"), "'plain'");
  EXPECT_EQ(quote("it's"), "'it''s'");
  EXPECT_EQ(quote("\\'; DROP TABLE x; --"), "'\\\\''; DROP TABLE x; --'");
  EXPECT_EQ(quote(std::string_view("a\0b\n", 4)), "'a\\0b\\n'");
}

TEST(Quote, NothingGetsOutOfAName) {
  EXPECT_EQ(quote_name("a`b"), "`a``b`");
  EXPECT_EQ(quote_account("o'x", "%"), "'o''x'@'%'");
}

TEST(Rows, AreLookedUpByColumnName) {
  const Rows rows{.columns = {"a", "b"}, .rows = {{std::nullopt, "17"}}};

  EXPECT_EQ(rows.text(0, "b"), "17");
  EXPECT_EQ(rows.text(0, "a"), "");
  EXPECT_EQ(rows.text(0, "c"), "");
  EXPECT_EQ(rows.text(3, "b"), "");
  EXPECT_EQ(rows.number(0, "b"), 17);
  EXPECT_EQ(rows.number(0, "a"), std::nullopt);
}

}  // namespace
}  // namespace mysos::mysql
