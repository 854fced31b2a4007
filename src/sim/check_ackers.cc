// SPDX-License-Identifier: Apache-2.0
// S4: in normal mode a write is acknowledged only after d of the recorded ackers have acknowledged it.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers.h"

namespace mysos::sim {

void check_ackers(Sim& sim, const ClusterTruth& now, const SimServer& server, TxnId txn,
                  const std::set<MemberId>& acked_by) {
  const EpochRecord& r = now.cluster.epoch;
  const bool its_record =
      r.primary == server.identity().member && r.pair.epoch == server.opened_under.epoch;
  if (r.electing || r.mode != EpochMode::kNormal || !its_record || now.cluster.doubt || now.deleting) return;
  sim.coverage.hit(Mark::kS4Named);
  const auto named =
      std::ranges::count_if(acked_by, [&](const MemberId& m) { return r.ackers.contains(m); });
  if (static_cast<std::size_t>(named) >= r.d) return;
  sim.violate(fmt::format("S4: {} acknowledges write {} at {} after {} of {} named acker(s)",
                          server.identity().member.str(), sim.txns[txn].write, to_string(r.pair),
                          named, r.d));
}

}  // namespace mysos::sim
