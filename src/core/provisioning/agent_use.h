// SPDX-License-Identifier: Apache-2.0
#pragma once
// The offers of one agent, and what is to be done with them. The parts of provisioning add operations; the offer desk sends
// them as one ACCEPT.
#include <vector>

#include "core/provisioning/agent_table.h"
#include "core/state/scheduler_config.h"

namespace mysos {

struct AgentUse {
  AgentOffer offer;
  Resources free;  // unreserved, and not yet given to any member
  std::vector<mesos::Operation> operations = {};
  bool awaited = false;  // something of ours is missing in it and should come soon
};

// The place is on the agent of this offer.
inline void put_on(Place& at, const AgentOffer& offer, const SchedulerConfig& config) {
  at.agent = offer.agent;
  at.hostname = offer.hostname;
  at.ip = config.bind.empty() ? offer.ip : config.bind;
}

}  // namespace mysos
