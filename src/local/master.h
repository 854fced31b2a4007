// SPDX-License-Identifier: Apache-2.0
#pragma once
// The embedded master: MasterCore with its file, its timer and its HTTP endpoints. The core's
// registry is on disk before any of its output leaves. Agents are in the same process and pass
// their inputs directly.
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/http/server.h"
#include "base/task_group.h"
#include "local/master_core.h"
#include "local/subscriber.h"
#include "mesos/credential.h"

namespace mysos::local {

struct MasterConfig {
  std::string dir;  // DIR/mesos/master
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  mesos::Credential credential;  // clients without it get 401
  MasterOptions options;
};

class Master {
 public:
  using AgentSink = std::function<void(AgentMessage)>;

  Master(asio::any_io_executor executor, MasterConfig config);
  Master(const Master&) = delete;
  Master& operator=(const Master&) = delete;

  // Reads the registry and listens.
  Status start();
  asio::awaitable<void> stop();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const MasterCore& core() const { return *core_; }

  // Steps the core and delivers what comes out. May be called from a sink: it then takes its turn.
  void submit(MasterInput input);
  // What the master says to the agent that registers next under `link` goes to `sink`, from then
  // on.
  void attach(const std::string& link, AgentSink sink);
  // The link is broken: nothing more is delivered.
  void detach(const std::string& link, const AgentId& agent);

 private:
  asio::awaitable<void> handle(const HttpRequest& request, HttpExchange& exchange);
  asio::awaitable<void> scheduler(const HttpRequest& request, HttpExchange& exchange,
                                  const json::value& body);
  asio::awaitable<void> subscribe(mesos::FrameworkInfo info, HttpExchange& exchange);
  asio::awaitable<void> tick();
  void work_off();
  void deliver(MasterOutput output);
  Status save(const Registry& registry) const;
  asio::awaitable<void> save_later();

  asio::any_io_executor executor_;
  MasterConfig config_;
  std::uint16_t port_ = 0;
  std::unique_ptr<MasterCore> core_;
  std::deque<MasterInput> inputs_;
  bool stepping_ = false;
  // What waits for its registry to be on disk. Until then the core is not stepped, and every call gets 503: inputs come from
  // the agents of this process only.
  std::optional<MasterOutput> held_;
  std::map<StreamId, std::shared_ptr<Subscriber>>
      streams_;  // shared with the handler that writes it out
  std::map<std::string, AgentSink> links_;
  std::map<AgentId, std::string> link_of_;
  HttpServer server_;
  Signal rescheduled_;
  TaskGroup tasks_;
};

}  // namespace mysos::local
