// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/base64.h"
#include "base/fs.h"
#include "base/test_dir.h"

namespace mysos {
namespace {

bool letters_and_digits(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0; });
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> known[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : known) {
    EXPECT_EQ(base64_encode(plain), coded);
    EXPECT_EQ(base64_decode(coded).value(), plain);
  }
  for (const char* bad : {"Zg", "Zg=", "Zg==x", "Z!==", "====", "Zm9v "})
    EXPECT_FALSE(base64_decode(bad)) << bad;
  EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
}

TEST(Secret, RandomOnesAreOfTheirKindAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string password = random_password(40);
    EXPECT_EQ(password.size(), 40U);
    EXPECT_TRUE(letters_and_digits(password));
    EXPECT_EQ(random_token().size(), 43U);
    seen.insert(password);
    seen.insert(random_token());
    seen.insert(std::to_string(random_seed()));
  }
  EXPECT_EQ(seen.size(), 300U);
}

TEST(Secret, HashesAndDerivedPasswordsAreStable) {
  EXPECT_EQ(hash_token("token"), hash_token("token"));
  EXPECT_NE(hash_token("token"), hash_token("Token"));
  EXPECT_EQ(hash_token("").size(), 64U);
  // BLAKE2b-256 of nothing.
  EXPECT_EQ(hash_token(""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  const std::string derived = hmac_derive("secret", "cluster-1/replication");
  EXPECT_EQ(derived.size(), 32U);
  EXPECT_TRUE(letters_and_digits(derived));
  EXPECT_EQ(derived, hmac_derive("secret", "cluster-1/replication"));
  EXPECT_NE(derived, hmac_derive("secret", "cluster-1/admin"));
  EXPECT_NE(derived, hmac_derive("secret2", "cluster-1/replication"));
  EXPECT_EQ(hmac_derive(std::string(1000, 'x'), "").size(), 32U);
}

TEST(Secret, EqualIsEqual) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
}

TEST(SecretBox, OpensWhatItClosedAndNothingElse) {
  const SecretBox box = SecretBox::with_random_key();
  const std::string plain("pass\0word", 9);
  const std::string sealed = box.encrypt(plain);
  EXPECT_NE(sealed, box.encrypt(plain));
  EXPECT_EQ(box.decrypt(sealed).value(), plain);
  EXPECT_EQ(box.decrypt(box.encrypt("")).value(), "");
  EXPECT_FALSE(SecretBox::with_random_key().decrypt(sealed));
  std::string damaged = sealed;
  damaged[10] = damaged[10] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(box.decrypt(damaged));
  EXPECT_FALSE(box.decrypt("AAAA"));
}

TEST(SecretBox, KeepsItsKeyInAFileOfItsOwn) {
  const TestDir dir;
  const std::string sealed = SecretBox::open(dir / "key").value().encrypt("x");
  struct stat info{};
  ASSERT_EQ(::stat((dir / "key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(SecretBox::open(dir / "key").value().decrypt(sealed).value(), "x");
  ASSERT_EQ(::chmod((dir / "key").c_str(), 0644), 0);
  EXPECT_EQ(SecretBox::open(dir / "key").error().code, Errc::kForbidden);
  ASSERT_TRUE(write_file_atomic(dir / "key", "nonsense", 0600));
  EXPECT_EQ(SecretBox::open(dir / "key").error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace mysos
