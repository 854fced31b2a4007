// SPDX-License-Identifier: Apache-2.0
// S3: every acknowledged write is held by some member, always.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers.h"

namespace mysos::sim {

void check_held(Sim& sim, const Truth& truth, const ClusterTruth& now) {
  if (now.deleting || now.acked.empty()) return;
  sim.coverage.hit(Mark::kS3Checked);
  std::vector<const Datadir*> all;
  for (const Member& m : now.cluster.members) {
    if (const Datadir* data = truth.data_of(now, m.id)) all.push_back(data);
  }
  for (const TxnId t : now.acked) {
    const bool held = std::ranges::any_of(all, [&](const Datadir* data) { return data->held.has(t); });
    if (held) continue;
    return sim.violate(fmt::format("S3: no member of {} holds acknowledged write {}", now.id.str(),
                                   sim.txns[t].write));
  }
}

}  // namespace mysos::sim
