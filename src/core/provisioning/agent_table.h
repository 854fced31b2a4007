// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is known of the agents, from their offers: what is free, and the most they ever had for us. Only for placement's
// reasons and for refusing what no agent can ever offer; decisions are made on the offers themselves. Volatile.
#include <map>
#include <string>
#include <vector>

#include "core/provisioning/placement.h"
#include "model/mesos.h"

namespace mysos {

// All live offers of one agent: they are used or declined together.
struct AgentOffer {
  AgentId agent;
  std::string hostname;
  std::string ip;
  std::vector<OfferId> offers;
  Resources resources;
  std::string allocation_role;  // as its resources carry it
};
std::vector<AgentOffer> grouped_by_agent(const std::vector<mesos::Offer>& offers);

Needs scalars_of(const Resources& resources);
std::uint64_t port_count(const Resources& resources);
AgentSpace space_of(const AgentOffer& offer);  // free = its unreserved part

class AgentTable {
 public:
  // `held`: what our members hold there beyond what is offered.
  void saw(const AgentOffer& offer, const Needs& held);
  void set_free(const AgentId& agent, const Resources& unreserved);
  void gone(const AgentId& agent) { agents_.erase(agent); }
  [[nodiscard]] std::vector<AgentSpace> all() const;
  [[nodiscard]] Needs total(const AgentId& agent) const;

 private:
  std::map<AgentId, AgentSpace> agents_;
};

}  // namespace mysos
