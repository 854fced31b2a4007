// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether an operator's switchover or failover can be accepted now, and to whom. Pure. Carrying it out is the planner's.
#include <optional>
#include <vector>

#include "core/epochs/planner.h"
#include "core/state/ledger.h"

namespace mysos {

// The target: `to`, or the follower that lags least (an acker before others). kInvalid for a stranger, kConflict where
// nobody can take over now.
Result<MemberId> switchover_target(const Cluster& cluster, const std::vector<MemberView>& members,
                                   const std::optional<MemberId>& to);

// Ok where a failover can be begun now as it is wanted. kConflict where it could not end without a loss that is not accepted:
// the message spells the loss out, as far as it is known.
Status check_failover(const Cluster& cluster, const std::vector<MemberView>& members, const FailoverRequest& wanted);
// Records it, if check_failover lets it.
Result<ClusterId> begin_failover(Ledger& ledger, const Cluster& cluster, const std::vector<MemberView>& members,
                                 const FailoverRequest& wanted);
// The switchover that was asked for is not carried out, which an event says. Without one nothing happens.
void give_up_switchover(Ledger& ledger, Cluster& cluster, std::string why);
// How elections are to see a member, of several that are complete.
Result<ClusterId> set_promotion(Ledger& ledger, const Cluster& cluster, const MemberId& member, Promotion promotion);

}  // namespace mysos
