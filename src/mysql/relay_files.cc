// SPDX-License-Identifier: Apache-2.0
// The files that relay_log.h is about.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/fs.h"
#include "mysql/relay_log.h"

namespace mysos::mysql {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 30;  // of all files: reading more would hold up the server's start
constexpr std::size_t kMaxFiles = 100000;

struct RelayFile {
  std::uint64_t number = 0;
  std::string name;
  auto operator<=>(const RelayFile&) const = default;
};

std::optional<RelayFile> relay_file(std::string_view name) {
  const std::string prefix = std::string(kRelayLogName) + ".";
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = name.substr(prefix.size());
  RelayFile out{.name = std::string(name)};
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out.number);
  if (ec != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return out;
}

// In the order they were written.
Result<std::vector<RelayFile>> relay_files(const std::string& datadir) {
  MYSOS_TRY(const auto names, list_dir(datadir));
  std::set<RelayFile> found;
  for (const std::string& name : names) {
    if (auto file = relay_file(name)) found.insert(*std::move(file));
  }
  if (found.size() > kMaxFiles) return fail(Errc::kInvalid, "there are too many relay logs");
  return std::vector(found.begin(), found.end());
}

// The server names a file there once it has made it, and takes the name off before it removes it.
Status check_index(const std::string& datadir, const std::vector<RelayFile>& files) {
  const std::string path = fmt::format("{}/{}.index", datadir, kRelayLogName);
  if (!path_exists(path)) {
    if (files.empty()) return {};
    return fail(Errc::kNotFound, "relay logs are there, their index is not");
  }
  MYSOS_TRY(const std::string text, read_file(path));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string name = std::filesystem::path(text.substr(at, end - at)).filename().string();
    at = end + 1;
    const auto file = relay_file(name);
    if (!file) return fail(Errc::kInvalid, "the relay logs' index is damaged");
    if (!std::ranges::binary_search(files, *file)) return fail(Errc::kNotFound, "the relay log " + name + " is missing");
  }
  for (std::size_t i = 1; i < files.size(); ++i) {
    if (files[i].number != files[i - 1].number + 1) {
      return fail(Errc::kNotFound, "the relay log before " + files[i].name + " is missing");
    }
  }
  return {};
}

Status scan_file(const std::string& path, RelayLogScanner& scanner, std::uint64_t& left) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (fd.get() < 0) return std::unexpected(errno_error("open", path, errno));
  std::vector<char> piece(kPiece);
  scanner.begin_file();
  while (!scanner.in_doubt()) {
    const ssize_t n = ::read(fd.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(errno_error("read", path, errno));
    if (n == 0) break;
    const auto size = static_cast<std::size_t>(n);
    if (size > left) return fail(Errc::kInvalid, "the relay logs are too long to be read");
    left -= size;
    scanner.feed({piece.data(), size});
  }
  scanner.end_file();
  return {};
}

}  // namespace

Result<GtidSet> read_relay_logs(const std::string& datadir) {
  MYSOS_TRY(const auto files, relay_files(datadir));
  MYSOS_TRY_VOID(check_index(datadir, files));
  RelayLogScanner scanner;
  std::uint64_t left = kMaxBytes;
  for (const RelayFile& file : files) {
    const std::string path = datadir + "/" + file.name;
    MYSOS_TRY_VOID(scan_file(path, scanner, left));
    if (scanner.in_doubt()) return std::unexpected(scanner.held().error().with_context(path));
  }
  return scanner.held();
}

Status sync_relay_logs(const std::string& datadir) {
  MYSOS_TRY(const auto files, relay_files(datadir));
  for (const RelayFile& file : files) {
    const std::string path = datadir + "/" + file.name;
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (fd.get() < 0 && errno == ENOENT) continue;  // all of it was executed meanwhile
    if (fd.get() < 0) return std::unexpected(errno_error("open", path, errno));
    if (::fsync(fd.get()) != 0) return std::unexpected(errno_error("sync", path, errno));
  }
  return fsync_dir(datadir);
}

Status keep_relay_logs(const std::string& datadir, const std::string& kept) {
  MYSOS_TRY(const auto files, relay_files(datadir));
  if (files.empty()) return {};
  MYSOS_TRY_VOID(make_dirs(kept, 0700));
  MYSOS_TRY(const auto there, list_dir(kept));
  std::uint64_t batch = 1;
  for (const std::string& name : there) {  // "<batch>-relay.000001"
    std::uint64_t used = 0;
    std::from_chars(name.data(), name.data() + name.size(), used);
    batch = std::max(batch, used + 1);
  }
  for (const RelayFile& file : files) {
    const std::string from = datadir + "/" + file.name;
    struct stat st{};
    if (::lstat(from.c_str(), &st) != 0) return std::unexpected(errno_error("look at", from, errno));
    if (st.st_nlink > 1) continue;
    const std::string to = fmt::format("{}/{}-{}", kept, batch, file.name);
    if (::link(from.c_str(), to.c_str()) != 0) return std::unexpected(errno_error("keep", from, errno));
  }
  return fsync_dir(kept);
}

}  // namespace mysos::mysql
