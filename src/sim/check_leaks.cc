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
  std::set<TaskId> tasks;
  std::set<VolumeId> volumes;
  std::set<std::string> reservations;
  for (const auto& [id, cluster] : state.clusters) {
    for (const Member& m : cluster.members) {
      tasks.insert(m.task);
      volumes.insert(m.volume);
      reservations.insert(m.resource_id);
    }
  }
  for (const auto& [id, framework] : master.core()->frameworks()) {
    for (const auto& [task, entry] : framework.tasks) {
      if (!mesos::is_terminal(entry.state) && !tasks.contains(task) && !forgotten(task.value)) return "task " + task.str();
    }
  }
  for (const auto& agent : master.agents()) {
    for (const auto& [id, volume] : agent->volumes()) {
      if (!volumes.contains(id) && !forgotten(id.value)) return "volume " + id.str();
    }
    for (const Resource& r : agent->total().list()) {
      if (r.reservations.empty()) continue;
      const Labels& labels = r.reservations.back().labels;
      const bool known = std::ranges::any_of(
          labels, [&](const auto& l) { return reservations.contains(l.second) || forgotten(l.second); });
      if (!known) return fmt::format("a reservation of {} on machine {}", r.name, agent->machine());
    }
    for (SimExecutor* c : agent->containers()) {
      if (!tasks.contains(c->spec().task) && !forgotten(c->spec().task.value)) return "container " + c->spec().task.str();
    }
  }
  return std::nullopt;
}

}  // namespace mysos::sim
