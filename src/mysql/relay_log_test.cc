// SPDX-License-Identifier: Apache-2.0
// Relay logs made here, whole, cut off and damaged. That real ones read alike is seen in relay_real_test.cc.
#include "mysql/relay_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "base/fs.h"
#include "base/prng.h"
#include "base/test_dir.h"

namespace mysos::mysql {
namespace {

// Bit by bit, so that it is not the scanner's own that it is held to.
std::uint32_t slow_crc(std::string_view bytes) {
  std::uint32_t c = 0xFFFFFFFF;
  for (const char byte : bytes) {
    c ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ (0xEDB88320U & (0U - (c & 1)));
  }
  return ~c;
}

template <class Number>
void put(std::string& to, Number n, std::size_t bytes = sizeof(Number)) {
  for (std::size_t i = 0; i < bytes; ++i) to += static_cast<char>(static_cast<std::uint64_t>(n) >> (8 * i));
}

// A relay log, as the receiver writes it.
class Log {
 public:
  static constexpr std::uint16_t kArtificial = 0x20, kOfRelay = 0x40;
  explicit Log(bool with_source = true) {
    bytes = "\xfe" "bin";
    description(2, kOfRelay);
    if (!with_source) return;
    event(4, std::string("\4\0\0\0\0\0\0\0binlog.000001", 21), 1, kArtificial, false);
    description(1, 0);
    source_end = 256;
  }
  Log& event(std::uint8_t type, const std::string& body, std::uint32_t server = 1, std::uint16_t flags = 0, bool ends = true) {
    std::string e;
    put(e, 1U);
    put(e, type);
    put(e, server);
    put(e, static_cast<std::uint32_t>(19 + body.size() + 4));
    if (ends) source_end += static_cast<std::uint32_t>(19 + body.size() + 4);
    put(e, ends ? source_end : 0U);
    put(e, flags);
    e += body;
    put(e, slow_crc(e));
    bytes += e;
    ends_at.push_back(bytes.size());
    return *this;
  }
  Log& description(std::uint32_t server, std::uint16_t flags, char checksums = 1) {
    std::string body;
    put(body, std::uint16_t{4});
    body += std::string("10.11.19-MariaDB");
    body.resize(52);
    put(body, 1U);
    body += char{19};
    body += std::string(171, '\0');
    body += checksums;
    return event(15, body, server, flags, false);
  }
  Log& gtid(std::uint64_t number, std::uint8_t flags = 0, std::uint32_t server = 1) {
    std::string body;
    put(body, number);
    put(body, 0U);
    put(body, flags);
    body.resize(19);
    return event(162, body, server, 8);
  }
  Log& rows(std::size_t size = 30) { return event(19, std::string(20, 't')).event(23, std::string(size, 'r')); }
  Log& xid() { return event(16, std::string(8, 'x')); }
  Log& query(const std::string& text) { return event(2, std::string(20, 'q') + std::string("d\0", 2) + text); }
  Log& write(std::uint64_t number, std::uint32_t server = 1) { return gtid(number, 0, server).rows().xid(); }
  Log& ddl(std::uint64_t number) { return gtid(number, 1).query("CREATE TABLE t (i INT)"); }

