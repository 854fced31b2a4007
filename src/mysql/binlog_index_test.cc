// SPDX-License-Identifier: Apache-2.0
#include "mysql/binlog_index.h"

#include <gtest/gtest.h>

#include "base/fs.h"
#include "base/test_dir.h"

namespace mysos::mysql {
namespace {

TEST(BinlogIndex, SaysWhichLogsThereAre) {
  const TestDir dir;
  EXPECT_FALSE(read_binlog_index(dir.path()));
  ASSERT_TRUE(write_file_atomic(dir.path() + "/binlog.index", "./binlog.000003\n/somewhere/binlog.000004\n", 0600));
  const auto index = read_binlog_index(dir.path());
  ASSERT_TRUE(index);
  EXPECT_EQ(*index, (BinlogIndex{"binlog.000003", "binlog.000004"}));
}

TEST(BinlogIndex, ShowsAPurgeAndNothingElse) {
  const BinlogIndex before{"binlog.000003", "binlog.000009"};
  EXPECT_EQ(what_was_purged(before, before), "");
  EXPECT_EQ(what_was_purged(before, {"binlog.000003", "binlog.000010"}), "") << "a new log";
  EXPECT_EQ(what_was_purged(before, {"binlog.000001", "binlog.000001"}), "") << "a reset shows in the GTIDs";
  const std::string said = what_was_purged(before, {"binlog.000008", "binlog.000009"});
  EXPECT_NE(said.find("the oldest one is binlog.000008 now, it was binlog.000003"), std::string::npos) << said;
  EXPECT_NE(what_was_purged({"binlog.999999", "binlog.999999"}, {"binlog.1000000", "binlog.1000000"}), "");
}

}  // namespace
}  // namespace mysos::mysql
