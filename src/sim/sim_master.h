// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Mesos of a simulated world: the embedded master's real pure core between simulated agents and
// the scheduler's stream. The master may die and come back with only its registry.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "local/master_core.h"
#include "sim/sim_agent.h"

namespace mysos::sim {

// One SUBSCRIBE of the scheduler.
struct SubscribeLink {
  local::StreamId id;
  std::shared_ptr<Stream> up = std::make_shared<Stream>();    // calls; shared with what flies
  std::shared_ptr<Stream> down = std::make_shared<Stream>();  // events
  std::function<void(mesos::Event)> deliver;                  // runs at the scheduler
  std::optional<FrameworkId> framework;
};

class SimMaster {
 public:
  SimMaster(Sim& sim, ServerWorld& world, std::uint32_t machines);

  void start();
  void crash();  // back by itself after a while

  void subscribe(const std::shared_ptr<SubscribeLink>& link, const mesos::FrameworkInfo& info);
  void call(const std::shared_ptr<SubscribeLink>& link, const mesos::Call& call);

  [[nodiscard]] const std::vector<std::unique_ptr<SimAgent>>& agents() const { return agents_; }
  [[nodiscard]] const std::optional<local::MasterCore>& core() const { return core_; }

 private:
  void step(const local::MasterInput& input);
  void arm_timer();
  void from_agent(SimAgent& agent, const std::shared_ptr<AgentLink>& link,
                  local::MasterInput input);
  void watch_agents();

  Sim& sim_;
  std::uint64_t life_ = 0;
  std::uint64_t starts_ = 0;
  std::optional<local::MasterCore> core_;
  local::Registry registry_;
  Instant timer_ = kNever;
  std::vector<std::unique_ptr<SimAgent>> agents_;
  std::map<std::string, std::pair<SimAgent*, std::shared_ptr<AgentLink>>>
      greeting_;  // by the link's name
  std::map<AgentId, std::pair<SimAgent*, std::shared_ptr<AgentLink>>> linked_;
  std::map<local::StreamId, std::shared_ptr<SubscribeLink>> streams_;
};

}  // namespace mysos::sim
