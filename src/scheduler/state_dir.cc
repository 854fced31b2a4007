// SPDX-License-Identifier: Apache-2.0
#include "scheduler/state_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace mysos {
namespace {

constexpr std::size_t kLeastToken = 16;

Result<std::string> load_admin_token(const std::string& file) {
  if (!path_exists(file)) {
    std::string token = random_token();
    MYSOS_TRY_VOID(write_file_atomic(file, token + "\n", 0600));
    return token;
  }
  MYSOS_TRY(std::string token, read_file(file, 4096));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  if (token.size() < kLeastToken) {
    return fail(
        Errc::kInvalid,
        file + " holds no token of at least 16 characters; remove it and a new one is made");
  }
  struct stat info{};
  if (::stat(file.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return fail(Errc::kForbidden,
                file + " can be read by others; make it yours alone: chmod 600 " + file);
  }
  return token;
}

}  // namespace

Result<StateDir> StateDir::open(const std::string& dir) {
  std::error_code ec;
  const auto absolute = std::filesystem::absolute(dir, ec);
  if (ec) return fail(Errc::kIo, "the directory " + dir + " cannot be found: " + ec.message());
  const std::string path = absolute.lexically_normal().string();
  // A mysqld that drops to a user of its own must be able to pass through; what is secret has files
  // of mode 0600.
  MYSOS_TRY_VOID(make_dirs(path, ::geteuid() == 0 ? 0711 : 0700));
  auto lock = LockFile::acquire(path + "/lock");
  if (!lock) {
    if (lock.error().code != Errc::kConflict) return std::unexpected(std::move(lock).error());
    return fail(Errc::kConflict, "the directory " + path +
                                     " is owned by another instance: " + lock.error().message +
                                     "; stop that one, or take another --dir");
  }
  MYSOS_TRY(const SecretBox box, SecretBox::open(path + "/secret.key"));
  MYSOS_TRY(std::string token, load_admin_token(token_file(path)));
  return StateDir(path, *std::move(lock), box, std::move(token));
}

}  // namespace mysos
