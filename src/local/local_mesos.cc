// SPDX-License-Identifier: Apache-2.0
#include "local/local_mesos.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secret_file.h"
#include "local/folders.h"

namespace mysos::local {
namespace {
constexpr Logger kLog{"local-mesos"};
constexpr double kOfMemory = 0.9;  // the rest is for the machine and for us
constexpr double kOfDisk = 0.9;

// FNV-1a: the same cgroup for the same directory, whoever starts it.
std::string cgroup_parent(const std::string& dir) {
  std::uint32_t hash = 2166136261U;
  for (const unsigned char c : dir) hash = (hash ^ c) * 16777619U;
  return fmt::format("mysos-{:08x}", hash);
}

std::int64_t whole_mib(double bytes) { return static_cast<std::int64_t>(bytes / (1 << 20)); }
}  // namespace

Result<Resources> machine_share(const std::string& dir, const LocalMesosOptions& options) {
  const auto n = static_cast<double>(options.agents);
  const double cpus =
      std::max(1U, std::thread::hardware_concurrency()) * options.cpu_overcommit / n;
  const double memory = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<double>(::sysconf(_SC_PAGE_SIZE));
  MYSOS_TRY(const Bytes disk, free_bytes(dir));
  return Resources{scalar("cpus", std::llround(cpus * 1000)),
                   scalar("mem", whole_mib(memory * kOfMemory * options.mem_overcommit / n) * 1000),
                   scalar("disk", whole_mib(static_cast<double>(disk.value) * kOfDisk *
                                            options.disk_overcommit / n) *
                                      1000)};
}

LocalMesos::LocalMesos(asio::any_io_executor executor, std::string dir, LocalMesosOptions options)
    : executor_(std::move(executor)),
      dir_(std::move(dir) + "/mesos"),
      options_(std::move(options)) {
  MYSOS_ASSERT(options_.agents > 0 && options_.agents <= kMaxLocalAgents,
               "a sensible number of agents");
}

LocalMesos::~LocalMesos() = default;

MasterConfig LocalMesos::master_config() const {
  return {dir_ + "/master", options_.address, ports_.at(0), credential_, options_.master};
}

AgentConfig LocalMesos::agent_config(std::size_t i) const {
  AgentConfig config;
  config.dir = dir_ + "/agent-" + std::to_string(i);
  config.address = options_.address;
  config.port = ports_.at(i + 1);
  config.hostname = options_.address;
  config.attributes = {{"agent", std::to_string(i)}};
  const auto first =
      static_cast<std::uint64_t>(options_.first_task_port) + i * options_.ports_per_agent;
  config.resources = machine_share_;
  const bool own_ports = std::ranges::any_of(machine_share_.list(),
                                             [](const Resource& r) { return r.name == "ports"; });
  if (!own_ports)
    config.resources += Resources{ports({{first, first + options_.ports_per_agent - 1U}})};
  config.options = options_.agent;
  return config;
}

// Executors know their agent by its port, so it must stay the same.
Status LocalMesos::load_ports() {
  ports_.assign(options_.agents + 1, 0);
  const std::string file = dir_ + "/ports.json";
  if (path_exists(file)) {
    MYSOS_TRY(const std::string text, read_file(file));
    MYSOS_TRY(const auto saved, from_json_text<std::vector<std::uint16_t>>(text));
    for (std::size_t i = 0; i < std::min(saved.size(), ports_.size()); ++i) ports_[i] = saved[i];
  }
  if (options_.master_port != 0) ports_[0] = options_.master_port;
  return {};
}

Status LocalMesos::save_ports() const {
  return write_file_atomic(dir_ + "/ports.json", to_json_text(ports_), 0600);
}

void LocalMesos::set_up_cgroups() {
  std::string why_not = "switched off";
  if (options_.cgroups) cgroups_ = Cgroups::probe(cgroup_parent(dir_), why_not);
  if (cgroups_) {
    kLog.info("containers are cgroups, version {}", cgroups_->version());
  } else {
    kLog.warn("containers are plain processes without limits: {}", why_not);
  }
}

Status LocalMesos::start() {
  MYSOS_TRY_VOID(make_passable_dir(dir_));
  std::error_code ec;
  dir_ = std::filesystem::canonical(dir_, ec).string();
  MYSOS_TRY(lock_, LockFile::acquire(dir_ + "/lock"));
  credential_.principal = options_.principal;
  MYSOS_TRY(credential_.secret, open_secret_file(dir_ + "/secret"));
  if (options_.resources) {
    machine_share_ = *options_.resources;
  } else {
    MYSOS_TRY(machine_share_, machine_share(dir_, options_));
  }
  MYSOS_TRY_VOID(load_ports());
  set_up_cgroups();
  master_ = std::make_unique<Master>(executor_, master_config());
  MYSOS_TRY_VOID(master_->start());
  ports_[0] = master_->port();
  agents_.resize(options_.agents);
  for (std::size_t i = 0; i < agents_.size(); ++i) MYSOS_TRY_VOID(start_agent(i));
  MYSOS_TRY_VOID(save_ports());
  kLog.info("a Mesos master at {}:{} with {} agents of {}", options_.address, ports_[0],
            agents_.size(), describe(machine_share_));
  return {};
}

Status LocalMesos::start_agent(std::size_t i) {
  MYSOS_ASSERT(agents_.at(i) == nullptr, "the agent does not run");
  agents_[i] = std::make_unique<Agent>(executor_, agent_config(i), cgroups_ ? &*cgroups_ : nullptr);
  MYSOS_TRY_VOID(agents_[i]->start());
  if (agents_[i]->port() != 0) ports_[i + 1] = agents_[i]->port();
  agents_[i]->connect(master_.get());
  return {};
}

asio::awaitable<void> LocalMesos::stop_agent(std::size_t i, Containers containers) {
  if (agents_.at(i) == nullptr) co_return;
  co_await agents_[i]->stop(containers == Containers::kKeep);
  agents_[i].reset();
}

asio::awaitable<Status> LocalMesos::restart_master() {
  for (auto& agent : agents_) {
    if (agent) agent->connect(nullptr);
  }
  co_await master_->stop();
  master_ = std::make_unique<Master>(executor_, master_config());
  MYSOS_CO_TRY_VOID(master_->start());
  for (auto& agent : agents_) {
    if (agent) agent->connect(master_.get());
  }
  co_return Status();
}

asio::awaitable<void> LocalMesos::stop(Containers containers) {
  for (std::size_t i = 0; i < agents_.size(); ++i) co_await stop_agent(i, containers);
  if (master_) co_await master_->stop();
  master_.reset();
  if (cgroups_ && containers == Containers::kEnd) cgroups_->remove_parent();
  lock_.reset();
}

}  // namespace mysos::local
