// SPDX-License-Identifier: Apache-2.0
// S2: no write begun after a later primary opened is ever acknowledged by an older one.
#include <fmt/format.h>

#include "sim/checkers.h"

namespace mysos::sim {

void check_late_ack(Sim& sim, const Truth& truth, const ClusterTruth& now, const SimServer& server,
                    TxnId txn) {
  const auto found = truth.begun.find(txn);
  if (found == truth.begun.end()) return;
  const Begun& begun = found->second;
  // Of a primary that was left behind by a forced failover nothing is promised as against that one and later ones.
  const auto end = now.forced.upper_bound(begun.epoch);
  for (auto e = now.opened.upper_bound(begun.epoch); e != now.opened.end(); ++e) {
    sim.coverage.hit(Mark::kS2LateAck);
    if ((end != now.forced.end() && e->first >= *end) || e->second > begun.at) continue;
    return sim.violate(fmt::format("S2: {} acknowledges write {}, begun in epoch {} when epoch {} was open",
                                   server.identity().member.str(), sim.txns[txn].write, begun.epoch, e->first));
  }
}

}  // namespace mysos::sim
