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
  if (now.opened > begun.epoch) sim.coverage.hit(Mark::kS2LateAck);
  if (begun.opened_then <= begun.epoch) return;
  sim.violate(fmt::format("S2: {} acknowledges write {}, begun in epoch {} when epoch {} was open",
                          server.identity().member.str(), sim.txns[txn].write, begun.epoch,
                          begun.opened_then));
}

}  // namespace mysos::sim
