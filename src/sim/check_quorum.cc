// SPDX-License-Identifier: Apache-2.0
// What elections stand on: in normal mode each acknowledged write that the floor does not cover is held by d recorded
// ackers, so that whoever hears of all but d - 1 of them hears of it. Only where a relay log is never lost: amnesiacs are
// not counted on.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers.h"

namespace mysos::sim {

void check_quorum(Sim& sim, const Truth& truth, const ClusterTruth& now) {
  const EpochRecord& record = now.cluster.epoch;
  const bool counts = !record.electing && record.mode == EpochMode::kNormal && now.cluster.spec.flavour == Flavour::kMysql;
  if (!counts || now.cluster.doubt || now.deleting || sim.mutation == Mutation::kRelayLost) return;
  std::vector<const Datadir*> ackers;
  for (const MemberId& m : record.ackers) {
    if (const Datadir* data = truth.data_of(now, m)) ackers.push_back(data);
  }
  for (const TxnId t : now.acked) {
    sim.coverage.hit(Mark::kQuorumChecked);
    const auto held = std::ranges::count_if(ackers, [&](const Datadir* data) { return data->held.has(t); });
    if (static_cast<std::size_t>(held) >= record.d) continue;
    GtidSet one;
    one.add(sim.txns[t].source, sim.txns[t].number, sim.txns[t].number);
    if (record.floor.contains(one)) continue;
    return sim.violate(fmt::format("quorum: {} of {} ackers of {} at {} hold acknowledged write {}, and {} are counted on",
                                   held, record.ackers.size(), now.id.str(), to_string(record.pair), sim.txns[t].write,
                                   record.d));
  }
}

}  // namespace mysos::sim
