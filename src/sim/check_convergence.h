// SPDX-License-Identifier: Apache-2.0
#pragma once
// Convergence: after all faults have ended, every cluster must serve: a primary that acknowledges, all
// other members that have not lost their volume following it with everything it has, and a
// scheduler that says so. Returns nullopt, or what is still missing.
#include <optional>
#include <string>

#include "sim/truth.h"

namespace mysos::sim {

// `acked_since`: a client must have been told OK after it.
std::optional<std::string> not_converged(const Truth& truth, const ClusterTruth& cluster,
                                         const SchedulerCore& scheduler, Instant now,
                                         Instant acked_since);

}  // namespace mysos::sim
