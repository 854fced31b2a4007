// SPDX-License-Identifier: Apache-2.0
// S5: who follows the recorded primary at its epoch holds nothing that it lacks.
#include <fmt/format.h>

#include "sim/checkers.h"

namespace mysos::sim {

void check_followers(Sim& sim, const Truth& truth, const ClusterTruth& now) {
  const EpochRecord& record = now.cluster.epoch;
  if (record.electing || now.cluster.doubt || !record.primary || now.deleting) return;
  const Datadir* primary = truth.data_of(now, *record.primary);
  const Member* at = now.cluster.find(*record.primary);
  if (primary == nullptr || at == nullptr || primary->reset) return;
  for (SimExecutor* c : truth.containers()) {
    if (c->spec().cluster != now.id || c->spec().member == *record.primary) continue;
    const Datadir* data = c->server().data();
    if (data == nullptr || data->reset || !c->server().receiver_running() || data->source_host != at->place().ip ||
        data->source_port != at->place().source_port())
      continue;
    if (c->volume().promise.pair.epoch != record.pair.epoch || c->volume().promise.pair.config == 0)
      continue;
    const MemberPromise& promise = c->volume().promise;
    if (promise.made_at < record.names_from || promise.rebuilding) continue;  // it is rebuilt, or about to be
    sim.coverage.hit(Mark::kS5Follower);
    if (primary->executed.contains(data->received.minus(data->local))) continue;
    return sim.violate(fmt::format(
        "S5: {} follows {} at {} and holds {} more", c->spec().member.str(), record.primary->str(),
        to_string(record.pair), data->received.minus(primary->executed).to_string()));
  }
}

}  // namespace mysos::sim
