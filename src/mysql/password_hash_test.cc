// SPDX-License-Identifier: Apache-2.0
#include "mysql/password_hash.h"

#include <gtest/gtest.h>

namespace mysos::mysql {
namespace {

TEST(PasswordHash, OfMariadbIsWhatItsServerStores) {
  EXPECT_EQ(native_password_hash("s"), "*16863C23B2E91537AEAEDDE9D1B40DA2A975C5DC");
  EXPECT_EQ(native_password_hash("a"), "*667F407DE7C6AD07358FA38DAED7828A72014B4E");
}

// The reference of "Unix crypt using SHA-256 and SHA-512", with salts of 20 characters: mysql_real_test logs in with them.
TEST(PasswordHash, OfMysqlHasItsFormAndDependsOnAllOfBoth) {
  const std::string salt = "abcdefghijklmnopqrst";
  const std::string hash = caching_sha2_hash("secret", salt);

  EXPECT_EQ(hash.size(), 7 + kSaltLength + 43);
  EXPECT_TRUE(hash.starts_with("$A$005$" + salt));
  EXPECT_EQ(hash, caching_sha2_hash("secret", salt));
  EXPECT_NE(hash, caching_sha2_hash("secreT", salt));
  EXPECT_NE(hash.substr(27), caching_sha2_hash("secret", "abcdefghijklmnopqrsu").substr(27));
}

}  // namespace
}  // namespace mysos::mysql
