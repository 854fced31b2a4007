// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether an operator's switchover can be accepted now, and to whom. Pure. Carrying it out is the planner's.
#include <optional>
#include <vector>

#include "core/epoch_planner.h"

namespace mysos {

// The target: `to`, or the follower that lags least (an acker before others). kInvalid for a stranger, kConflict where
// nobody can take over now.
Result<MemberId> switchover_target(const Cluster& cluster, const std::vector<MemberView>& members,
                                   const std::optional<MemberId>& to);

}  // namespace mysos
