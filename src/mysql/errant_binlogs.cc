// SPDX-License-Identifier: Apache-2.0
#include "mysql/errant_binlogs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "base/fs.h"

namespace mysos::mysql {
namespace {

// "Binary Log Event Structure" of the MySQL internals manual, "Replication Protocol" of MariaDB's: a header of 19 bytes
// (timestamp 4, type 1, server id 4, length 4, position 4, flags 2), little-endian, then the event.
constexpr std::size_t kHeader = 19;
constexpr std::size_t kMagic = 4;
constexpr std::uint8_t kMysqlGtid = 33;     // flags 1, uuid 16, number 8
constexpr std::uint8_t kMariadbGtid = 162;  // number 8, domain 4
constexpr std::size_t kGtidBody = 25;

std::uint64_t little(std::span<const std::uint8_t> bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) out = out << 8 | bytes[i];
  return out;
}

std::string uuid_text(std::span<const std::uint8_t> bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", bytes[i]);
  }
  return out;
}

struct Kept {
  std::string path;
  Bytes size{};
};

Bytes size_of(const std::string& path) {
  struct stat st{};
  return ::stat(path.c_str(), &st) == 0 ? Bytes{static_cast<std::uint64_t>(st.st_size)} : Bytes{};
}

bool is_log(const std::string& name) {
  const auto dot = name.rfind('.');
  const std::string_view stem = std::string_view(name).substr(0, dot);
  return dot != std::string::npos && dot + 1 < name.size() && (stem == "binlog" || stem == "relay") &&
         std::ranges::all_of(name.substr(dot + 1), [](char c) { return c >= '0' && c <= '9'; });
}

bool shares(const GtidSet& a, const GtidSet& b) { return a.minus(b) != a; }

// Newest first.
Result<std::vector<Kept>> wanted_files(const ErrantSpec& spec) {
  MYSOS_TRY(const auto names, list_dir(spec.datadir));
  std::vector<Kept> out;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (!is_log(*name)) continue;
    const std::string path = spec.datadir + "/" + *name;
    MYSOS_TRY(const GtidSet held, gtids_in_binlog(path, spec.flavour));
    if (shares(held, spec.errant)) out.push_back({path, size_of(path)});
  }
  return out;
}

std::optional<std::uint64_t> number_in(const std::string& name) {
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), n);
  if (ec != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return n;
}

Bytes folder_size(const std::string& path) {
  Bytes sum{};
  const auto names = list_dir(path);
  if (!names) return sum;
  for (const std::string& name : *names) sum.value += size_of(path + "/" + name).value;
  return sum;
}

// Makes room for a generation of that size: the oldest others go.
Status prune(const ErrantSpec& spec, Bytes coming) {
  MYSOS_TRY(const auto names, list_dir(spec.kept_dir));
  std::vector<std::uint64_t> others;
  for (const std::string& name : names) {
    const auto n = number_in(name);
    if (n && *n != spec.generation) others.push_back(*n);
  }
  std::ranges::sort(others, std::ranges::greater());
  Bytes sum = coming;
  for (std::size_t i = 0; i < others.size(); ++i) {
    const std::string path = spec.kept_dir + "/" + std::to_string(others[i]);
    sum.value += folder_size(path).value;
    if (i + 1 >= kKeptGenerations || sum.value > kMaxKept.value) MYSOS_TRY_VOID(remove_tree(path));
  }
  return {};
}

}  // namespace

Result<GtidSet> gtids_in_binlog(const std::string& path, FlavourKind flavour) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::unexpected(errno_error("open", path, errno));
  GtidSet out;
  std::array<std::uint8_t, kHeader + kGtidBody> bytes{};
  const std::uint64_t size = size_of(path).value;
  for (std::uint64_t at = kMagic; at + kHeader <= size;) {
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (got < 0) return std::unexpected(errno_error("read", path, errno));
    if (static_cast<std::size_t>(got) < kHeader) break;
    const std::span<const std::uint8_t> all(bytes);
    const std::uint64_t length = little(all.subspan(9, 4));
    if (length < kHeader || at + length > size) break;
    const bool whole = static_cast<std::size_t>(got) == bytes.size() || length <= static_cast<std::size_t>(got);
    const auto body = all.subspan(kHeader);
    if (whole && flavour == FlavourKind::kMysql && bytes[4] == kMysqlGtid) {
      const std::uint64_t n = little(body.subspan(17, 8));
      out.add(uuid_text(body.subspan(1, 16)), n, n);
    } else if (whole && flavour == FlavourKind::kMariadb && bytes[4] == kMariadbGtid) {
      const std::uint64_t n = little(body.subspan(0, 8));
      out.add(fmt::format("{}-{}", little(body.subspan(8, 4)), little(all.subspan(5, 4))), n, n);
    }
    at += length;
  }
  return out;
}

Result<bool> keep_errant_binlogs(const ErrantSpec& spec) {
  const std::string folder = spec.kept_dir + "/" + std::to_string(spec.generation);
  if (spec.errant.empty() || !path_exists(spec.datadir)) return path_exists(folder);
  MYSOS_TRY(const std::vector<Kept> files, wanted_files(spec));
  if (files.empty()) return path_exists(folder);
  MYSOS_TRY_VOID(make_dirs(spec.kept_dir, 0700));
  std::vector<Kept> taken;
  Bytes sum{};
  for (const Kept& f : files) {
    if (sum.value + f.size.value > kMaxKept.value) continue;
    sum.value += f.size.value;
    taken.push_back(f);
  }
  MYSOS_TRY_VOID(prune(spec, sum));
  MYSOS_TRY_VOID(make_dirs(folder, 0700));
  std::string note = "Transactions that only this member held, when its data were thrown away:\n" + spec.errant.to_string() +
                     "\nThe logs with them:\n";
  for (const Kept& f : taken) note += std::filesystem::path(f.path).filename().string() + "\n";
  if (taken.size() < files.size()) {
    note += fmt::format("{} more did not fit into the {} that are kept.\n", files.size() - taken.size(), to_string(kMaxKept));
  }
  MYSOS_TRY_VOID(write_file_atomic(folder + "/README", note, 0600));
  for (const Kept& f : taken) {
    const std::string to = folder + "/" + std::filesystem::path(f.path).filename().string();
    if (::rename(f.path.c_str(), to.c_str()) != 0) return std::unexpected(errno_error("move", f.path, errno));
  }
  MYSOS_TRY_VOID(fsync_dir(folder));
  return true;
}

}  // namespace mysos::mysql
