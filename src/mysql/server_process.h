// SPDX-License-Identifier: Apache-2.0
#pragma once
// The mysqld of one member. It runs in its own session, as an unprivileged user, and outlives this object and the
// executor. A restarted executor finds it again by adopt(), which trusts a pid only together with its start time and the
// --defaults-file on its command line. Invariant: at most one server per member folder; start() refuses while one lives.
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/json.h"
#include "base/process.h"
#include "base/result.h"
#include "mysql/accounts.h"
#include "mysql/config.h"
#include "mysql/session.h"

namespace mysos::mysql {

// Where things of a member's server are. The folder is the member's; it holds data/, my.cnf, error.log, server.json and
// run/ (0700, the server user's, with the socket). Linux takes 107 bytes of socket path: for a longer one run/ is
// /tmp/mysos-<hash of the folder>.
struct ServerLayout {
  std::string dir;
  std::string datadir;
  std::string run_dir;
  std::string socket;
  std::string config;
  std::string error_log;
  std::string pid_file;
  std::string init_file;
  std::string state_file;
  std::string files_dir;
  std::string temp_dir;
  // The port for Mysos' own connections, which no client can fill; 0: none.
  std::string admin_host = {};
  std::uint16_t admin_port = 0;
};
ServerLayout server_layout(const std::string& dir);

struct ServerSpec {
  Distribution distribution;
  ServerLayout layout;
  std::optional<ProcessUser> user;  // datadir.h: server_user()
  Bytes memory;
  double cpus = 1;
  std::uint16_t port = 0;
  std::string bind_address = "*";
  std::string report_host;
  std::uint32_t server_id = 0;
  bool any_engine = false;
  std::map<std::string, std::string> user_settings = {};
  std::vector<std::string> cgroup_procs = {};  // ProcessOptions
};

class ServerProcess {
 public:
  // Writes the configuration and the accounts' file, and starts the server. It does not serve yet: wait_ready.
  static Result<ServerProcess> start(const ServerSpec& spec, const Secrets& secrets);
  // The server of that folder, if it lives.
  static std::optional<ServerProcess> adopt(const ServerLayout& layout);

  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  // "<pid>-<start time>": changes with each start.
  [[nodiscard]] std::string incarnation() const;

  // Until the admin account gets an answer over the socket. kIo, with the end of the error log, when the server ends
  // first; kTimeout. The accounts' file is removed then.
  asio::awaitable<Status> wait_ready(Secrets secrets, Duration at_most);
  asio::awaitable<ExitStatus> wait_exit() { return process_.wait_exit(); }
  std::optional<ExitStatus> try_wait() { return process_.try_wait(); }
  // SIGTERM; SIGKILL when it still lives after `grace`. Only for a server that is read-only or that no client reaches: a
  // server that is told to end acknowledges the commits that wait for an acker (both flavours, measured).
  asio::awaitable<ExitStatus> shutdown(Duration grace);
  Status kill() const { return process_.kill(SIGKILL); }
  // The end of the error log, for a sentence.
  [[nodiscard]] std::string last_words() const;

 private:
  ServerProcess(Process process, ServerLayout layout) : process_(std::move(process)), layout_(std::move(layout)) {}
  Process process_;
  ServerLayout layout_;
};

// A session as admin, over the socket; where that has no room, over the admin port.
SessionTarget admin_target(const ServerLayout& layout, const Secrets& secrets);

}  // namespace mysos::mysql
