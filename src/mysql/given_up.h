// SPDX-License-Identifier: Apache-2.0
#pragma once
// Keeps a given-up relay log: what a server has received and cannot execute when it becomes the primary after an accepted loss.
// It goes into a folder of the volume, where an operator reads it with mysqlbinlog or mariadb-binlog (docs/operations.md). The
// newest kKeptGenerations such folders stay.
#include <cstdint>
#include <string>

#include "base/result.h"
#include "model/gtid.h"

namespace mysos::mysql {

struct GivenUpSpec {
  std::string datadir;      // of a server whose replication is stopped
  std::string kept_dir;     // of all such folders, and of errant_binlogs.h
  std::uint64_t epoch = 0;  // names the folder
  GtidSet rest;             // received and not executed
};
// The folder, by its name in kept_dir. May be called again after it was cut off. Blocking.
Result<std::string> keep_given_up(const GivenUpSpec& spec);

}  // namespace mysos::mysql
