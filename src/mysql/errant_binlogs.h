// SPDX-License-Identifier: Apache-2.0
#pragma once
// Keeps errant transactions before a data directory is thrown away: moves the binlogs (and relay logs) with them to
// a folder of the volume, where an operator reads them with mysqlbinlog or mariadb-binlog (docs/operations.md). The folder is
// bounded: the newest kKeptGenerations, kMaxKept together, the newest files of one first. No server runs on the datadir.
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "model/gtid.h"
#include "mysql/distribution.h"

namespace mysos::mysql {

inline constexpr std::size_t kKeptGenerations = 3;
inline constexpr Bytes kMaxKept = mib(512);

// The names of the transactions in a binlog or relay log: a walk from event to event, which stops at the first one that is cut
// off, as after a crash. Not encrypted ones. Blocking.
Result<GtidSet> gtids_in_binlog(const std::string& path, FlavourKind flavour);

struct ErrantSpec {
  FlavourKind flavour = FlavourKind::kMysql;
  std::string datadir;
  std::string kept_dir;          // of all generations
  std::uint64_t generation = 0;  // of the datadir that is thrown away: the name of its folder
  GtidSet errant;
};
// May be called again after it was cut off. Whether anything was kept. Blocking.
Result<bool> keep_errant_binlogs(const ErrantSpec& spec);

}  // namespace mysos::mysql
