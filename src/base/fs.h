// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files and folders. An Error is one sentence that names the path and the reason; a full disk is
// named as such, with what to do. No function here follows a symbolic link out of a tree that it
// removes or copies. Blocking: small files, or off the loop.
#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/units.h"

namespace mysos {

inline constexpr std::size_t kMaxReadFile = std::size_t{64} << 20;

// "<doing> <path>: No such file or directory"; errc from errno (kNotFound, kForbidden, kIo...).
Error errno_error(std::string_view doing, const std::string& path, int errno_value);

Result<std::string> read_file(const std::string& path, std::size_t limit = kMaxReadFile);
// After it returns, the file durably has the new content. Before that, also after a crash, it has
// the old content.
Status write_file_atomic(const std::string& path, std::string_view content, mode_t mode = 0644);
Status append_file(const std::string& path, std::string_view content, mode_t mode = 0644);
bool path_exists(const std::string& path);
Result<std::vector<std::string>> list_dir(const std::string& path);  // names, sorted
// Makes the missing folders of the path, with `mode`.
Status make_dirs(const std::string& path, mode_t mode = 0755);
// Ok if it does not exist.
Status remove_file(const std::string& path);
Status remove_tree(const std::string& path);
// Files (reflinked where the file system can), folders, symbolic links, with modes and, as root,
// owners; sockets and pipes are left out. `to` must not exist.
Status copy_tree(const std::string& from, const std::string& to);
// Gives a tree to another user, the folder itself last, so an interrupted call leaves the old owner
// on it. Refuses a file with a second name that belongs to neither user.
Status give_tree(const std::string& path, uid_t uid, gid_t gid);
Status fsync_dir(const std::string& path);
// Free for a process that is not root.
Result<Bytes> free_bytes(const std::string& path);

// A lock for the lifetime of the object, which also ends with the process: flock, with our pid in
// the file for people to read.
class LockFile {
 public:
  // Waits up to a second for a process that is just ending. kConflict says which pid holds it.
  static Result<LockFile> acquire(const std::string& path);

 private:
  explicit LockFile(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace mysos
