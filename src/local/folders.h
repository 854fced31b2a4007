// SPDX-License-Identifier: Apache-2.0
#pragma once
// The folders of the embedded Mesos. A server that runs as another user must pass through them
// to its volume, but other users cannot list the names of frameworks and volumes.
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "base/fs.h"

namespace mysos::local {

inline constexpr mode_t kPassableDir = 0711;

// make_dirs() with that mode, which the last folder also gets where it is there already.
inline Status make_passable_dir(const std::string& path) {
  MYSOS_TRY_VOID(make_dirs(path, kPassableDir));
  if (::chmod(path.c_str(), kPassableDir) != 0) return std::unexpected(errno_error("close", path, errno));
  return {};
}

}  // namespace mysos::local
