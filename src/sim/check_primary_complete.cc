// SPDX-License-Identifier: Apache-2.0
// S1: unless an election is on, the recorded primary has executed every acknowledged write.
#include <fmt/format.h>

#include "sim/checkers.h"

namespace mysos::sim {

void check_primary_complete(Sim& sim, const Truth& truth, const ClusterTruth& now,
                            const EpochRecord& before) {
  const EpochRecord& record = now.cluster.epoch;
  if (record.electing || now.cluster.doubt || !record.primary || now.deleting || record.pair == before.pair) return;
  if (!now.acked.empty()) {
    sim.coverage.hit(Mark::kS1Election);
    if (before.primary && before.primary != record.primary) sim.coverage.hit(Mark::kS1Failover);
  }
  const Datadir* data = truth.data_of(now, *record.primary);
  for (const TxnId t : now.acked) {
    if (data != nullptr && data->in_binlog.has(t)) continue;
    return sim.violate(fmt::format(
        "S1: {} is recorded as primary of {} at {} without acknowledged write {} ({}:{})",
        record.primary->str(), now.id.str(), to_string(record.pair), sim.txns[t].write,
        sim.txns[t].source, sim.txns[t].number));
  }
}

void check_primary_has(Sim& sim, const Truth& truth, const ClusterTruth& now, TxnId txn) {
  const EpochRecord& record = now.cluster.epoch;
  if (record.electing || now.cluster.doubt || !record.primary || now.deleting) return;
  const Datadir* data = truth.data_of(now, *record.primary);
  if (data != nullptr && data->in_binlog.has(txn)) return;
  sim.violate(fmt::format(
      "S1: write {} is acknowledged, and {}, primary of {} at {}, does not have it",
      sim.txns[txn].write, record.primary->str(), now.id.str(), to_string(record.pair)));
}

void note_switchover(Sim& sim, const Cluster& before, const Cluster& after) {
  if (before.epoch == after.epoch) sim.coverage.hit(Mark::kSwitchoverNotBegun);
  const bool ended = before.epoch.electing && !after.epoch.electing;
  if (ended && before.epoch.primary == after.epoch.primary) sim.coverage.hit(Mark::kSwitchoverBack);
}

}  // namespace mysos::sim
