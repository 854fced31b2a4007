// SPDX-License-Identifier: Apache-2.0
// A loss: only the record of a forced failover may give acknowledged writes up, only where an operator had accepted that, and
// only what the chosen one lacks.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers.h"

namespace mysos::sim {

void check_forced(Sim& sim, const Truth& truth, ClusterTruth& now, const std::vector<Event>& events) {
  const auto is = [&](const Event& e) { return e.kind == EventKind::kFailoverForced && e.cluster == now.cluster.spec.name; };
  const auto forced = std::ranges::find_if(events, is);
  if (forced == events.end()) return;
  if (now.losses_accepted <= now.forced.size() || !now.cluster.epoch.primary) {
    return sim.violate("a loss that nobody accepted: a failover of " + now.id.str() + " is forced");
  }
  sim.coverage.hit(Mark::kForced);
  now.forced.insert(forced->pair.epoch);
  const Datadir* data = truth.data_of(now, *now.cluster.epoch.primary);
  const auto lacks = [&](TxnId t) { return data == nullptr || !data->in_binlog.has(t); };
  const auto lost = std::erase_if(now.acked, lacks);
  if (lost > 0) sim.coverage.hit(Mark::kGivenUp);
  sim.tell([&] { return fmt::format("GIVEN UP by an operator: {} acknowledged write(s) of {}", lost, now.id.str()); });
}

bool given_up(Sim& sim, const Truth& truth, const ClusterTruth& now, const SimServer& server, TxnId txn) {
  const std::optional<MemberId>& primary = now.cluster.epoch.primary;
  if (!primary || !now.left_behind(server.opened_under.epoch)) return false;
  const Datadir* data = truth.data_of(now, *primary);
  if (data != nullptr && data->in_binlog.has(txn)) return false;
  sim.coverage.hit(Mark::kGivenUp);
  sim.tell([&] {
    return fmt::format("GIVEN UP: write {}, acknowledged by {}, which a forced failover left behind", sim.txns[txn].write,
                       server.identity().member.str());
  });
  return true;
}

// Between the reset of a primary's binary logs and the moment in which it is replaced, replicas take what it writes for what
// they have. A solo primary continues, and what it acknowledges is its own to keep.
bool name_reused(Sim& sim, ClusterTruth& now, const SimServer& server, TxnId txn, const std::set<MemberId>& acked_by) {
  if (!server.data()->reset || acked_by.empty()) return false;
  sim.coverage.hit(Mark::kNameReused);
  sim.tell([&] { return fmt::format("not promised: write {}, after a reset of binary logs", sim.txns[txn].write); });
  now.last_ack = sim.now();
  return true;
}

}  // namespace mysos::sim
