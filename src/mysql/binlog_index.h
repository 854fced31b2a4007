// SPDX-License-Identifier: Apache-2.0
#pragma once
// The binary logs of a server, from its index file. SHOW BINARY LOGS is not used, because it waits for a
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

// A sentence about the logs that somebody has purged, "" = none. Mysos itself never purges. A
// reset of all logs shows in the server's GTIDs.
std::string what_was_purged(const BinlogIndex& before, const BinlogIndex& now);

}  // namespace mysos::mysql
