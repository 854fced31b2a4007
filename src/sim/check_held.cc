// SPDX-License-Identifier: Apache-2.0
// S3: every acknowledged write is held by some member, always.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers.h"

namespace mysos::sim {

void check_held(Sim& sim, const Truth& truth, const ClusterTruth& now) {
  if (now.deleting || now.acked.empty()) return;
  sim.coverage.hit(Mark::kS3Checked);
  for (const TxnId t : now.acked) {
    const bool held = std::ranges::any_of(now.cluster.members, [&](const Member& m) {
      const Datadir* data = truth.data_of(now, m.id);
      return data != nullptr && data->held.has(t);
    });
    if (held) continue;
    return sim.violate(fmt::format("S3: no member of {} holds acknowledged write {}", now.id.str(),
                                   sim.txns[t].write));
  }
}

}  // namespace mysos::sim
