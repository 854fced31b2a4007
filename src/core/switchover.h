// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether an operator's switchover or failover can be accepted now, and with which target. Pure. The planner carries it out.
#include <optional>
#include <vector>

#include "core/epochs/planner.h"
#include "core/state/ledger.h"

namespace mysos {

// The target: `to`, or the replica that lags least (ackers first). kInvalid: `to` is no member of the cluster. kConflict: no
// member can take over now.
Result<MemberId> switchover_target(const Cluster& cluster, const std::vector<MemberView>& members,
                                   const std::optional<MemberId>& to);

// Ok: the failover can begin now as requested. kConflict: it could not end without a loss that the request does not accept. The
// message names the loss as far as it is known.
Status check_failover(const Cluster& cluster, const std::vector<MemberView>& members, const FailoverRequest& wanted);
// Stores the failover request, if check_failover allows it.
Result<ClusterId> begin_failover(Ledger& ledger, const Cluster& cluster, const std::vector<MemberView>& members,
                                 const FailoverRequest& wanted);
// Gives up the requested switchover, with an event. Does nothing if there is none.
void give_up_switchover(Ledger& ledger, Cluster& cluster, std::string why);
// Sets how elections rank a member among several complete ones.
Result<ClusterId> set_promotion(Ledger& ledger, const Cluster& cluster, const MemberId& member, Promotion promotion);

}  // namespace mysos
