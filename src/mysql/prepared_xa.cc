// SPDX-License-Identifier: Apache-2.0
#include "mysql/prepared_xa.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>

#include "base/fd.h"
#include "base/fs.h"
#include "base/units.h"

namespace mysos::mysql {
namespace {

constexpr std::size_t kMostShown = 3;
constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr Bytes kMostLooked = gib(2);  // of binlogs, in one look

// "Binary Log Event" of the MySQL source documentation: a header of 19 bytes (timestamp 4, type 1, server id 4, length 4,
// position 4, flags 2), little-endian, then the event, and a checksum of 4 bytes where the description says so.
constexpr std::size_t kMagic = 4;
constexpr std::string_view kMagicBytes = "\xfe"
                                         "bin";
constexpr std::size_t kHeader = 19;
constexpr std::size_t kChecksum = 4;
constexpr std::uint8_t kQuery = 2;         // thread 4, seconds 4, length of the schema 1, error 2, length of the status 2
constexpr std::uint8_t kDescription = 15;  // ..., how checksums are made 1, a checksum
constexpr std::uint8_t kXaPrepare = 38;    // one phase 1, format 4, length of the global part 4, of the branch 4, both
constexpr std::uint8_t kCompressed = 40;
constexpr std::size_t kQueryHead = 13;
constexpr std::size_t kMostOfQuery = 2048;  // XA COMMIT and XA ROLLBACK are shorter, whatever the schema and the status
constexpr std::size_t kXaHead = 13;

std::uint32_t little(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t out = 0;
  for (std::size_t i = size; i-- > 0;) out = out << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return out;
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned byte = 0;
    const auto [end, ec] = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    if (ec != std::errc{} || end != hex.data() + i + 2) return std::nullopt;
    out += static_cast<char>(byte);
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return out;
}

// X'6131'
std::optional<std::string> take_literal(std::string_view& text) {
  if (!text.starts_with("X'")) return std::nullopt;
  const std::size_t end = text.find('\'', 2);
  if (end == std::string_view::npos) return std::nullopt;
  auto out = from_hex(text.substr(2, end - 2));
  text.remove_prefix(end + 1);
  return out;
}

// X'6131',X'',1
std::optional<Xid> parse_xid(std::string_view text) {
  Xid out;
  auto global = take_literal(text);
  if (!global || !text.starts_with(',')) return std::nullopt;
  text.remove_prefix(1);
  auto branch = take_literal(text);
  if (!branch || !text.starts_with(',')) return std::nullopt;
  text.remove_prefix(1);
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out.format);
  if (ec != std::errc{} || end == text.data()) return std::nullopt;
  out.global = *std::move(global);
  out.branch = *std::move(branch);
  return out;
}

}  // namespace

std::string Xid::sql() const { return fmt::format("X'{}',X'{}',{}", to_hex(global), to_hex(branch), format); }

std::string Xid::shown() const {
  const auto plain = [](const std::string& s) {
    return std::ranges::all_of(s, [](unsigned char c) { return std::isprint(c) != 0 && c != '\'' && c != '\\'; });
  };
  if (!plain(global) || !plain(branch)) return sql();
  return branch.empty() ? fmt::format("'{}'", global) : fmt::format("'{}','{}'", global, branch);
}

std::set<Xid> prepared_xids(const Rows& recover) {
  std::set<Xid> out;
  for (std::size_t i = 0; i < recover.size(); ++i) {
    std::string data = recover.text(i, "data");
    const auto global = static_cast<std::size_t>(recover.number(i, "gtrid_length").value_or(0));
    const auto branch = static_cast<std::size_t>(recover.number(i, "bqual_length").value_or(0));
    if (data.size() != global + branch && data.starts_with("0x")) data = from_hex(data.substr(2)).value_or("");
    if (data.size() != global + branch) continue;
    out.insert({recover.number(i, "formatID").value_or(0), data.substr(0, global), data.substr(global)});
  }
  return out;
}

std::string shown(const std::set<Xid>& xids) {
  std::string out;
  std::size_t n = 0;
  for (const Xid& x : xids) {
    if (n++ == kMostShown) break;
    out += (out.empty() ? "" : ", ") + x.shown();
  }
  if (xids.size() > kMostShown) out += fmt::format(" and {} more", xids.size() - kMostShown);
  return out;
}

