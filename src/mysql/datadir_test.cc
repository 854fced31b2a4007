// SPDX-License-Identifier: Apache-2.0
#include "mysql/datadir.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace mysos::mysql {
namespace {

TEST(ServerUser, IsNeverRootAndNeverOneThatIsNotThere) {
  EXPECT_EQ(server_user("no-such-user").error().code, Errc::kNotFound);
  const auto root = server_user("root");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().code, ::geteuid() == 0 ? Errc::kInvalid : Errc::kForbidden);
}

TEST(ServerUser, IsNobodyOnlyWhereThatIsAskedForAndNotInSilence) {
  if (::geteuid() != 0) {
    EXPECT_FALSE(server_user("").value());
    EXPECT_EQ(server_user("nobody").error().code, Errc::kForbidden);
    return;
  }
  const auto asked = server_user("nobody");
  ASSERT_TRUE(asked);
  EXPECT_NE(warning_about(*asked).find("--mysql-user"), std::string::npos);

  const auto usual = server_user("");
  if (usual) {
    EXPECT_EQ(warning_about(*usual), "");
  } else {
    EXPECT_NE(usual.error().message.find("useradd"), std::string::npos);
  }
}

TEST(ServerUser, OfOurselvesNothingIsSaid) { EXPECT_EQ(warning_about(std::nullopt), ""); }

}  // namespace
}  // namespace mysos::mysql
