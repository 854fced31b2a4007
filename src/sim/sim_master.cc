// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_master.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mysos::sim {
namespace {

constexpr Duration kNoticeBroken = milliseconds(500);

}  // namespace

SimMaster::SimMaster(Sim& sim, ServerWorld& world, std::uint32_t machines) : sim_(sim) {
  for (std::uint32_t m = 0; m < machines; ++m) {
    agents_.push_back(std::make_unique<SimAgent>(
        sim, world, m,
        [this](SimAgent& agent, const std::shared_ptr<AgentLink>& link, local::MasterInput input) {
          sim_.network.send(
              link->up, agent_node(agent.machine()), kMasterNode,
              [this, &agent, link, input = std::move(input)] { from_agent(agent, link, input); });
        }));
  }
}

void SimMaster::start() {
  ++life_;
  local::MasterOptions options;
  options.agent_timeout = seconds(15);
  options.agent_reregister_timeout = seconds(60);
  options.resend_first = seconds(3);
  options.resend_most = seconds(20);
  core_.emplace(registry_, options, fmt::format("M{}", ++starts_), sim_.now());
  step(local::Tick{});
  watch_agents();
}

void SimMaster::crash() {
  if (!core_) return;
  sim_.tell([] { return std::string("the Mesos master dies"); });
  core_.reset();
  ++life_;
  timer_ = kNever;
  greeting_.clear();
  for (auto& [id, entry] : linked_) entry.second->up->close(), entry.second->down->close();
  linked_.clear();
  for (auto& [id, link] : streams_) link->up->close(), link->down->close();
  streams_.clear();
  sim_.after(sim_.between(milliseconds(500), seconds(4)), [this, life = life_] {
    if (life == life_) start();
  });
}

void SimMaster::step(const local::MasterInput& input) {
  core_->step(input, sim_.now());
  local::MasterOutput out = core_->take_output();
  if (out.persist) registry_ = std::move(*out.persist);
  for (auto& to : out.events) {
    const auto found = streams_.find(to.stream);
    if (found == streams_.end()) continue;
    found->second->framework = to.framework;
    sim_.network.send(
        found->second->down, kMasterNode, kSchedulerNode,
        [link = found->second, event = std::move(to.event)]() mutable { link->deliver(std::move(event)); });
  }
  for (const local::StreamId& id : out.closed) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) continue;
    sim_.tell([&] { return "master: ends the stream " + id.str(); });
    sim_.after(milliseconds(5), [link = found->second] { link->down->close(), link->up->close(); });
    streams_.erase(found);
  }
  for (auto& to : out.agents) {
    if (const auto* hello = std::get_if<local::Registered>(&to.message)) {
      const auto met = greeting_.find(hello->link);
      if (met == greeting_.end()) continue;
      linked_[to.agent] = met->second;
      met->second.first->learn_id(to.agent);
      greeting_.erase(met);
    }
    const auto found = linked_.find(to.agent);
    if (found == linked_.end()) continue;
    auto& [agent, link] = found->second;
    sim_.network.send(link->down, kMasterNode, agent_node(agent->machine()),
                      [a = agent, l = link, id = to.agent, message = std::move(to.message)] {
                        a->receive(l, id, message);
                      });
  }
  arm_timer();
}

void SimMaster::arm_timer() {
  const Instant at = core_->next_deadline();
  if (at == kNever || at >= timer_) return;
  timer_ = at;
  sim_.after(std::max(Duration{}, at - sim_.now()), [this, at, life = life_] {
    if (life != life_) return;
    if (timer_ == at) timer_ = kNever;
    step(local::Tick{});
  });
}

// ---- agents ----

void SimMaster::from_agent(SimAgent& agent, const std::shared_ptr<AgentLink>& link,
                           local::MasterInput input) {
  if (!core_) {
    link->up->close();
    return;
  }
  if (const auto* hello = std::get_if<local::RegisterAgent>(&input)) {
    greeting_[hello->link] = {&agent, link};
    if (hello->id) linked_.erase(*hello->id);
  } else {
    const bool current =
        std::ranges::any_of(linked_, [&](const auto& e) { return e.second.second == link; });
    if (!current) return;
  }
  step(input);
}

void SimMaster::watch_agents() {
  sim_.after(kNoticeBroken, [this, life = life_] {
    if (life != life_) return;
    std::vector<AgentId> lost;
    for (const auto& [id, entry] : linked_) {
      if (entry.second->up->broken() || entry.second->down->broken()) lost.push_back(id);
    }
    for (const AgentId& id : lost) {
      linked_.erase(id);
      step(local::AgentDisconnected{id});
    }
    std::vector<local::StreamId> closed;
    for (const auto& [id, link] : streams_) {
      if (link->down->broken()) closed.push_back(id);
    }
    for (const auto& id : closed) {
      streams_.erase(id);
      step(local::StreamClosed{id});
    }
    watch_agents();
  });
}

// ---- the scheduler ----

void SimMaster::subscribe(const std::shared_ptr<SubscribeLink>& link,
                          const mesos::FrameworkInfo& info) {
  if (!core_) {
    link->down->close();
    link->up->close();
    return;
  }
  sim_.tell([&] { return "master: a scheduler subscribes on " + link->id.str(); });
  streams_[link->id] = link;
  step(local::SubscribeFramework{link->id, info});
}

void SimMaster::call(const std::shared_ptr<SubscribeLink>& link, const mesos::Call& call) {
  if (!core_ || !link->framework) return;
  if (const auto refused = core_->check_call(*link->framework, link->id)) {  // 400, 403: the stream's end tells the rest
    sim_.tell([&] { return "master: refuses a call on " + link->id.str(); });
    return;
  }
  step(local::FrameworkCall{*link->framework, call});
}

}  // namespace mysos::sim
