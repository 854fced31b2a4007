// SPDX-License-Identifier: Apache-2.0
#include "base/slot_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/fs.h"
#include "base/test_dir.h"

namespace mysos {
namespace {

class SlotFile : public ::testing::Test {
 protected:
  std::string content() { return read_slot_file(path_).value().value_or("(no file)"); }
  void damage(std::size_t slot) const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(slot * kSlotBytes + 90));
    file << "?";
  }

  TestDir dir_;
  std::string path_ = dir_.path() + "/slots";
};

TEST_F(SlotFile, GivesBackWhatWasWrittenLast) {
  EXPECT_EQ(read_slot_file(path_).value(), std::nullopt);

  for (const std::string text : {"one", "two", "", "four, which is longer", "five"}) {
    ASSERT_TRUE(write_slot_file(path_, text, 0600));
    EXPECT_EQ(content(), text);
  }

  struct stat st{};
  ASSERT_EQ(::stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
}

TEST_F(SlotFile, NeverMovesOrGrows) {
  ASSERT_TRUE(write_slot_file(path_, "one"));
  struct stat before{};
  ASSERT_EQ(::stat(path_.c_str(), &before), 0);

  ASSERT_TRUE(write_slot_file(path_, std::string(kMaxSlotContent, 'x')));

  struct stat after{};
  ASSERT_EQ(::stat(path_.c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_size, before.st_size);
}

TEST_F(SlotFile, AWriteThatWasCutOffLeavesTheOneBefore) {
  ASSERT_TRUE(write_slot_file(path_, std::string(500, 'a')));
  ASSERT_TRUE(write_slot_file(path_, std::string(500, 'b')));  // in slot 1

  damage(1);

  EXPECT_EQ(content(), std::string(500, 'a'));
  ASSERT_TRUE(write_slot_file(path_, "c"));
  EXPECT_EQ(content(), "c");
  damage(0);  // slot 0 is the older one now
  EXPECT_EQ(content(), "c");
}

TEST_F(SlotFile, WithBothSlotsDamagedItIsAnErrorAndNotEmpty) {
  ASSERT_TRUE(write_slot_file(path_, std::string(500, 'a')));
  damage(0);

  EXPECT_EQ(read_slot_file(path_).error().code, Errc::kIo);
  EXPECT_EQ(write_slot_file(path_, "b").error().code, Errc::kIo);
  ASSERT_TRUE(write_file_atomic(path_, ""));
  EXPECT_EQ(read_slot_file(path_).error().code, Errc::kIo);
}

TEST_F(SlotFile, RefusesWhatDoesNotFit) {
  EXPECT_EQ(write_slot_file(path_, std::string(kMaxSlotContent + 1, 'x')).error().code, Errc::kTooLarge);
  EXPECT_EQ(read_slot_file(path_).value(), std::nullopt);
}

}  // namespace
}  // namespace mysos