  std::string bytes;
  std::vector<std::size_t> ends_at;  // of each event
  std::uint32_t source_end = 0;
};

Result<GtidSet> scan(const std::vector<std::string>& files, std::size_t piece = 1 << 20) {
  RelayLogScanner scanner;
  for (const std::string& file : files) {
    scanner.begin_file();
    for (std::size_t at = 0; at < file.size(); at += piece) scanner.feed(std::string_view(file).substr(at, piece));
    scanner.end_file();
  }
  return scanner.held();
}
std::string held(const std::vector<std::string>& files, std::size_t piece = 1 << 20) {
  const auto found = scan(files, piece);
  return found ? found->to_string() : "? " + found.error().message;
}

TEST(RelayLog, HoldsTheTransactionsThatAreWhole) {
  Log log;
  log.ddl(1).write(2).gtid(3).rows(9000).query("COMMIT").gtid(4).rows().event(38, "xa").gtid(5, 0x81).query("XA COMMIT 'a'");
  log.write(9, 7);

  EXPECT_EQ(held({log.bytes}), "0-1-5,0-7-9");
  for (const std::size_t piece : {1U, 3U, 19U, 4096U}) EXPECT_EQ(held({log.bytes}, piece), "0-1-5,0-7-9") << piece;
}

TEST(RelayLog, ATransactionWithoutItsEndWasNotAcknowledged) {
  Log log;
  log.write(1).gtid(2).rows();
  EXPECT_EQ(held({log.bytes}), "0-1-1");
  log.query("SAVEPOINT a").rows();
  EXPECT_EQ(held({log.bytes}), "0-1-1");
  EXPECT_EQ(held({log.xid().bytes}), "0-1-2");
  EXPECT_EQ(held({Log().gtid(1, 1).event(5, "an INTVAR").bytes}), "");
}

TEST(RelayLog, ATransactionMayGoOnInTheNextFile) {
  Log first, second(false);
  first.write(1).gtid(2).rows();
  second.source_end = first.source_end;
  second.event(4, "relay", 1, Log::kArtificial, false).rows().xid();

  EXPECT_EQ(held({first.bytes, second.bytes}), "0-1-2");
  EXPECT_EQ(held({first.bytes, Log().write(3).bytes}), "0-1-3") << "a new connection gave the rest of it up";
  EXPECT_TRUE(held({second.bytes}).starts_with("?")) << "its beginning is missing";
}

TEST(RelayLog, NothingIsSaidWhereItIsNotCertain) {
  struct Case {
    const char* what;
    std::string bytes;
  };
  const std::string good = Log().write(1).bytes;
  std::string no_magic = good;
  no_magic[0] = 'x';
  const Case cases[] = {
      {"not a binlog", no_magic},
      {"no description", std::string("\xfe" "bin") + good.substr(4 + 252)},
      {"no checksums", Log().description(1, 0, 0).write(1).bytes},
      {"encrypted", Log().event(164, std::string(20, 'k')).write(1).bytes},
      {"an unknown type", Log().event(200, "?").write(1).bytes},
      {"a write without a GTID", Log().rows().xid().bytes},
      {"a transaction without an end", Log().gtid(1).rows().gtid(2).rows().xid().bytes},
      {"a short GTID", Log().event(162, "0123456789").bytes},
      {"number 0", Log().write(0).bytes},
      {"a second end", Log().write(1).xid().bytes},
      {"a length of nothing", good + std::string(19, '\0')},
  };
  for (const Case& c : cases) EXPECT_TRUE(held({c.bytes}).starts_with("?")) << c.what << ": " << held({c.bytes});
}

TEST(RelayLog, AFileThatWasJustMadeHoldsNothing) {
  EXPECT_EQ(held({}), "");
  EXPECT_EQ(held({"", "\xfe" "b", Log(false).bytes}), "");
  EXPECT_EQ(held({Log().write(4).bytes, ""}), "0-1-4");
}

TEST(RelayLog, ADescriptionThatIsMarkedAsInUseIsRight) {
  Log log(false);
  log.bytes[4 + 17] = static_cast<char>(log.bytes[4 + 17] | 1);
  EXPECT_EQ(held({log.write(1).bytes}), "0-1-1");
}

// The random ones below have one seed each, so that a failure is told by its number.
Log random_log(Prng& prng, std::vector<std::pair<std::size_t, GtidSet>>& whole) {
  Log log;
  GtidSet all;
  std::uint64_t number = 0;
  for (std::uint64_t n = 3 + prng.below(6); n > 0; --n) {
    std::uint32_t server = 1 + static_cast<std::uint32_t>(prng.below(2));
    ++number;
    switch (prng.below(5)) {
      case 0: log.ddl(number), server = 1; break;
      case 1: log.gtid(number, 0, server).rows(prng.below(700)).query("COMMIT"); break;
      case 2: log.event(163, std::string(14, 'l')).write(number, server); break;
      default: log.write(number, server); break;
    }
    all.add("0-" + std::to_string(server), 1, number);
    whole.emplace_back(log.bytes.size(), all);
  }
  return log;
}

TEST(RelayLog, OneThatIsCutOffAnywhereHoldsAllThatCameBeforeOrSaysNothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng prng(seed);
    std::vector<std::pair<std::size_t, GtidSet>> whole;
    const Log log = random_log(prng, whole);
    const std::size_t step = 1 + prng.below(7);
    for (std::size_t cut = 0; cut < log.bytes.size(); cut += step) {
      GtidSet expected;
      for (const auto& [end, set] : whole) {
        if (end <= cut) expected = set;
      }
      const auto found = scan({log.bytes.substr(0, cut)});
      // From the first event of the source on, a tail that was being written is no reason to say nothing.
      if (cut >= log.ends_at[3]) ASSERT_TRUE(found) << "seed " << seed << ", cut at " << cut << ": " << found.error().message;
      if (found) ASSERT_EQ(*found, expected) << "seed " << seed << ", cut at " << cut;
    }
  }
}

TEST(RelayLog, OneThatIsDamagedAnywhereNeverHoldsLessThanItDid) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    Prng prng(seed);
    std::vector<std::pair<std::size_t, GtidSet>> whole;
    Log log = random_log(prng, whole);
    for (std::uint64_t flips = 1 + prng.below(3); flips > 0; --flips) {
      const std::size_t at = prng.below(log.bytes.size());
      log.bytes[at] = static_cast<char>(log.bytes[at] ^ (1 << prng.below(8)));
    }
    const auto found = scan({log.bytes}, 1 + prng.below(5000));
    if (found) ASSERT_TRUE(found->contains(whole.back().second)) << "seed " << seed << ": " << found->to_string();
  }
}

