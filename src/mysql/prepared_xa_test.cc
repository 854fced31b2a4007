// SPDX-License-Identifier: Apache-2.0
// Prepared XA transactions, as a server lists them and as its binlogs tell of them.
#include "mysql/prepared_xa.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace mysos::mysql {
namespace {

std::string number(std::uint64_t value, int size) {
  std::string out;
  for (int i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
std::string event(int type, const std::string& body) {
  const std::string sum = type == 15 ? "" : "0000";  // digits, as the end of a query could be
  const std::size_t size = 19 + body.size() + sum.size();
  const std::string head = number(0, 4) + number(static_cast<std::uint64_t>(type), 1) + number(1, 4) + number(size, 4);
  return head + number(0, 6) + body + sum;
}
const std::string kBegin = "\xfe"
                           "bin" + event(15, std::string(57, '\0') + '\1' + "sums");
std::string prepare(const std::string& global, bool one_phase = false) {
  return event(38, number(one_phase ? 1 : 0, 1) + number(1, 4) + number(global.size(), 4) + number(0, 4) + global);
}
std::string query(const std::string& text) {
  return event(2, number(7, 4) + number(0, 4) + number(1, 1) + number(0, 2) + number(3, 2) + "abc" + "d" + number(0, 1) + text);
}
std::string rows(std::size_t size) { return event(30, std::string(size, 'x')); }
Xid xid(const std::string& global) { return {1, global, ""}; }

std::optional<std::map<Xid, bool>> words(const std::string& file, std::size_t piece) {
  XaBinlogScanner s;
  for (std::size_t i = 0; i < file.size(); i += piece) s.feed(std::string_view(file).substr(i, piece));
  return s.words();
}

TEST(PreparedXa, AreListedByBothFlavours) {
  const std::vector<std::string> columns = {"formatID", "gtrid_length", "bqual_length", "data"};
  Rows mysql{.columns = columns, .rows = {{"7", "3", "1", "0x6C6F6362"}}};
  Rows mariadb{.columns = columns, .rows = {{"7", "3", "1", "locb"}}};
  EXPECT_EQ(prepared_xids(mysql), (std::set<Xid>{{7, "loc", "b"}}));
  EXPECT_EQ(prepared_xids(mysql), prepared_xids(mariadb));
  EXPECT_EQ((Xid{7, "loc", "b"}.sql()), "X'6C6F63',X'62',7");
  EXPECT_EQ((Xid{7, "loc", "b"}.shown()), "'loc','b'");
  EXPECT_EQ((Xid{-1, std::string("\0'", 2), ""}.shown()), "X'0027',X'',-1");
  EXPECT_EQ(shown({xid("a"), xid("b"), xid("c"), xid("d")}), "'a', 'b', 'c' and 1 more");
}

TEST(PreparedXa, ALogHasALastWordOnEach) {
  const std::string file = kBegin + query("XA START X'6131',X'',1") + rows(5000) + query("XA END X'6131',X'',1") +
                           prepare("a1") + prepare("a2") + query("INSERT INTO t VALUES (1)") +
                           query("XA COMMIT X'6131',X'',1") + rows(10) + prepare("a3", true) + prepare("a4") +
                           query("XA ROLLBACK X'6134',X'',1") + prepare("a4");
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, file.size()}) {
    const auto found = words(file, piece);
    ASSERT_TRUE(found);
    const std::map<Xid, bool> expected{{xid("a1"), false}, {xid("a2"), true}, {xid("a3"), false}, {xid("a4"), true}};
    EXPECT_EQ(*found, expected) << piece;
  }
}

TEST(PreparedXa, ALogThatCannotBeReadSaysNothing) {
  EXPECT_FALSE(words(kBegin + event(40, "compressed"), 100));
  EXPECT_FALSE(words("\xfd" "bin" + prepare("a1"), 100)) << "encrypted";
}

TEST(PreparedXa, AreFoundInTheNewestLogsOrNothingIsCertain) {
  const std::string dir = std::filesystem::temp_directory_path() / ("mysos-xa-" + std::to_string(::getpid()));
  std::filesystem::create_directory(dir);
  const auto write = [&](const std::string& name, const std::string& text) { std::ofstream(dir + "/" + name) << text; };
  write("binlog.000001", kBegin + prepare("old") + prepare("a1") + prepare("a2"));
  write("binlog.000002", kBegin + query("XA COMMIT X'6132',X'',1"));
  write("binlog.000003", kBegin + prepare("a3"));
  write("binlog.index", "no log");
  EXPECT_EQ(prepared_in_binlogs(dir, 1).value(), (std::set<Xid>{xid("a3")}));
  EXPECT_EQ(prepared_in_binlogs(dir, 3).value(), (std::set<Xid>{xid("a1"), xid("a3"), xid("old")}));
  EXPECT_FALSE(prepared_in_binlogs(dir, 2)) << "more are prepared than the server has";
  EXPECT_FALSE(prepared_in_binlogs(dir, 4));
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace mysos::mysql
