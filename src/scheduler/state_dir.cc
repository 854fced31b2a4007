// SPDX-License-Identifier: Apache-2.0
#include "scheduler/state_dir.h"

#include <unistd.h>

#include <filesystem>

#include "base/secret_file.h"
#include "scheduler/stored_state.h"

namespace mysos {
namespace {

// A new key would read nothing of what the old one encrypted.
Status check_key_is_there(const std::string& path) {
  const std::string key = path + "/secret.key";
  const std::string state = path + "/state.db";
  if (path_exists(key) || !path_exists(state)) return {};
  MYSOS_TRY(const SchedulerState stored, state_in_file(state));
  if (stored.clusters.empty()) return {};
  return fail(Errc::kNotFound, key + " is lost, and " + state + " holds " + std::to_string(stored.clusters.size()) +
                                   " cluster(s) whose passwords only that key can read; put the file back from a backup");
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
  MYSOS_TRY_VOID(check_key_is_there(path));
  MYSOS_TRY(const SecretBox box, SecretBox::open(path + "/secret.key"));
  MYSOS_TRY(std::string token, open_secret_file(token_file(path)));
  return StateDir(path, *std::move(lock), box, std::move(token));
}

}  // namespace mysos