TEST(RelayLog, EachBitOfTheLastTransactionCounts) {
  Log log;
  log.write(1).write(2);
  for (std::size_t at = log.ends_at[log.ends_at.size() - 5]; at < log.bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = log.bytes;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      ASSERT_TRUE(held({bad}).starts_with("?")) << "byte " << at << ", bit " << bit << ": " << held({bad});
    }
  }
}

TEST(RelayLog, GarbageIsNoAnswer) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Prng prng(seed);
    std::string bytes = prng.chance(500) ? Log().write(1).bytes : std::string("\xfe" "bin");
    const std::size_t good = bytes.size();
    for (std::uint64_t n = 23 + prng.below(5000); n > 0; --n) bytes += static_cast<char>(prng.below(256));
    ASSERT_TRUE(held({bytes}).starts_with("?")) << "seed " << seed << ", after " << good << " good bytes";
  }
}

// ---- files ----

class RelayFiles : public testing::Test {
 protected:
  void put_file(const std::string& name, const std::string& bytes) const {
    ASSERT_TRUE(write_file_atomic(data() + "/" + name, bytes));
  }
  [[nodiscard]] std::string data() const { return dir_ / "data"; }
  [[nodiscard]] std::string kept() const { return dir_ / "kept"; }
  void SetUp() override { ASSERT_TRUE(make_dirs(data())); }
  [[nodiscard]] std::string read() const {
    const auto found = read_relay_logs(data());
    return found ? found->to_string() : "? " + found.error().message;
  }
  TestDir dir_;
};

TEST_F(RelayFiles, AreMadeDurableWhereTheyAre) {
  EXPECT_TRUE(sync_relay_logs(data())) << "there are none";
  put_file("relay.000001", "a");
  put_file("relay.000002", "b");
  EXPECT_TRUE(sync_relay_logs(data()));
  ASSERT_EQ(::symlink("/dev/null", (data() + "/relay.000003").c_str()), 0);
  EXPECT_FALSE(sync_relay_logs(data())) << "none of the server's";
  EXPECT_FALSE(sync_relay_logs(data() + "/nowhere"));
}

TEST_F(RelayFiles, AreReadInTheOrderOfTheirNumbers) {
  EXPECT_EQ(read(), "") << "a server that never followed has none";
  Log first;
  first.write(1).gtid(2).rows();
  Log second(false);
  second.rows().xid();
  put_file("relay.000002", first.bytes);
  put_file("relay.000003", second.bytes);
  put_file("relay-log.info", "5\n");
  put_file("relay.index", "./relay.000002\n./relay.000003\n");
  EXPECT_EQ(read(), "0-1-2");
}

TEST_F(RelayFiles, OneThatIsMissingIsNoticed) {
  put_file("relay.000001", Log().write(1).bytes);
  EXPECT_TRUE(read().starts_with("?")) << "without an index";
  put_file("relay.index", "./relay.000001\n");
  EXPECT_EQ(read(), "0-1-1");
  put_file("relay.index", "./relay.000001\n./relay.000002\n");
  EXPECT_TRUE(read().starts_with("?")) << "the last is gone";
  put_file("relay.000003", Log().write(3).bytes);
  put_file("relay.index", "./relay.000001\n");
  EXPECT_TRUE(read().starts_with("?")) << "one in between is gone";
  put_file("relay.000002", Log().write(2).bytes);
  EXPECT_EQ(read(), "0-1-3") << "made, and not in the index yet";
  put_file("relay.index", "./relay.000001\ngarbage\n");
  EXPECT_TRUE(read().starts_with("?"));
}

TEST_F(RelayFiles, AreKeptOnceUnderNamesOfTheirOwn) {
  put_file("relay.000001", Log().write(1).bytes);
  ASSERT_TRUE(keep_relay_logs(data(), kept()));
  ASSERT_TRUE(keep_relay_logs(data(), kept())) << "a server that did not come up";
  EXPECT_EQ(list_dir(kept()).value(), (std::vector<std::string>{"1-relay.000001"}));

  ASSERT_TRUE(remove_file(data() + "/relay.000001"));
  put_file("relay.000001", Log().write(2).bytes);
  ASSERT_TRUE(keep_relay_logs(data(), kept()));
  EXPECT_EQ(list_dir(kept()).value(), (std::vector<std::string>{"1-relay.000001", "2-relay.000001"}));
  EXPECT_EQ(read_file(kept() + "/1-relay.000001").value(), Log().write(1).bytes);
}

}  // namespace
}  // namespace mysos::mysql
