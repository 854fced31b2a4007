// SPDX-License-Identifier: Apache-2.0
#include "sim/check_leaks.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace mysos::sim {

std::optional<std::string> leaks(const SimMaster& master, const Truth& truth, const SchedulerState& state) {
  if (!master.core()) return "the Mesos master is away";
  // What belongs to a cluster that a state does not know which was put back stays, until somebody decides about it.
  const auto forgotten = [&](std::string_view name) {
    return std::ranges::any_of(truth.clusters, [&](const auto& c) {
      return c.second.forgotten && name.find(c.first.value) != std::string_view::npos;
    });
  };
  // A member of an adopted cluster may have got another place, because an operator gave up what was not found.
  const auto kept = [&](std::string_view name) {
    return forgotten(name) || std::ranges::any_of(truth.clusters, [&](const auto& c) {
      return c.second.adopted && name.find(c.first.value) != std::string_view::npos;
    });
  };
  std::set<TaskId> tasks;
  std::set<VolumeId> volumes;
  std::set<std::string> reservations;
  for (const auto& [id, cluster] : state.clusters) {
    for (const Member& m : cluster.members) {
      tasks.insert(m.task);
      if (!m.granted) continue;
      volumes.insert(m.place().volume);
      reservations.insert(m.place().resource_id);
    }
  }
  for (const auto& [id, framework] : master.core()->frameworks()) {
    for (const auto& [task, entry] : framework.tasks) {
      if (!mesos::is_terminal(entry.state) && !tasks.contains(task) && !forgotten(task.value)) return "task " + task.str();
    }
  }
  for (const auto& agent : master.agents()) {
    for (const auto& [id, volume] : agent->volumes()) {
      if (!volumes.contains(id) && !kept(id.value)) return "volume " + id.str();
    }
    for (const Resource& r : agent->total().list()) {
      if (r.reservations.empty()) continue;
      const Labels& labels = r.reservations.back().labels;
      const bool known = std::ranges::any_of(
          labels, [&](const auto& l) { return reservations.contains(l.second) || kept(l.second); });
      if (!known) return fmt::format("a reservation of {} on machine {}", r.name, agent->machine());
    }
    for (SimExecutor* c : agent->containers()) {
      if (!tasks.contains(c->spec().task) && !forgotten(c->spec().task.value)) return "container " + c->spec().task.str();
    }
  }
  return std::nullopt;
}

bool wanted_back(const Truth& truth, const ClusterTruth& cluster) {
  const auto keeps_secrets = [&](const auto& entry) {
    const SimVolume* volume = truth.volume(entry.second);
    return volume != nullptr && volume->secrets;
  };
  return cluster.forgotten && !cluster.deleting && !cluster.gone && std::ranges::any_of(cluster.volumes, keeps_secrets) &&
         std::ranges::none_of(cluster.cluster.members, [&](const Member& m) { return truth.lost(cluster, m.id); });
}

void note_adopted(Sim& sim, ClusterTruth& now, const Cluster& cluster) {
  sim.coverage.hit(Mark::kClusterAdopted);
  sim.tell([&] { return fmt::format("ADOPTED {}", now.id.str()); });
  if (!cluster.doubt) sim.violate("the record of an adopted cluster is not in doubt: " + now.id.str());
  now.cluster = cluster;
  now.adopted = true;
}

}  // namespace mysos::sim
