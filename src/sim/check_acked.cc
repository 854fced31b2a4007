// SPDX-License-Identifier: Apache-2.0
#include "sim/check_acked.h"

#include <fmt/format.h>

#include <algorithm>

namespace mysos::sim {

void check_acked_on_commit(Sim& sim, const Truth& truth, const ClusterTruth& now,
                           const EpochRecord& before) {
  const EpochRecord& record = now.cluster.epoch;
  if (record.electing || !record.primary || now.deleting || record.pair == before.pair) return;
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

void check_acked_on_release(Sim& sim, const Truth& truth, const ClusterTruth& now, TxnId txn) {
  const EpochRecord& record = now.cluster.epoch;
  if (record.electing || !record.primary || now.deleting) return;
  const Datadir* data = truth.data_of(now, *record.primary);
  if (data != nullptr && data->in_binlog.has(txn)) return;
  sim.violate(fmt::format(
      "S1: write {} is acknowledged, and {}, primary of {} at {}, does not have it",
      sim.txns[txn].write, record.primary->str(), now.id.str(), to_string(record.pair)));
}

void check_ackers(Sim& sim, const ClusterTruth& now, const SimServer& server, TxnId txn,
                  const std::set<MemberId>& acked_by) {
  const EpochRecord& r = now.cluster.epoch;
  const bool its_record =
      r.primary == server.identity().member && r.pair.epoch == server.opened_under.epoch;
  if (r.electing || r.mode != EpochMode::kNormal || !its_record || now.deleting) return;
  sim.coverage.hit(Mark::kS4Named);
  const auto named =
      std::ranges::count_if(acked_by, [&](const MemberId& m) { return r.ackers.contains(m); });
  if (static_cast<std::size_t>(named) >= r.d) return;
  sim.violate(fmt::format("S4: {} acknowledges write {} at {} after {} of {} named acker(s)",
                          server.identity().member.str(), sim.txns[txn].write, to_string(r.pair),
                          named, r.d));
}

void check_acked_somewhere(Sim& sim, const Truth& truth, const ClusterTruth& now) {
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
