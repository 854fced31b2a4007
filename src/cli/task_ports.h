// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which ports the members of an embedded Mesos get: a block of its own per state directory, so that two instances on one
// machine, or somebody else's server, do not meet. It is chosen by the directory's name, past what is listened on, and kept in
// DIR/task-ports. Each start looks again: somebody may have taken ports of it while we were away, or there are more agents.
// Then another block is chosen. Members keep their ports, which are reserved for them; one whose port is taken gets others
// when it is launched.
#include <cstdint>
#include <string>

#include "base/result.h"
#include "local/agent_ports.h"

namespace mysos::cli {

inline constexpr std::uint16_t kPortsPerAgent = 100;
inline constexpr std::uint16_t kFirstTaskPort = 20000;
inline constexpr std::uint16_t kEndOfTaskPorts =
    32768;  // above, Linux takes the ports of outgoing connections

// The first port of the block. `ours`: what is no hindrance when it is listened on, and what a new block leaves out. kConflict:
// there is no block yet, and none of that size is free. Where the saved one is not free and no other is, it stays. Blocking (it
// tries the ports).
Result<std::uint16_t> task_ports(const std::string& dir, std::size_t agents,
                                 const std::string& address, const local::AgentPorts& ours);

}  // namespace mysos::cli
