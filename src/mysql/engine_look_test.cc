// SPDX-License-Identifier: Apache-2.0
#include "mysql/engine_look.h"

#include <gtest/gtest.h>

namespace mysos::mysql {
namespace {

using std::chrono::seconds;

Rows counts(const std::string& made, const std::string& altered) {
  Rows out;
  out.columns = {"Variable_name", "Value"};
  out.rows = {{"Com_create_table", made}, {"Com_alter_table", altered}};
  return out;
}

TEST(EngineLook, ListsAfterAStatementThatMakesATableAndOnceMore) {
  EngineLook look(flavour(FlavourKind::kMariadb));
  Instant now{seconds(1000)};
  const auto due = [&](const std::string& made, const std::string& altered) {
    now += seconds(1);
    return look.due(counts(made, altered), now);
  };
  EXPECT_TRUE(due("5", "1")) << "never looked";
  EXPECT_TRUE(due("5", "1")) << "the statement may have been under way";
  EXPECT_FALSE(due("5", "1"));
  EXPECT_TRUE(due("5", "2"));
  EXPECT_TRUE(due("5", "2"));
  EXPECT_FALSE(due("5", "2"));
  now += seconds(60);
  EXPECT_TRUE(due("5", "2")) << "a statement may take long";
  EXPECT_FALSE(due("5", "2"));
}

TEST(EngineLook, NamesTheTables) {
  EngineLook look(flavour(FlavourKind::kMysql));
  Rows tables;
  tables.columns = {"db", "name", "engine"};
  look.take(tables);
  EXPECT_FALSE(look.found());
  tables.rows = {{"d", "a\nb", "MEMORY"}, {"d", std::string(64, 'x'), "MyISAM"}};
  look.take(tables);
  ASSERT_TRUE(look.found());
  EXPECT_EQ(look.found()->what, "tables are not InnoDB: d.a?b (MEMORY), d." + std::string(40, 'x') + "... (MyISAM)");
  EXPECT_TRUE(look.found()->here.empty() && look.found()->replicated.empty());
  for (int i = 0; i < 3; ++i) tables.rows.push_back({"d", "t", "Aria"});
  look.take(tables);
  EXPECT_TRUE(look.found()->what.ends_with(" and 2 more"));
  tables.rows.clear();
  look.take(tables);
  EXPECT_FALSE(look.found());
}

}  // namespace
}  // namespace mysos::mysql
