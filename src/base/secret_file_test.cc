// SPDX-License-Identifier: Apache-2.0
#include "base/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/test_dir.h"

namespace mysos {
namespace {

TEST(SecretFile, IsMadeOnceAndForItsOwnerOnly) {
  const TestDir dir;
  const std::string file = dir / "secret";

  const auto made = open_secret_file(file);

  ASSERT_TRUE(made);
  EXPECT_GE(made->size(), kLeastOwnSecret);
  struct stat info{};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(open_secret_file(file).value(), *made);
  EXPECT_EQ(read_secret_file(file).value(), *made);
}

TEST(SecretFile, OneThatOthersMayReadIsRefused) {
  const TestDir dir;
  const std::string file = dir / "secret";
  ASSERT_TRUE(write_file_atomic(file, "a secret of some length\n", 0640));

  EXPECT_EQ(read_secret_file(file).error().code, Errc::kForbidden);
  EXPECT_EQ(open_secret_file(file).error().code, Errc::kForbidden);
}

TEST(SecretFile, HoldsOneLine) {
  const TestDir dir;
  const std::string file = dir / "secret";
  EXPECT_EQ(read_secret_file(file).error().code, Errc::kNotFound);
  ASSERT_TRUE(write_file_atomic(file, "short\r\n", 0600));
  EXPECT_EQ(read_secret_file(file).value(), "short");
  EXPECT_EQ(open_secret_file(file).error().code, Errc::kInvalid);
  ASSERT_TRUE(write_file_atomic(file, "two\nlines\n", 0600));
  EXPECT_EQ(read_secret_file(file).error().code, Errc::kInvalid);
  ASSERT_TRUE(write_file_atomic(file, "\n", 0600));
  EXPECT_EQ(read_secret_file(file).error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace mysos
