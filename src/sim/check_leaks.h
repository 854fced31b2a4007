// SPDX-License-Identifier: Apache-2.0
#pragma once
// Nothing leaks: once no cluster is left of what was made, Mesos holds no task, reservation or
// volume of ours; and while clusters live, it holds exactly theirs. nullopt, or what is too much.
#include <optional>
#include <string>

#include "sim/sim_master.h"
#include "sim/truth.h"

namespace mysos::sim {

std::optional<std::string> leaks(const SimMaster& master, const Truth& truth, const SchedulerState& state);

}  // namespace mysos::sim
