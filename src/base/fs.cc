// SPDX-License-Identifier: Apache-2.0
#include "base/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/fs_internal.h"

namespace mysos {
namespace {
constexpr std::size_t kReadChunk = std::size_t{64} * 1024;
constexpr int kMaxTempNames = 100;

Errc errc_from_errno(int value) {
  switch (value) {
    case ENOENT:
    case ENOTDIR:
      return Errc::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::kForbidden;
    case EEXIST:
    case ENOTEMPTY:
      return Errc::kConflict;
    default:
      return Errc::kIo;
  }
}

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status sync_fd(int fd, const std::string& path) {
  if (::fsync(fd) != 0) return std::unexpected(errno_error("write", path, errno));
  return {};
}

// A new file beside `path`, removed again unless keep() is called.
class TempFile {
 public:
  static Result<TempFile> beside(const std::string& path, mode_t mode) {
    for (int i = 0; i < kMaxTempNames; ++i) {
      TempFile temp;
      temp.name_ = path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(i);
      temp.fd_ = Fd(::open(temp.name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (temp.fd_.valid()) {
        if (::fchmod(temp.fd_.get(), mode) != 0)
          return std::unexpected(errno_error("write", path, errno));
        return temp;
      }
      temp.name_.clear();
      if (errno != EEXIST) return std::unexpected(errno_error("write", path, errno));
    }
    return fail(Errc::kIo, "cannot write " + path + ": too many temporary files are beside it");
  }
  TempFile(TempFile&& other) noexcept
      : name_(std::exchange(other.name_, {})), fd_(std::move(other.fd_)) {}
  ~TempFile() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }
  void keep() { name_.clear(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  TempFile() = default;
  std::string name_;
  Fd fd_;
};
}  // namespace

Error errno_error(std::string_view doing, const std::string& path, int errno_value) {
  std::string message = "cannot " + std::string(doing) + " " + path + ": ";
  if (errno_value == ENOSPC || errno_value == EDQUOT) {
    const auto free = free_bytes(path_exists(path) ? path : parent_of(path));
    message += "its disk is full";
    if (free) message += " (" + std::to_string(free->mib()) + " MB free)";
    message += "; free some space there, or use a larger disk";
  } else {
    message += std::strerror(errno_value);
  }
  return Error{errc_from_errno(errno_value), std::move(message), {}};
}

Status write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(errno_error("write", path, errno));
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(errno_error("read", path, errno));
  std::string content;
  while (true) {
    const std::size_t before = content.size();
    content.resize(before + kReadChunk);
    const ssize_t n = ::read(fd.get(), content.data() + before, kReadChunk);
    content.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(errno_error("read", path, errno));
    if (n == 0) return content;
    if (content.size() > limit) {
      return fail(Errc::kTooLarge, path + " is longer than " + std::to_string(limit) + " bytes");
    }
  }
}

Status write_file_atomic(const std::string& path, std::string_view content, mode_t mode) {
  MYSOS_TRY(TempFile temp, TempFile::beside(path, mode));
  MYSOS_TRY_VOID(write_all(temp.fd(), content, path));
  MYSOS_TRY_VOID(sync_fd(temp.fd(), path));
  if (::rename(temp.name().c_str(), path.c_str()) != 0) {
    return std::unexpected(errno_error("replace", path, errno));
  }
  temp.keep();
  return fsync_dir(parent_of(path));
}

Status append_file(const std::string& path, std::string_view content, mode_t mode) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode));
  if (!fd.valid()) return std::unexpected(errno_error("write", path, errno));
  MYSOS_TRY_VOID(write_all(fd.get(), content, path));
  return sync_fd(fd.get(), path);
}

bool path_exists(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0;
}

Result<std::vector<std::string>> list_dir(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), &::closedir);
  if (!dir) return std::unexpected(errno_error("list", path, errno));
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return std::unexpected(errno_error("list", path, errno));
  std::ranges::sort(names);
  return names;
}

Status make_dirs(const std::string& path, mode_t mode) {
  for (std::size_t end = 1; end <= path.size(); ++end) {
    if (end < path.size() && path[end] != '/') continue;
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) == 0) {
      if (::chmod(part.c_str(), mode) != 0)
        return std::unexpected(errno_error("make the folder", part, errno));
      continue;
    }
    const int why = errno;
    struct stat info{};
    if (::stat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
    return std::unexpected(errno_error("make the folder", part, why));
  }
  return {};
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return std::unexpected(errno_error("remove", path, errno));
}

Status fsync_dir(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(errno_error("open the folder", path, errno));
  return sync_fd(fd.get(), path);
}

Result<Bytes> free_bytes(const std::string& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) {
    return std::unexpected(errno_error("ask for the free space of", path, errno));
  }
  return Bytes{static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize};
}

namespace {
constexpr int kLockTries = 20;
constexpr int kLockPauseMs = 50;
}  // namespace

Result<LockFile> LockFile::acquire(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return std::unexpected(errno_error("lock", path, errno));
  // The lock of a process that was killed lives on for a moment in a child that it had forked and that has yet to exec.
  for (int tries = 1; ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno != EWOULDBLOCK) return std::unexpected(errno_error("lock", path, errno));
    if (tries < kLockTries) {
      (void)::poll(nullptr, 0, kLockPauseMs);  // flock itself waits for ever or not at all
      continue;
    }
    std::string holder = read_file(path, 64).value_or("");
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    if (holder.empty()) holder = "unknown";
    return fail(Errc::kConflict, path + " is locked by another process (pid " + holder + ")");
  }
  if (::ftruncate(fd.get(), 0) != 0) return std::unexpected(errno_error("lock", path, errno));
  MYSOS_TRY_VOID(write_all(fd.get(), std::to_string(::getpid()) + "\n", path));
  return LockFile(std::move(fd));
}

}  // namespace mysos
