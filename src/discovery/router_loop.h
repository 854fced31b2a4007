// SPDX-License-Identifier: Apache-2.0
#pragma once
// The shell of RouterCore: reads HAProxy, asks the API, carries out the core's output, keeps
// HAProxy running, and serves /metrics and /status. A round of these comes with each event
// of the scheduler, often while a primary is being chosen, else every second. Belongs to the thread
// of the io_context.
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/asio.h"
#include "base/fs.h"
#include "base/http/server.h"
#include "base/http/url.h"
#include "base/metrics.h"
#include "base/task_group.h"
#include "discovery/haproxy.h"
#include "discovery/router_core.h"
#include "discovery/router_file.h"

namespace mysos::discovery {

struct RouterOptions {
  Url api;
  std::function<Result<std::string>()> token;  // asked again for each request: it may be replaced
  std::string dir;                             // the router's folder
  std::string program = "haproxy";
  std::string listen = "127.0.0.1";
  PortRange ports;
  double max_lag_s = 30;
  std::string status_listen = "127.0.0.1";
  std::uint16_t status_port = 0;
};

class RouterLoop {
 public:
  RouterLoop(asio::any_io_executor executor, RouterOptions options);

  // Folder, lock, kept ports, HAProxy's program, status port. kConflict: another router has the
  // folder.
  Status open();
  [[nodiscard]] std::uint16_t status_port() const { return status_port_; }
  // Runs until end(), which also ends HAProxy.
  asio::awaitable<void> serve();
  void end();

 private:
  asio::awaitable<void> follow_events();
  asio::awaitable<Status> follow_once();
  asio::awaitable<void> round();
  asio::awaitable<bool> have_haproxy();
  asio::awaitable<std::optional<Servers>> look();
  asio::awaitable<void> hear_api();
  asio::awaitable<Status> ask_clusters();
  asio::awaitable<void> reload(const Servers& held);
  asio::awaitable<void> obey(std::vector<std::string> commands);
  asio::awaitable<void> ask_suspects(std::vector<Suspect> suspects);
  asio::awaitable<void> cut_old_sessions(const Servers& servers);
  asio::awaitable<void> answer(const HttpRequest& request, HttpExchange& exchange);
  [[nodiscard]] HttpRequest api_request(std::string target, const std::string& token) const;
  [[nodiscard]] std::string config() const;
  [[nodiscard]] PortTable::IsFree port_is_free_here() const;
  [[nodiscard]] bool any_ports() const;
  [[nodiscard]] Duration pause() const;
  void save(bool active);
  void measure(const Servers& servers);
  // Logs a problem when it begins and when it ends.
  void trouble(const std::string& about, const std::string& what);

  asio::any_io_executor executor_;
  RouterOptions options_;
  ConfigOptions config_;
  std::optional<LockFile> lock_;
  std::optional<RouterCore> core_;
  std::optional<HaProxy> haproxy_;
  RouterFile saved_;
  std::string present_states_;  // as HAProxy told them last
  Signal wake_;
  TaskGroup tasks_;
  HttpServer server_;
  Metrics metrics_;
  std::map<std::string, std::string> troubles_;
  std::set<std::string> measured_;
  std::map<std::string, std::uint64_t> switches_;
  Instant busy_until_{};
  Instant next_start_{};
  Instant next_reload_{};
  unsigned failures_ = 0;  // of starts and reloads, in a row
  bool reload_wanted_ = false;
  bool old_workers_ = true;  // there may be some
  bool api_answers_ = false;
  bool ending_ = false;
  std::uint16_t status_port_ = 0;
};

}  // namespace mysos::discovery
