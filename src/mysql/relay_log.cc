// SPDX-License-Identifier: Apache-2.0
// The format: MariaDB's "Replication Protocol" (event header, GTID event, checksums); which event ends a transaction: as the
// server's own receiver sees it, which goes on after the last whole one when it connects again.
#include "mysql/relay_log.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

namespace mysos::mysql {
namespace {

constexpr std::string_view kMagic = "\xfe" "bin";
constexpr std::uint32_t kHeader = 19;
constexpr std::uint32_t kChecksum = 4;
constexpr std::uint32_t kLooked = 4096;             // of an event, at most; the small ones tell all
constexpr std::uint32_t kMaxEvent = (1U << 30) + (1U << 20);  // slave_max_allowed_packet, and what surrounds a packet
constexpr std::size_t kMaxSources = 4096;

// Event types.
enum : std::uint8_t {
  kQuery = 2, kStop = 3, kRotate = 4, kIntvar = 5, kAppendBlock = 9, kDeleteFile = 11, kRand = 13, kUserVar = 14,
  kDescription = 15, kXid = 16, kBeginLoad = 17, kExecuteLoad = 18, kTableMap = 19, kFirstRows = 20, kLastRowsV1 = 25,
  kIncident = 26, kHeartbeat = 27, kFirstRowsV2 = 30, kLastRowsV2 = 32, kXaPrepare = 38, kAnnotate = 160, kCheckpoint = 161,
  kGtid = 162, kGtidList = 163, kEncryption = 164, kQueryCompressed = 165, kLastRowsCompressed = 171,
};
constexpr std::uint16_t kInUse = 0x1, kArtificial = 0x20, kOfRelay = 0x40;  // flags of a header
constexpr std::uint8_t kStandalone = 0x1;                                   // flag of a GTID event

template <class Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number out = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    out = static_cast<Number>(static_cast<std::uint64_t>(out) << 8 | static_cast<unsigned char>(bytes[at + i]));
  }
  return out;
}

