// SPDX-License-Identifier: Apache-2.0
#pragma once
// S1: unless an election is on, the recorded primary has executed every acknowledged write.
// S4: in normal mode a write is acknowledged only after d of the recorded ackers have acknowledged
// it. S3: every acknowledged write is held by some member, always.
#include <set>

#include "sim/truth.h"

namespace mysos::sim {

void check_acked_on_commit(Sim& sim, const Truth& truth, const ClusterTruth& now,
                           const EpochRecord& before);
void check_acked_on_release(Sim& sim, const Truth& truth, const ClusterTruth& now, TxnId txn);
void check_ackers(Sim& sim, const ClusterTruth& now, const SimServer& server, TxnId txn,
                  const std::set<MemberId>& acked_by);
void check_acked_somewhere(Sim& sim, const Truth& truth, const ClusterTruth& now);

}  // namespace mysos::sim
