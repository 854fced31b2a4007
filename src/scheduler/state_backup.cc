// SPDX-License-Identifier: Apache-2.0
#include "scheduler/state_backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/fs.h"
#include "base/secret.h"
#include "scheduler/stored_state.h"
#include "store/sqlite_file.h"

namespace mysos {
namespace {

constexpr auto kDatabase = "/state.db";
constexpr auto kKey = "/secret.key";
constexpr auto kToken = "/admin.token";

Status copy_secret(const std::string& from, const std::string& to) {
  MYSOS_TRY(const std::string text, read_file(from, 4096));
  return write_file_atomic(to, text, 0600);
}

Status rename_to(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return std::unexpected(errno_error("rename " + from + " to", to, errno));
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// How many clusters are in it. A state without a framework id takes nothing that is reserved for its own.
Result<std::size_t> clusters_in(const std::string& database) {
  MYSOS_TRY(const SchedulerState state, state_in_file(database));
  if (!state.framework) {
    return fail(Errc::kUnavailable, "the scheduler of this state is not registered with Mesos yet, so a copy would not know "
                                    "which reservations are its own; try again when it is");
  }
  return state.clusters.size();
}

Result<std::size_t> copy_all(const std::string& dir, const std::string& to) {
  MYSOS_TRY_VOID(copy_sqlite_file(dir + kDatabase, to + kDatabase));
  MYSOS_TRY(const std::size_t clusters, clusters_in(to + kDatabase));
  MYSOS_TRY_VOID(copy_secret(dir + kKey, to + kKey));
  MYSOS_TRY_VOID(copy_secret(dir + kToken, to + kToken));
  MYSOS_TRY_VOID(fsync_dir(to));
  return clusters;
}

// A database and the files that SQLite keeps beside it belong together: with those of another one it would be damaged.
Status set_aside(const std::string& dir) {
  const std::string aside = dir + "/state.replaced";
  MYSOS_TRY_VOID(remove_tree(aside));
  MYSOS_TRY_VOID(make_dirs(aside, 0700));
  for (const char* name : {"/state.db-wal", "/state.db-shm", "/state.db"}) {
    if (path_exists(dir + name)) MYSOS_TRY_VOID(rename_to(dir + name, aside + name));
  }
  return fsync_dir(dir);
}

}  // namespace

Result<std::size_t> back_up_state(const std::string& dir, const std::string& given) {
  std::string to = given;
  while (to.size() > 1 && to.back() == '/') to.pop_back();
  if (!path_exists(dir + kDatabase)) return fail(Errc::kNotFound, dir + " is no state directory: it holds no state.db");
  if (path_exists(to)) return fail(Errc::kConflict, to + " exists already; a copy is made in a new directory");
  const std::string part = to + ".part";
  MYSOS_TRY_VOID(remove_tree(part));
  MYSOS_TRY_VOID(make_dirs(parent_of(to), 0700));
  if (::mkdir(part.c_str(), 0700) != 0) return std::unexpected(errno_error("make", part, errno));
  auto clusters = copy_all(dir, part);
  if (clusters) {
    if (Status named = rename_to(part, to); !named) clusters = std::unexpected(std::move(named).error());
  }
  if (!clusters) {
    (void)remove_tree(part);
    return clusters;
  }
  MYSOS_TRY_VOID(fsync_dir(parent_of(to)));
  return clusters;
}

Result<std::size_t> restore_state(const std::string& from, const std::string& dir) {
  for (const char* name : {kDatabase, kKey, kToken}) {
    if (!path_exists(from + name)) return fail(Errc::kNotFound, from + " is no copy of a state: it holds no " + (name + 1));
  }
  MYSOS_TRY_VOID(make_dirs(dir, ::geteuid() == 0 ? 0711 : 0700));
  auto lock = LockFile::acquire(dir + "/lock");
  if (!lock) {
    if (lock.error().code != Errc::kConflict) return std::unexpected(std::move(lock).error());
    return fail(Errc::kConflict, "a scheduler runs on " + dir + " (" + lock.error().message + "); stop it first");
  }
  MYSOS_TRY(const SecretBox copied, SecretBox::open(from + kKey));
  if (path_exists(dir + kKey)) {
    MYSOS_TRY(const SecretBox there, SecretBox::open(dir + kKey));
    if (there.key_id() != copied.key_id()) {
      return fail(Errc::kConflict, dir + kKey + " is another key than that of the copy. What was encrypted with it cannot be "
                                               "read without that key. If you want this, move the key away first");
    }
  }
  const std::string part = dir + "/state.db.part";
  MYSOS_TRY_VOID(remove_file(part));
  MYSOS_TRY_VOID(copy_sqlite_file(from + kDatabase, part));
  MYSOS_TRY(const std::size_t clusters, clusters_in(part));
  MYSOS_TRY_VOID(set_aside(dir));
  MYSOS_TRY_VOID(rename_to(part, dir + kDatabase));
  for (const char* name : {kKey, kToken}) {
    if (!path_exists(dir + name)) MYSOS_TRY_VOID(copy_secret(from + name, dir + name));
  }
  MYSOS_TRY_VOID(fsync_dir(dir));
  return clusters;
}

}  // namespace mysos
