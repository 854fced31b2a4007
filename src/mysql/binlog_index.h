// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which binary logs a server has, as its index file says. The file is read, not the server asked: SHOW BINARY LOGS waits for a
// lock that commits hold while they wait for an acker.
#include <string>

#include "base/result.h"

namespace mysos::mysql {

struct BinlogIndex {
  std::string oldest, newest;  // "binlog.000003"
  bool operator==(const BinlogIndex&) const = default;
};

// Blocking. kNotFound: there is no log yet.
Result<BinlogIndex> read_binlog_index(const std::string& datadir);

// A sentence about the logs that somebody has removed from the beginning, "" = none were. Mysos itself never purges, and a
// reset of all of them shows in the server's GTIDs.
std::string what_was_purged(const BinlogIndex& before, const BinlogIndex& now);

}  // namespace mysos::mysql
