// SPDX-License-Identifier: Apache-2.0
#pragma once
// Leaks: after all clusters are deleted, Mesos holds no task, reservation or volume of ours. While
// clusters exist, it holds exactly theirs. Returns nullopt, or what is too much.
#include <optional>
#include <string>

#include "sim/sim_master.h"
#include "sim/truth.h"

namespace mysos::sim {

std::optional<std::string> leaks(const SimMaster& master, const Truth& truth, const SchedulerState& state);


// A cluster that a state does not know, and that somebody wants back. One of its members must keep its secrets, and a rebuilt
// record could not tell that a volume was lost.
bool wanted_back(const Truth& truth, const ClusterTruth& cluster);
// It is in the state again, with a record that is as old as can be: nothing is compared with the one before.
void note_adopted(Sim& sim, ClusterTruth& now, const Cluster& cluster);

}  // namespace mysos::sim
