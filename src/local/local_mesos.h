// SPDX-License-Identifier: Apache-2.0
#pragma once
// A whole Mesos in this process, for one machine: a master and some agents on loopback, with the v1
// APIs of Apache Mesos. Everything is under DIR/mesos and survives a restart, containers included:
// LocalMesos started again on the same DIR listens on the same ports and finds its executors. It refuses
// clients without the secret in DIR/mesos/secret, because a framework can run commands as our user.
// Tests use it too: its parts can be stopped and started one by one.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fs.h"
#include "local/agent.h"
#include "local/master.h"

namespace mysos::local {

inline constexpr std::size_t kMaxLocalAgents = 64;

struct LocalMesosOptions {
  std::size_t agents = 3;
  std::string address = "127.0.0.1";
  std::uint16_t master_port = 0;  // 0: a free one, the same after a restart
  std::string principal = "mysos";  // whose secret is made at the first start
  // Of each agent; with ports in it, these for each. By default the machine's cpus, memory and free
  // disk divided by the agents, times these factors.
  std::optional<Resources> resources;
  double cpu_overcommit = 1;
  double mem_overcommit = 1;
  double disk_overcommit = 1;
  std::uint16_t first_task_port = 31000;  // agent i has ports_per_agent from here on
  std::uint16_t ports_per_agent = 100;
  bool cgroups = true;  // where they are permitted
  MasterOptions master;
  AgentOptions agent;
};

enum class Containers { kKeep, kEnd };

class LocalMesos {
 public:
  LocalMesos(asio::any_io_executor executor, std::string dir, LocalMesosOptions options);
  ~LocalMesos();
  LocalMesos(const LocalMesos&) = delete;
  LocalMesos& operator=(const LocalMesos&) = delete;

  // kConflict when another process has DIR.
  Status start();
  // To be awaited before destruction, also after a start() that failed. kEnd shuts executors down (their
  // grace applies) and frees the cgroups.
  asio::awaitable<void> stop(Containers containers);

  [[nodiscard]] Endpoint master_endpoint() const { return {options_.address, ports_.at(0)}; }
  // The credential that every client must send, as HTTP Basic; known after the start.
  [[nodiscard]] const mesos::Credential& credential() const { return credential_; }
  [[nodiscard]] const Master& master() const { return *master_; }
  [[nodiscard]] Master& master() { return *master_; }
  [[nodiscard]] bool agent_runs(std::size_t i) const { return agents_.at(i) != nullptr; }
  [[nodiscard]] const Agent& agent(std::size_t i) const { return *agents_.at(i); }
  [[nodiscard]] std::size_t agent_count() const { return agents_.size(); }
  [[nodiscard]] bool uses_cgroups() const { return cgroups_.has_value(); }

  // As if the master's process were killed and started: all streams end, agents register again.
  asio::awaitable<Status> restart_master();
  asio::awaitable<void> stop_agent(std::size_t i, Containers containers = Containers::kKeep);
  Status start_agent(std::size_t i);

 private:
  [[nodiscard]] MasterConfig master_config() const;
  [[nodiscard]] AgentConfig agent_config(std::size_t i) const;
  Status load_ports();
  Status save_ports() const;
  void set_up_cgroups();

  asio::any_io_executor executor_;
  std::string dir_;  // DIR/mesos
  LocalMesosOptions options_;
  mesos::Credential credential_;
  Resources machine_share_;
  std::optional<LockFile> lock_;
  std::optional<Cgroups> cgroups_;
  std::vector<std::uint16_t> ports_;  // master, agents
  std::unique_ptr<Master> master_;
  std::vector<std::unique_ptr<Agent>> agents_;
};

// cpus, mem and disk of this machine divided by `agents`, as LocalMesosOptions say.
Result<Resources> machine_share(const std::string& dir, const LocalMesosOptions& options);

}  // namespace mysos::local
