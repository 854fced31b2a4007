// SPDX-License-Identifier: Apache-2.0
// Nobody's data are destroyed unasked. A volume that held data goes when a user has deleted its cluster, or has named that very
// volume. A member throws its data away when the store named it before, and the store names one for a reason: its applier
// cannot go on, it holds what the primary lacks, or what it needs next is purged.
#include <fmt/format.h>

#include "sim/checkers.h"

namespace mysos::sim {

void check_destroyed(Sim& sim, const Truth& truth, const VolumeId& id, const SimVolume& volume) {
  if (!volume.data && !volume.thrown_away) return;
  sim.coverage.hit(Mark::kDestroyed);
  const bool named = truth.may_destroy.contains(id);
  if (named) sim.coverage.hit(Mark::kOrphanDestroyed);
  const auto found = truth.clusters.find(volume.cluster);
  const bool deleted = found != truth.clusters.end() && found->second.deleting;
  if (named || deleted) return;
  sim.violate(fmt::format("volume {} of {} held data, and is destroyed without a user's word", id.str(), volume.cluster.str()));
}

void check_thrown_away(Sim& sim, const ClusterTruth& now, const MemberId& member, const Datadir& data) {
  // Nothing of its cluster is on it. An empty member needs no name, and what a user writes on one while the order waits for its
  // disk was never acknowledged.
  if (data.received.minus(data.local).empty()) return;
  sim.coverage.hit(Mark::kThrownAway);
  if (now.deleting || now.may_throw_away.contains(member)) return;
  sim.violate(fmt::format("{} throws its data away, and no record has named it", member.str()));
}

void check_named_for_rebuild(Sim& sim, const Truth& truth, const ClusterTruth& now, const EpochRecord& before) {
  const EpochRecord& record = now.cluster.epoch;
  if (!record.rebuilding || record.rebuilding == before.rebuilding || now.deleting || !record.primary) return;
  const Datadir* data = truth.data_of(now, *record.rebuilding);
  const Datadir* primary = truth.data_of(now, *record.primary);
  if (data == nullptr || primary == nullptr) return;
  // Data of before a reset of the primary's binary logs: what they hold may be contained in the new names by chance.
  const SimVolume* volume = truth.volume_of(now, *record.rebuilding);
  if (volume != nullptr && volume->promise.made_at < record.names_from) return;
  const bool replayable = primary->purged == 0 || primary->executed.minus(data->received).empty();
  if (data->broken || data->held_lock || data->reset || primary->reset || !data->local.empty() ||
      !primary->executed.contains(data->received) || !replayable) return;
  sim.violate(fmt::format("{} is to be rebuilt, and could go on with the data that it has", record.rebuilding->str()));
}

}  // namespace mysos::sim
