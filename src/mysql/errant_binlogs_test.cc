// SPDX-License-Identifier: Apache-2.0
#include "mysql/errant_binlogs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/fs.h"

namespace mysos::mysql {
namespace {

std::string little(std::uint64_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
std::string event(std::uint8_t type, std::uint32_t server, const std::string& body) {
  return little(0, 4) + static_cast<char>(type) + little(server, 4) + little(19 + body.size(), 4) + little(0, 6) + body;
}
std::string mariadb_gtid(std::uint32_t server, std::uint64_t n) {
  return event(162, server, little(n, 8) + little(0, 4) + std::string(7, '\0'));
}
std::string mysql_gtid(std::uint64_t n) {
  return event(33, 1, std::string(1, '\0') + std::string(16, '\xab') + little(n, 8) + std::string(18, '\0'));
}
constexpr std::string_view kUuid = "abababab-abab-abab-abab-abababababab";
std::string log_of(const std::string& events) { return "\xfe" "bin" + event(15, 1, std::string(60, 'f')) + events; }

class Errant : public testing::Test {
 protected:
  Errant() {
    std::string name = testing::TempDir() + "mysos-errant-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    std::filesystem::create_directories(data());
  }
  ~Errant() override { std::filesystem::remove_all(dir_); }
  [[nodiscard]] std::string data() const { return dir_ + "/data"; }
  [[nodiscard]] std::string kept(const std::string& name) const { return dir_ + "/errant/" + name; }
  void put(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(write_file_atomic(data() + "/" + name, content));
  }
  [[nodiscard]] ErrantSpec spec(const std::string& errant, std::uint64_t generation = 4) const {
    return {FlavourKind::kMariadb, data(), dir_ + "/errant", generation, *GtidSet::parse(errant)};
  }
  std::string dir_;
};

TEST_F(Errant, TheTransactionsOfABinlogAreNamed) {
  put("a", log_of(mariadb_gtid(7, 3) + event(2, 7, std::string(5000, 'q')) + mariadb_gtid(7, 4) + mariadb_gtid(9, 5)));
  EXPECT_EQ(gtids_in_binlog(data() + "/a", FlavourKind::kMariadb)->to_string(), "0-7-4,0-9-5");
  GtidSet two;
  two.add(std::string(kUuid), 6, 7);
  put("b", log_of(mysql_gtid(6) + event(2, 1, "x") + mysql_gtid(7)));
  EXPECT_EQ(*gtids_in_binlog(data() + "/b", FlavourKind::kMysql), two);
}

TEST_F(Errant, ATornEndIsNoError) {
  const std::string whole = log_of(mysql_gtid(6) + mysql_gtid(7));
  put("a", whole.substr(0, whole.size() - 3));
  GtidSet one;
  one.add(std::string(kUuid), 6, 6);
  EXPECT_EQ(*gtids_in_binlog(data() + "/a", FlavourKind::kMysql), one);
  put("b", "");
  EXPECT_TRUE(gtids_in_binlog(data() + "/b", FlavourKind::kMysql)->empty());
}

TEST_F(Errant, OnlyTheLogsThatHoldThemAreKept) {
  put("binlog.000001", log_of(mariadb_gtid(7, 1)));
  put("binlog.000002", log_of(mariadb_gtid(7, 2) + mariadb_gtid(8, 3)));
  put("relay.000003", log_of(mariadb_gtid(8, 4)));
  put("binlog.index", "x");
  GtidSet errant;
  errant.add("0-8", 3, 4);
  ErrantSpec s = spec("");
  s.errant = errant;
  ASSERT_TRUE(keep_errant_binlogs(s).value());
  EXPECT_FALSE(path_exists(kept("4/binlog.000001")));
  EXPECT_TRUE(path_exists(kept("4/binlog.000002")));
  EXPECT_TRUE(path_exists(kept("4/relay.000003")));
  EXPECT_NE(read_file(kept("4/README"))->find(errant.to_string()), std::string::npos);
  EXPECT_TRUE(path_exists(data() + "/binlog.000001"));
  EXPECT_TRUE(keep_errant_binlogs(s).value()) << "cut off and begun again";
  EXPECT_TRUE(path_exists(kept("4/binlog.000002")));
}

TEST_F(Errant, NothingIsKeptWhereNothingIsErrant) {
  put("binlog.000001", log_of(mariadb_gtid(7, 1)));
  EXPECT_FALSE(keep_errant_binlogs(spec("")).value());
  EXPECT_FALSE(keep_errant_binlogs(spec("0-9-9")).value());
  EXPECT_FALSE(path_exists(dir_ + "/errant"));
}

TEST_F(Errant, OfManyGenerationsTheNewestStay) {
  for (std::uint64_t generation = 8; generation < 13; ++generation) {
    put("binlog.000001", log_of(mariadb_gtid(7, generation)));
    ErrantSpec s = spec("", generation);
    s.errant.add("0-7", generation, generation);
    ASSERT_TRUE(keep_errant_binlogs(s).value());
  }
  EXPECT_EQ(*list_dir(dir_ + "/errant"), (std::vector<std::string>{"10", "11", "12"}));
}

TEST_F(Errant, NoMoreThanTheLimitIsKept) {
  put("binlog.000001", log_of(mariadb_gtid(7, 1)));
  put("binlog.000002", log_of(mariadb_gtid(7, 2)));
  // Sparse: it only looks large. Its end is no event.
  std::filesystem::resize_file(data() + "/binlog.000001", kMaxKept.value);
  ErrantSpec s = spec("");
  s.errant.add("0-7", 1, 2);
  ASSERT_TRUE(keep_errant_binlogs(s).value());
  EXPECT_TRUE(path_exists(kept("4/binlog.000002"))) << "the newest first";
  EXPECT_FALSE(path_exists(kept("4/binlog.000001")));
  EXPECT_NE(read_file(kept("4/README"))->find("did not fit"), std::string::npos);
}

}  // namespace
}  // namespace mysos::mysql
