// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which ports the members of an embedded Mesos get: a block of its own per state directory, so that
// two instances on one machine, or somebody else's server, do not meet. Chosen once (by the
// directory's name, past what is listened on now), kept in DIR/task-ports, since members keep their
// ports for life.
#include <cstdint>
#include <string>

#include "base/result.h"

namespace mysos::cli {

inline constexpr std::uint16_t kPortsPerAgent = 100;
inline constexpr std::uint16_t kFirstTaskPort = 20000;
inline constexpr std::uint16_t kEndOfTaskPorts =
    32768;  // above, Linux takes the ports of outgoing connections

// The first port of the block. kConflict: no block of that size is free. Blocking (it tries the
// ports).
Result<std::uint16_t> task_ports(const std::string& dir, std::size_t agents,
                                 const std::string& address);

}  // namespace mysos::cli