void XaBinlogScanner::feed(std::string_view bytes) {
  while (!bytes.empty() && !unreadable_) {
    const std::uint64_t skipped = std::min<std::uint64_t>(skip_, bytes.size());
    bytes.remove_prefix(skipped);
    skip_ -= skipped;
    if (wanted_ == 0) wanted_ = magic_ ? kHeader : kMagic;
    const std::size_t part = std::min(wanted_ - start_.size(), bytes.size());
    start_ += bytes.substr(0, part);
    bytes.remove_prefix(part);
    if (start_.size() < wanted_) return;
    if (!magic_) {
      unreadable_ = start_ != kMagicBytes;
      magic_ = true;
    } else if (length_ == 0) {
      length_ = little(start_, 9, 4);
      if (length_ < kHeader) return void(unreadable_ = true);
      const std::size_t type = static_cast<std::uint8_t>(start_[4]);
      const bool looked_at = type == kQuery || type == kDescription || type == kXaPrepare;
      wanted_ = looked_at ? std::min<std::size_t>(length_, kHeader + kMostOfQuery) : kHeader;
      if (start_.size() < wanted_) continue;
      take_event();
    } else {
      take_event();
    }
    start_.clear();
    wanted_ = 0;
  }
}

void XaBinlogScanner::take_event() {
  skip_ = length_ - start_.size();
  const bool whole = start_.size() == length_;
  const auto type = static_cast<std::uint8_t>(start_[4]);
  const std::size_t tail = checksums_ && whole && type != kDescription ? kChecksum : 0;
  length_ = 0;
  if (start_.size() < kHeader + tail) return;
  const std::string_view body = std::string_view(start_).substr(kHeader, start_.size() - kHeader - tail);
  if (type == kCompressed) unreadable_ = true;
  if (type == kDescription && whole && body.size() > kChecksum) checksums_ = body[body.size() - kChecksum - 1] == 1;
  if (type == kXaPrepare && body.size() >= kXaHead) {
    const std::size_t global = little(body, 5, 4), branch = little(body, 9, 4);
    if (body.size() < kXaHead + global + branch) return void(unreadable_ = true);
    const auto format = static_cast<std::int32_t>(little(body, 1, 4));
    const bool one_phase = body[0] != 0;
    const std::string_view data = body.substr(kXaHead, global + branch);
    words_[{format, std::string(data.substr(0, global)), std::string(data.substr(global))}] = !one_phase;
  }
  if (type != kQuery || body.size() < kQueryHead) return;
  const std::size_t text = kQueryHead + little(body, 11, 2) + little(body, 8, 1) + 1;
  if (text > body.size()) return;
  std::string_view query = body.substr(text);
  for (const std::string_view end : {"XA COMMIT ", "XA ROLLBACK "}) {
    if (!query.starts_with(end)) continue;
    if (const auto xid = parse_xid(query.substr(end.size()))) words_[*xid] = false;
  }
}

std::optional<std::map<Xid, bool>> XaBinlogScanner::words() const {
  if (unreadable_) return std::nullopt;
  return words_;
}

Result<std::set<Xid>> prepared_in_binlogs(const std::string& datadir, std::size_t wanted) {
  std::set<Xid> prepared, ended;
  Bytes looked{};
  MYSOS_TRY(const auto names, list_dir(datadir));
  std::string piece(kPiece, '\0');
  for (auto name = names.rbegin(); name != names.rend() && prepared.size() < wanted; ++name) {
    if (!name->starts_with("binlog.") || name->find_first_not_of("0123456789", 7) != std::string::npos) continue;
    const std::string path = datadir + "/" + *name;
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return std::unexpected(errno_error("opening", path, errno));
    XaBinlogScanner scanner;
    for (;;) {
      const ssize_t n = ::read(file.get(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return std::unexpected(errno_error("reading", path, errno));
      if (n == 0) break;
      scanner.feed(std::string_view(piece).substr(0, static_cast<std::size_t>(n)));
      looked.value += static_cast<std::uint64_t>(n);
      if (looked > kMostLooked) return fail(Errc::kConflict, "the binlogs are too long to be looked through");
    }
    const auto words = scanner.words();
    if (!words) return fail(Errc::kConflict, path + " is compressed or encrypted");
    for (const auto& [xid, is_prepared] : *words) {
      if (prepared.contains(xid) || ended.contains(xid)) continue;
      (is_prepared ? prepared : ended).insert(xid);
    }
  }
  if (prepared.size() != wanted) return fail(Errc::kConflict, "the binlogs do not name every prepared transaction");
  return prepared;
}

}  // namespace mysos::mysql
