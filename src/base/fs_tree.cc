// SPDX-License-Identifier: Apache-2.0
// Whole trees: removed and copied by descriptors (openat), so that a link that somebody swaps in
// leads nowhere.
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "base/fs_internal.h"

namespace mysos {
namespace {
constexpr std::size_t kCopyChunk = std::size_t{1} << 30;
constexpr std::size_t kCopyBuffer = std::size_t{1} << 20;
constexpr int kMaxDepth = 100;

using Dir = std::unique_ptr<DIR, int (*)(DIR*)>;

Dir open_dir(int parent, const char* name) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* dir = fd >= 0 ? ::fdopendir(fd) : nullptr;
  if (dir == nullptr && fd >= 0) ::close(fd);
  return {dir, &::closedir};
}

// Calls `visit(name, path)` for each entry; stops at the first error.
template <class Visit>
Status for_each_entry(DIR* dir, const std::string& path, Visit visit) {
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return std::unexpected(errno_error("list", path, errno));
  for (const auto& name : names) MYSOS_TRY_VOID(visit(name.c_str(), path + "/" + name));
  return {};
}

Status too_deep(const std::string& path) { return fail(Errc::kTooLarge, path + " is nested too deeply"); }

Status remove_entry(int parent, const char* name, const std::string& path, int depth) {
  if (depth > kMaxDepth) return too_deep(path);
  if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return std::unexpected(errno_error("remove", path, errno));
  const Dir dir = open_dir(parent, name);
  if (!dir) return std::unexpected(errno_error("remove", path, errno));
  MYSOS_TRY_VOID(
      for_each_entry(dir.get(), path, [&](const char* child, const std::string& child_path) {
        return remove_entry(::dirfd(dir.get()), child, child_path, depth + 1);
      }));
  if (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  return std::unexpected(errno_error("remove", path, errno));
}

Status copy_by_reading(int from, int to, const std::string& path) {
  std::string buffer(kCopyBuffer, '\0');
  while (true) {
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(errno_error("read", path, errno));
    if (n == 0) return {};
    MYSOS_TRY_VOID(
        write_all(to, std::string_view(buffer.data(), static_cast<std::size_t>(n)), path));
  }
}

Status copy_content(int from, int to, const std::string& path) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  while (true) {
    const ssize_t n = ::copy_file_range(from, nullptr, to, nullptr, kCopyChunk, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) return {};
    if (n > 0) continue;
    // Not between these file systems: both offsets stand where copying stopped.
    const bool cannot = errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
    if (!cannot) return std::unexpected(errno_error("write", path, errno));
    return copy_by_reading(from, to, path);
  }
}

Status keep_owner_and_mode(int fd, const struct stat& info, const std::string& path) {
  if (::geteuid() == 0 && ::fchown(fd, info.st_uid, info.st_gid) != 0) {
    return std::unexpected(errno_error("give the owner to", path, errno));
  }
  if (::fchmod(fd, info.st_mode & 07777) != 0)
    return std::unexpected(errno_error("write", path, errno));
  return {};
}

struct Owner {
  uid_t uid;
  gid_t gid;
  uid_t before;
};

struct Place {
  int parent;
  const char* name;
};

Status copy_entry(Place from, Place to, const std::string& path, int depth);

Status copy_dir(Place from, Place to, const struct stat& info, const std::string& path, int depth) {
  if (::mkdirat(to.parent, to.name, 0700) != 0)
    return std::unexpected(errno_error("make the folder", path, errno));
  const Dir source = open_dir(from.parent, from.name);
  if (!source) return std::unexpected(errno_error("read", path, errno));
  const Dir target = open_dir(to.parent, to.name);
  if (!target) return std::unexpected(errno_error("write", path, errno));
  MYSOS_TRY_VOID(
      for_each_entry(source.get(), path, [&](const char* child, const std::string& child_path) {
        return copy_entry({::dirfd(source.get()), child}, {::dirfd(target.get()), child},
                          child_path, depth + 1);
      }));
  return keep_owner_and_mode(::dirfd(target.get()), info, path);
}

Status copy_regular(Place from, Place to, const struct stat& info, const std::string& path) {
  const Fd source(::openat(from.parent, from.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!source.valid()) return std::unexpected(errno_error("read", path, errno));
  const Fd target(::openat(to.parent, to.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!target.valid()) return std::unexpected(errno_error("write", path, errno));
  MYSOS_TRY_VOID(copy_content(source.get(), target.get(), path));
  return keep_owner_and_mode(target.get(), info, path);
}

Status copy_link(Place from, Place to, const struct stat& info, const std::string& path) {
  std::string text(static_cast<std::size_t>(PATH_MAX), '\0');
  const ssize_t n = ::readlinkat(from.parent, from.name, text.data(), text.size());
  if (n < 0) return std::unexpected(errno_error("read", path, errno));
  text.resize(static_cast<std::size_t>(n));
  if (::symlinkat(text.c_str(), to.parent, to.name) != 0)
    return std::unexpected(errno_error("write", path, errno));
  if (::geteuid() == 0 &&
      ::fchownat(to.parent, to.name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::unexpected(errno_error("give the owner to", path, errno));
  }
  return {};
}

Status copy_entry(Place from, Place to, const std::string& path, int depth) {
  if (depth > kMaxDepth) return too_deep(path);
  struct stat info{};
  if (::fstatat(from.parent, from.name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::unexpected(errno_error("read", path, errno));
  }
  if (S_ISDIR(info.st_mode)) return copy_dir(from, to, info, path, depth);
  if (S_ISREG(info.st_mode)) return copy_regular(from, to, info, path);
  if (S_ISLNK(info.st_mode)) return copy_link(from, to, info, path);
  return {};
}

Status give_entry(int parent, const char* name, const std::string& path, const Owner& owner,
                  int depth) {
  if (depth > kMaxDepth) return too_deep(path);
  const Fd entry(::openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info{};
  if (!entry.valid() || ::fstat(entry.get(), &info) != 0)
    return errno == ENOENT ? Status() : std::unexpected(errno_error("look at", path, errno));
  if (S_ISDIR(info.st_mode)) {
    const Dir dir = open_dir(entry.get(), ".");
    if (!dir) return std::unexpected(errno_error("read", path, errno));
    MYSOS_TRY_VOID(
        for_each_entry(dir.get(), path, [&](const char* child, const std::string& child_path) {
          return give_entry(::dirfd(dir.get()), child, child_path, owner, depth + 1);
        }));
  } else if (info.st_nlink > 1 && info.st_uid != owner.before && info.st_uid != owner.uid) {
    return fail(Errc::kForbidden, path + " is another user's file, by a second name");
  }
  if (::fchownat(entry.get(), "", owner.uid, owner.gid, AT_EMPTY_PATH) != 0)
    return std::unexpected(errno_error("give the owner to", path, errno));
  return {};
}
}  // namespace

Status give_tree(const std::string& path, uid_t uid, gid_t gid) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return std::unexpected(errno_error("look at", path, errno));
  return give_entry(AT_FDCWD, path.c_str(), path, {uid, gid, info.st_uid}, 0);
}

Status remove_tree(const std::string& path) {
  return remove_entry(AT_FDCWD, path.c_str(), path, 0);
}

Status copy_tree(const std::string& from, const std::string& to) {
  if (path_exists(to)) return fail(Errc::kConflict, "cannot copy to " + to + ": it exists already");
  auto copied = copy_entry({AT_FDCWD, from.c_str()}, {AT_FDCWD, to.c_str()}, from, 0);
  if (!copied)
    return std::unexpected(std::move(copied).error().with_context("copy " + from + " to " + to));
  return {};
}

}  // namespace mysos