// CRC-32 of `bytes`, which follow those that `before` is of.
std::uint32_t crc_of(std::string_view bytes, std::uint32_t before = 0) {
  return static_cast<std::uint32_t>(
      ::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

bool between(std::uint8_t type, std::uint8_t first, std::uint8_t last) { return first <= type && type <= last; }

// Stands in a transaction, and tells what it does or prepares that.
bool part_of_group(std::uint8_t type) {
  switch (type) {
    case kQuery: case kIntvar: case kAppendBlock: case kDeleteFile: case kRand: case kUserVar: case kXid: case kBeginLoad:
    case kExecuteLoad: case kTableMap: case kIncident: case kXaPrepare: case kAnnotate: return true;
    default:
      return between(type, kFirstRows, kLastRowsV1) || between(type, kFirstRowsV2, kLastRowsV2) ||
             between(type, kQueryCompressed, kLastRowsCompressed);
  }
}

bool only_prepares(std::uint8_t type) {
  return type == kIntvar || type == kRand || type == kUserVar || type == kTableMap || type == kAnnotate;
}

}  // namespace

void RelayLogScanner::doubt(std::string why) {
  if (!doubt_) doubt_ = fmt::format("{} (at {} of a relay log)", why, offset_);
}

Result<GtidSet> RelayLogScanner::held() const {
  if (doubt_) return fail(Errc::kInvalid, *doubt_);
  GtidSet out;
  for (const auto& [source, last] : last_) out.add(fmt::format("{}-{}", source.first, source.second), 1, last);
  return out;
}

// ---- events, out of pieces ----

void RelayLogScanner::begin_file() {
  offset_ = 0;
  described_ = false;
  source_end_.reset();
  start_.clear();
  seen_ = 0;
}

void RelayLogScanner::feed(std::string_view bytes) {
  while (!bytes.empty() && !doubt_) {
    const std::size_t taken = offset_ + seen_ < kMagic.size() ? gather_magic(bytes)
                              : seen_ < kHeader               ? gather_header(bytes)
                                                              : gather_body(bytes);
    bytes.remove_prefix(taken);
    if (doubt_ || seen_ < kHeader || seen_ < header_.length) continue;
    take_event();
    offset_ += seen_;
    seen_ = 0;
    start_.clear();
  }
}

std::size_t RelayLogScanner::gather_magic(std::string_view bytes) {
  const std::size_t n = std::min(bytes.size(), kMagic.size() - static_cast<std::size_t>(offset_));
  if (bytes.substr(0, n) != kMagic.substr(static_cast<std::size_t>(offset_), n)) {
    doubt("it does not begin as a binlog: perhaps it is encrypted");
  }
  offset_ += n;
  return n;
}

std::size_t RelayLogScanner::gather_header(std::string_view bytes) {
  const std::size_t n = std::min<std::size_t>(bytes.size(), kHeader - seen_);
  start_ += bytes.substr(0, n);
  seen_ += static_cast<std::uint32_t>(n);
  if (seen_ == kHeader) read_header();
  return n;
}

void RelayLogScanner::read_header() {
  header_ = {.type = number_at<std::uint8_t>(start_, 4),
             .server = number_at<std::uint32_t>(start_, 5),
             .length = number_at<std::uint32_t>(start_, 9),
             .end = number_at<std::uint32_t>(start_, 13),
             .flags = number_at<std::uint16_t>(start_, 17)};
  checksum_ = crc_of(start_);
  if (header_.length < kHeader + kChecksum || header_.length > kMaxEvent) {
    doubt(fmt::format("an event of {} bytes", header_.length));
  }
}

std::size_t RelayLogScanner::gather_body(std::string_view bytes) {
  const std::uint32_t content = header_.length - kChecksum;
  if (seen_ >= content) {  // the checksum itself
    const std::size_t n = std::min<std::size_t>(bytes.size(), header_.length - seen_);
    start_ += bytes.substr(0, n);
    seen_ += static_cast<std::uint32_t>(n);
    return n;
  }
  const std::string_view piece = bytes.substr(0, content - seen_);
  checksum_ = crc_of(piece, checksum_);
  if (start_.size() < kLooked) start_ += piece.substr(0, kLooked - start_.size());
  seen_ += static_cast<std::uint32_t>(piece.size());
  return piece.size();
}

// What is missing at the end was being written when the server ended, or it is a length that is wrong: an event that ends where
// the source says that it ends has a right one.
void RelayLogScanner::end_file() {
  if (doubt_ || seen_ < kHeader) return;
  const bool where_it_should = header_.end != 0 && source_end_ && header_.end - header_.length == *source_end_;
  if (!where_it_should) doubt("the last event is cut off, or its length is wrong");
}

// ---- one event ----

bool RelayLogScanner::right_checksum() const {
  const auto stored = number_at<std::uint32_t>(start_, start_.size() - kChecksum);
  if (stored == checksum_) return true;
  if (header_.type != kDescription || header_.length > kLooked || (header_.flags & kInUse) == 0) return false;
  std::string closed = start_.substr(0, start_.size() - kChecksum);  // the flag is set and lifted without it
  closed[17] = static_cast<char>(closed[17] & ~kInUse);
  return crc_of(closed) == stored;
}

void RelayLogScanner::take_event() {
  if (!right_checksum()) return doubt("a checksum is wrong, or there is none");
  if (!described_ && header_.type != kDescription) return doubt("it does not begin with the description of its format");
  const std::uint8_t type = header_.type;
  if (type == kDescription) {
    take_description();
  } else if (type == kGtid) {
    take_gtid();
  } else if (part_of_group(type)) {
    take_part_of_group();
  } else if (type == kRotate) {
    if (group_) group_->interrupted = true;
  } else if (type == kEncryption) {
    doubt("it may be encrypted");
  } else if (type != kStop && type != kHeartbeat && type != kCheckpoint && type != kGtidList) {
    doubt(fmt::format("an event of the unknown type {}", type));
  }
  const bool of_source = header_.end != 0 && (header_.flags & (kArtificial | kOfRelay)) == 0 && type != kRotate;
  source_end_ = of_source ? std::optional(header_.end) : std::nullopt;
}

void RelayLogScanner::take_description() {
  constexpr std::size_t kHeaderLength = kHeader + 2 + 50 + 4;  // version, server, time
  const bool odd = header_.length > kLooked || header_.length < kHeaderLength + 1 + 1 + kChecksum;
  if (odd || number_at<std::uint16_t>(start_, kHeader) != 4 || number_at<std::uint8_t>(start_, kHeaderLength) != kHeader) {
    return doubt("an unknown format");
  }
  if (number_at<std::uint8_t>(start_, start_.size() - kChecksum - 1) != 1) return doubt("its events have no checksums");
  described_ = true;
  if (group_) group_->interrupted = true;
}

void RelayLogScanner::take_gtid() {
  if (header_.length < kHeader + 13 + kChecksum) return doubt("a short GTID");
  if (group_ && !group_->whole && !group_->interrupted) return doubt("a transaction without an end");
  Group next{.domain = number_at<std::uint32_t>(start_, kHeader + 8),
             .server = header_.server,
             .number = number_at<std::uint64_t>(start_, kHeader),
             .standalone = (number_at<std::uint8_t>(start_, kHeader + 12) & kStandalone) != 0};
  if (next.number == 0) return doubt("a transaction without a number");
  group_ = next;
}

bool RelayLogScanner::ends_group() const {
  const std::uint8_t type = header_.type;
  if (group_->standalone) return !only_prepares(type);
  if (type == kXid || type == kXaPrepare) return true;
  if (type != kQuery || header_.length > kLooked) return false;
  using namespace std::string_view_literals;
  const std::string_view query = std::string_view(start_).substr(0, start_.size() - kChecksum);
  return query.ends_with("\0COMMIT"sv) || query.ends_with("\0ROLLBACK"sv);
}

void RelayLogScanner::take_part_of_group() {
  if (!group_ || (group_->whole && !group_->standalone)) return doubt("an event of no transaction");
  if (group_->whole || !ends_group()) return;
  group_->whole = true;
  auto& last = last_[{group_->domain, group_->server}];
  last = std::max(last, group_->number);
  if (last_.size() > kMaxSources) doubt("transactions of too many servers");
}

}  // namespace mysos::mysql
