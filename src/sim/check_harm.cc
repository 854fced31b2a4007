// SPDX-License-Identifier: Apache-2.0
// Users do harm to replicas. 'Healthy' is not said while a replica that is seen could not become the primary; of several
// copies that must be rebuilt one is thrown away at a time; and who is copied is sound.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers.h"

namespace mysos::sim {

namespace {

constexpr Duration kStandsStill = seconds(10);

}  // namespace

void check_healthy(Sim& sim, const Truth& truth, const ClusterTruth& now, const SchedulerCore& by) {
  const auto view = by.view(now.cluster.spec.name, sim.now());
  if (!view || view->state != ClusterState::kHealthy) return;
  sim.coverage.hit(Mark::kHealthyChecked);
  const Datadir* primary = truth.data_of(now, view->cluster->epoch.primary.value_or(MemberId()));
  for (const MemberView& v : view->members) {
    if (!v.report || v.id == view->cluster->epoch.primary) continue;
    if (!v.report->applier_running) {
      return sim.violate(fmt::format("{} is called healthy, and the applier of {} has stopped", now.id.str(), v.id.str()));
    }
    if (v.report->logs_reset) {
      return sim.violate(fmt::format("{} is called healthy, and the binary logs of {} were reset", now.id.str(), v.id.str()));
    }
    if (std::chrono::milliseconds(v.report->applier_stalled_ms) >= kStandsStill) {
      return sim.violate(fmt::format("{} is called healthy, and the applier of {} is stalled", now.id.str(), v.id.str()));
    }
    const Datadir* data = truth.data_of(now, v.id);
    if (data == nullptr || primary == nullptr || data->local.empty() || primary->executed.contains(data->local)) continue;
    if (v.report->executed.contains(data->local)) {
      return sim.violate(fmt::format("{} is called healthy, and somebody wrote on {}", now.id.str(), v.id.str()));
    }
  }
}

void check_rebuilds(Sim& sim, const Truth& truth, const ClusterTruth& now, const MemberId& member, const Datadir& data) {
  if (data.received.minus(data.local).empty()) return;
  sim.coverage.hit(Mark::kOneAtATime);
  std::size_t thrown_away = 1, whole = 0;
  for (const Member& m : now.cluster.members) {
    const SimVolume* volume = m.id == member ? nullptr : truth.volume_of(now, m.id);
    if (volume == nullptr || volume->lost) continue;
    if (volume->thrown_away) ++thrown_away;
    if (volume->data && !volume->data->received.empty()) ++whole;
  }
  if (thrown_away > 1 && whole < 2) {
    sim.violate(fmt::format("the data of {} members of {} were thrown away, and {} copy is left", thrown_away, now.id.str(),
                            whole));
  }
}

}  // namespace mysos::sim
