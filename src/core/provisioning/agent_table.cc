// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/agent_table.h"

#include <algorithm>

namespace mysos {

std::vector<AgentOffer> grouped_by_agent(const std::vector<mesos::Offer>& offers) {
  std::map<AgentId, AgentOffer> groups;
  for (const mesos::Offer& offer : offers) {
    AgentOffer& group = groups[offer.agent];
    group.agent = offer.agent;
    group.hostname = offer.hostname;
    group.ip = offer.ip;
    group.offers.push_back(offer.id);
    group.resources += offer.resources;
    if (!offer.resources.empty()) group.allocation_role = offer.resources.list().front().allocation_role;
  }
  std::vector<AgentOffer> out;
  for (auto& [agent, group] : groups) out.push_back(std::move(group));
  return out;
}

Needs scalars_of(const Resources& resources) {
  return {resources.milli("cpus"), resources.milli("mem"), resources.milli("disk")};
}

std::uint64_t port_count(const Resources& resources) {
  std::uint64_t count = 0;
  for (const Resource& r : resources.list()) {
    if (r.name != "ports") continue;
    for (const Range& range : r.ranges) count += range.end - range.begin + 1;
  }
  return count;
}

AgentSpace space_of(const AgentOffer& offer) {
  const Resources free = offer.resources.unreserved();
  return {offer.agent, offer.hostname, scalars_of(free), port_count(free), scalars_of(offer.resources)};
}

void AgentTable::saw(const AgentOffer& offer, const Needs& held) {
  AgentSpace seen = space_of(offer);
  const Needs before = total(offer.agent);
  seen.total = {std::max(before.cpus, seen.total.cpus + held.cpus), std::max(before.mem, seen.total.mem + held.mem),
                std::max(before.disk, seen.total.disk + held.disk)};
  agents_[offer.agent] = std::move(seen);
}

void AgentTable::set_free(const AgentId& agent, const Resources& unreserved) {
  const auto it = agents_.find(agent);
  if (it == agents_.end()) return;
  it->second.free = scalars_of(unreserved);
  it->second.free_ports = port_count(unreserved);
}

std::vector<AgentSpace> AgentTable::all() const {
  std::vector<AgentSpace> out;
  for (const auto& [agent, space] : agents_) out.push_back(space);
  return out;
}

Needs AgentTable::total(const AgentId& agent) const {
  const auto it = agents_.find(agent);
  return it == agents_.end() ? Needs{} : it->second.total;
}

}  // namespace mysos
