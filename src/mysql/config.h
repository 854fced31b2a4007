// SPDX-License-Identifier: Apache-2.0
#pragma once
// The configuration file of a member's server, as text. Pure. Guarantees: a server starts read-only, silent
// (semi-sync off on both sides) and without replication; what it acknowledged survives a crash; its memory stays within the
// container's; it writes row events with GTIDs. In this version no binlog expires, so a new member can always replay
// from the beginning, and the disk must hold all binlogs.
#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "mysql/distribution.h"
#include "mysql/flavour.h"

namespace mysos::mysql {

inline constexpr Bytes kPoolChunk = mib(16);
inline constexpr std::uint32_t kMinApplierThreads = 4;
inline constexpr std::uint32_t kAdminConnections = 64;  // MariaDB; MySQL has no limit there

struct ConfigInput {
  Bytes memory;                  // the container's limit
  double cpus = 1;
  std::uint16_t port = 0;
  std::string bind_address = "*";
  std::uint16_t admin_port = 0;  // for Mysos' own connections, at report_host; 0: none
  std::string report_host;       // the address other members reach it under
  std::uint32_t server_id = 0;   // of this data directory alone (core/state/server_ids.h), never 0
  std::string datadir;
  std::string socket;
  std::string error_log;
  std::string pid_file;
  std::string init_file = {};    // run at each start before anybody can connect; "" = none
  std::string temp_dir;          // private: a MariaDB that starts removes all temporary tables in the folder
  std::string files_dir = {};    // LOAD DATA and SELECT INTO OUTFILE; "" = off
  bool any_engine = false;       // tables may be made of storage engines that do not survive a crash whole, or replicate safely
  std::map<std::string, std::string> user_settings = {};  // checked by the caller; they come last and win
};

struct MemoryPlan {
  Bytes pool;
  Bytes redo;
  Bytes temp_tables;
  Bytes applier_queue;
  Bytes packet;          // of a row, or a statement
  Bytes session_buffer;  // the most that a session may give one of its buffers
  Bytes log_buffer;
  std::uint32_t pool_instances = 1;
  std::uint32_t max_connections = 0;
  std::uint32_t applier_threads = kMinApplierThreads;
  bool diagnostics = false;  // performance_schema
};

// kInvalid, with the least in the sentence, when a server cannot run in so little.
Result<MemoryPlan> plan_memory(const Flavour& flavour, Bytes memory, double cpus);
Bytes min_memory(FlavourKind flavour);

Result<std::string> server_config(const Distribution& distribution, const ConfigInput& in);

}  // namespace mysos::mysql
