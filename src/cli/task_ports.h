// SPDX-License-Identifier: Apache-2.0
#pragma once
// The ports of the members of an embedded Mesos: one block per state directory, so that two instances on one machine, or other
// servers, do not collide. The directory's name selects the block, which avoids ports in use, and DIR/task-ports stores it.
// Each start checks again, because other programs may have taken ports meanwhile, or there are more agents. Then another block
// is chosen. Members keep their reserved ports. A member whose port is taken gets other ports at its next launch.
#include <cstdint>
#include <string>

#include "base/result.h"
#include "local/agent_ports.h"

namespace mysos::cli {

inline constexpr std::uint16_t kPortsPerAgent = 100;
inline constexpr std::uint16_t kFirstTaskPort = 20000;
inline constexpr std::uint16_t kEndOfTaskPorts =
    32768;  // above, Linux takes the ports of outgoing connections

// The first port of the block. `ours`: ports that may be in use, and that a new block avoids. kConflict: there is no saved
// block, and no block of that size is free. If neither the saved block nor another one is free, the saved block stays. Blocking
// (it tries the ports).
Result<std::uint16_t> task_ports(const std::string& dir, std::size_t agents,
                                 const std::string& address, const local::AgentPorts& ours);

}  // namespace mysos::cli
