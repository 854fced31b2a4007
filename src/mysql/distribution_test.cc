// SPDX-License-Identifier: Apache-2.0
#include "mysql/distribution.h"

#include <gtest/gtest.h>

namespace mysos::mysql {
namespace {

Distribution a(FlavourKind kind, Version version) {
  Distribution out;
  out.kind = kind;
  out.version = version;
  return out;
}
const std::vector<Distribution> kSome = {a(FlavourKind::kMysql, {9, 7, 4}), a(FlavourKind::kMysql, {8, 4, 2}),
                                         a(FlavourKind::kMariadb, {10, 11, 19}), a(FlavourKind::kMariadb, {10, 11, 5})};

TEST(ServerVersion, IsReadFromWhatEachFlavourSays) {
  const auto mysql = parse_server_version("/opt/x/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))\n");
  const auto mariadb = parse_server_version(
      "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)\n");

  ASSERT_TRUE(mysql && mariadb);
  EXPECT_EQ(mysql->kind, FlavourKind::kMysql);
  EXPECT_EQ(mysql->version, (Version{9, 7, 4}));
  EXPECT_EQ(mariadb->kind, FlavourKind::kMariadb);
  EXPECT_EQ(to_string(mariadb->version), "10.11.19");
  EXPECT_EQ(mariadb->full, "10.11.19-MariaDB-0+deb12u1");
}

TEST(ServerVersion, RefusesWhatIsNone) {
  EXPECT_FALSE(parse_server_version("bash: not found"));
  EXPECT_FALSE(parse_server_version("mysqld  Ver next"));
}

TEST(ChooseDistribution, TakesTheNewestPatchOfAName) {
  EXPECT_EQ(choose_distribution(kSome, "mariadb-10.11")->version.patch, 19U);
  EXPECT_EQ(choose_distribution(kSome, "mysql-8.4")->name(), "mysql-8.4");
  EXPECT_EQ(choose_distribution(kSome, "mysql")->name(), "mysql-9.7");
  EXPECT_EQ(choose_distribution(kSome, "")->name(), "mysql-9.7");
}

TEST(ChooseDistribution, SaysWhatThereIs) {
  const auto wrong = choose_distribution(kSome, "mariadb-10.1");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Errc::kNotFound);
  EXPECT_NE(wrong.error().message.find("mysql-9.7, mysql-8.4, mariadb-10.11"), std::string::npos) << wrong.error().message;

  const auto none = choose_distribution({}, "");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("--mysql-root"), std::string::npos);
}

}  // namespace
}  // namespace mysos::mysql
