// SPDX-License-Identifier: Apache-2.0
#pragma once
// The two flavours, and what they share in reading answers. For flavour*.cc only.
#include "mysql/flavour.h"

namespace mysos::mysql {

const Flavour& mysql_flavour();
const Flavour& mariadb_flavour();

struct ReplicaColumns {
  std::string_view receiver_running, applier_running, host, port, behind, file, position;
};
void read_replica_status(const Rows& status, const ReplicaColumns& columns, ServerSnapshot& out);
// Of the first row; nothing where there is none.
LogPosition log_position(const Rows& rows, std::string_view file, std::string_view offset);
bool is_on(std::string_view value);

// Of a source that has nothing else to send.
inline constexpr double kHeartbeatSeconds = 0.25;

// Milliseconds: 49 days, the most that either server takes. A commit that waits longer is a commit nobody waits for.
inline constexpr std::string_view kSemiSyncTimeout = "4294967295";

}  // namespace mysos::mysql
