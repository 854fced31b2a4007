// SPDX-License-Identifier: Apache-2.0
#pragma once
// Ports of the agents of an embedded Mesos. Before any agent starts, the ports in use are read from the agents' files, so that
// the choice of a block of ports can distinguish our own servers from others. This file also computes the ports that a starting
// agent offers: the present block, and the reserved or used ports of earlier blocks.
#include <cstdint>
#include <set>
#include <string>

#include "local/agent_state.h"

namespace mysos::local {

struct AgentPorts {
  std::set<std::uint16_t> reserved;  // of members for life, also of members that do not run now
  std::set<std::uint16_t> held;      // of tasks whose executors live: what listens there is ours
};

// Of all agents below DIR/mesos; none where there is no such folder. An error where a file cannot be read. Blocking.
Result<AgentPorts> agent_ports(const std::string& dir);

// `state.total` with the ports of `offered` in place of those that nobody has reserved and no task uses.
Resources with_block(const AgentState& state, const Resources& offered);

}  // namespace mysos::local
