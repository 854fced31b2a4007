// SPDX-License-Identifier: Apache-2.0
#include "sim/check_epochs.h"

#include <fmt/format.h>

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

void check_followers(Sim& sim, const Truth& truth, const ClusterTruth& now) {
  const EpochRecord& record = now.cluster.epoch;
  if (record.electing || !record.primary || now.deleting) return;
  const Datadir* primary = truth.data_of(now, *record.primary);
  const Member* at = now.cluster.find(*record.primary);
  if (primary == nullptr || at == nullptr) return;
  for (SimExecutor* c : truth.containers()) {
    if (c->spec().cluster != now.id || c->spec().member == *record.primary) continue;
    const Datadir* data = c->server().data();
    if (data == nullptr || !c->server().receiver_running() || data->source_host != at->ip ||
        data->source_port != at->port)
      continue;
    if (c->volume().promise.pair.epoch != record.pair.epoch || c->volume().promise.pair.config == 0)
      continue;
    sim.coverage.hit(Mark::kS5Follower);
    if (primary->executed.contains(data->received)) continue;
    return sim.violate(fmt::format(
        "S5: {} follows {} at {} and holds {} more", c->spec().member.str(), record.primary->str(),
        to_string(record.pair), data->received.minus(primary->executed).to_string()));
  }
}

void check_one_writer(Sim& sim, const Truth& truth, const ClusterTruth& now) {
  const auto& containers = truth.containers();
  for (std::size_t i = 0; i < containers.size(); ++i) {
    SimServer& a = containers[i]->server();
    if (a.identity().cluster != now.id || !a.writable()) continue;
    sim.coverage.hit(Mark::kS6Writable);
    for (std::size_t k = i + 1; k < containers.size(); ++k) {
      SimServer& b = containers[k]->server();
      if (b.identity().cluster != now.id || !b.writable()) continue;
      sim.coverage.hit(Mark::kS6Stale);
      if (a.opened_under.epoch != b.opened_under.epoch) continue;
      sim.violate(fmt::format("S6: {} and {} are both writable under epoch {}",
                              a.identity().member.str(), b.identity().member.str(),
                              a.opened_under.epoch));
    }
  }
}

}  // namespace mysos::sim
