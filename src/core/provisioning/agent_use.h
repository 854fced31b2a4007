// SPDX-License-Identifier: Apache-2.0
#pragma once
// The offers of one agent, and what is to be done with them. The parts of provisioning add operations; the offer desk sends
// them as one ACCEPT.
#include <vector>

#include "core/provisioning/agent_table.h"

namespace mysos {

struct AgentUse {
  AgentOffer offer;
  Resources free;  // unreserved, and not yet given to any member
  std::vector<mesos::Operation> operations = {};
  bool awaited = false;  // something of ours is missing in it and should come soon
};

}  // namespace mysos
