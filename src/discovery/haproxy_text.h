// SPDX-License-Identifier: Apache-2.0
#pragma once
// HAProxy's formats: the configuration that the router writes, and the answers of the runtime API
// (management guide of HAProxy 2.6: "show servers state", "show sess", "show proc"). Pure.
//
// A cluster has two frontends, each with a backend of the same name. In that of the read-write port
// every member is a server whose check is its executor's GET /primary, so HAProxy follows a
// failover by itself, without router and scheduler. In the backend of the read-only port the check is
// GET /replica. Each member is there a second time, as a backup that follows the state of
// its read-write server. The last server of both backends is an address at which nobody listens.
// While no member serves, HAProxy tries it again and again, so a new connection waits, for kHold at
// most, instead of being refused.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "discovery/routes.h"

namespace mysos::discovery {

inline constexpr Duration kHold = std::chrono::seconds(10);
inline constexpr Duration kConnect = std::chrono::milliseconds(250);  // and between two attempts
inline constexpr unsigned kMaxReloadsSurvived = 64;  // then an old worker's sessions are ended

struct ConfigOptions {
  std::string listen = "127.0.0.1";
  double max_lag_s = 30;
  std::string state_file;  // what render_states made
  std::string user;        // "" = the one that runs the router
  std::string group;
  std::string jail;  // an empty folder; "" = none
  std::uint64_t max_sessions = 10000;
  unsigned threads = 1;
};

// The user that HAProxy's workers run as under root. `own`: there is a user haproxy. `warning`: for the operator.
// The workers have no secret: configuration, control socket and log belong to root, and HAProxy reads them before it drops its
// rights. But a process of the same user can stop or kill the workers, and with them every session.
struct WorkerUser {
  std::string user;
  std::string group;
  std::string warning;
};
WorkerUser worker_user(bool own);

std::string read_write_name(const RoutedCluster& cluster);  // of frontend and backend
std::string read_only_name(const RoutedCluster& cluster);
std::string backup_name(const RoutedMember& member);  // the member as backup of the read-only port

std::string render_config(const ConfigOptions& options, const std::vector<RoutedCluster>& clusters);

// One server, as "show servers state" tells it.
struct ServerState {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t check_port = 0;
  bool up = false;       // by its check
  bool drained = false;  // takes no new connections: by our command
  [[nodiscard]] bool takes_sessions() const { return up && !drained; }
};
using Servers = std::map<std::string, ServerState>;  // by "backend/server"

Result<Servers> parse_servers(std::string_view text);
// For a new worker to begin with: what the present one says, and a member it does not know is down
// until its check says otherwise.
std::string render_states(const std::string& present,
                          const std::vector<RoutedCluster>& clusters);

struct Workers {
  long current = 0;       // pid; 0 = none
  std::vector<long> old;  // those that only end their sessions
  unsigned failed = 0;    // reloads in a row that did not succeed
};
Workers parse_workers(std::string_view text);

// Of the sessions ("show sess") of an old worker, whose servers no check moves any more: those at a
// server that takes none now, or that is gone.
std::vector<std::string> sessions_to_cut(std::string_view text, const Servers& now);

}  // namespace mysos::discovery
