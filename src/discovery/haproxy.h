// SPDX-License-Identifier: Apache-2.0
#pragma once
// A HAProxy of our own: one process in master-worker mode with a configuration, a control socket
// (mode 0600) and a log in the router's folder. It survives the router: a router that is
// killed and started again finds it by its pid and start time, without an effect on sessions. A reload
// hands the listening sockets to a new worker; the old worker keeps its sessions until they end.
// Belongs to the thread of the io_context.
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/process.h"
#include "base/result.h"
#include "discovery/haproxy_text.h"

namespace mysos::discovery {

inline constexpr Duration kHaProxyAnswer = std::chrono::seconds(5);
inline constexpr Duration kHaProxyStart = std::chrono::seconds(15);
inline constexpr std::size_t kMaxHaProxyAnswer = std::size_t{64} << 20;
inline constexpr std::size_t kMaxHaProxyLog = std::size_t{8} << 20;  // then it is truncated

class HaProxy {
 public:
  // `program` is a path, or a name to be found in PATH or the sbin folders; `dir` exists.
  HaProxy(std::string program, std::string dir);

  // The path of the program; kNotFound says what to install.
  static Result<std::string> find_program(const std::string& name);

  // The paths of the files of the configuration.
  [[nodiscard]] std::string state_file() const { return dir_ + "/haproxy.states"; }
  [[nodiscard]] std::string config_file() const { return dir_ + "/haproxy.cfg"; }
  [[nodiscard]] std::string log_file() const { return dir_ + "/haproxy.log"; }

  // Adopts an HAProxy that an earlier router started. False: there is none.
  bool adopt();
  // Starts it and waits until it answers. kInvalid: it refuses the configuration; the message is HAProxy's.
  asio::awaitable<Status> start(std::string config, std::string states);
  [[nodiscard]] bool alive();
  // Ok: a new worker has the new configuration. Otherwise nothing has changed.
  asio::awaitable<Status> reload(std::string config, std::string states);

  // Commands of the runtime API, for the present worker or for one by its pid. The answers, one
  // after the other.
  asio::awaitable<Result<std::string>> ask(std::vector<std::string> commands, long worker = 0);
  asio::awaitable<Result<Workers>> workers();

  // Ends it and every session.
  asio::awaitable<void> stop();

 private:
  asio::awaitable<Result<std::string>> send(std::string line);
  asio::awaitable<Status> write_files(std::string config, std::string states);
  asio::awaitable<Result<Workers>> wait_for_worker(std::vector<long> not_these);
  [[nodiscard]] Result<Process> find_unrecorded() const;
  // An argument that no other HAProxy has.
  [[nodiscard]] std::string socket_word() const { return socket() + ",mode,600"; }
  [[nodiscard]] std::string pid_file() const { return dir_ + "/haproxy.pid"; }
  [[nodiscard]] std::string socket() const { return dir_ + "/haproxy.sock"; }

  std::string program_;
  std::string dir_;
  std::optional<Process> process_;  // the master
};

}  // namespace mysos::discovery
