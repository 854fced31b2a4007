// SPDX-License-Identifier: Apache-2.0
#pragma once
// S2: no write begun after a later primary opened is ever acknowledged by an older one, and what an
// older one acknowledges
//     late is already in the new primary (the second half is S1's check on release).
// S5: whoever follows the recorded primary in its epoch holds nothing that it lacks.
// S6: never two writable members under one epoch.
#include "sim/truth.h"

namespace mysos::sim {

void check_late_ack(Sim& sim, const Truth& truth, const ClusterTruth& now, const SimServer& server,
                    TxnId txn);
void check_followers(Sim& sim, const Truth& truth, const ClusterTruth& now);
void check_one_writer(Sim& sim, const Truth& truth, const ClusterTruth& now);

}  // namespace mysos::sim
