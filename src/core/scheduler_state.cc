// SPDX-License-Identifier: Apache-2.0
// The durable state as the fold of its records.
#include <utility>

#include "core/scheduler_core.h"

namespace mysos {
namespace {

Result<Cluster> recover_cluster(const std::string& key, const std::string& text) {
  auto cluster = from_json_text<Cluster>(text);
  if (!cluster) return std::unexpected(std::move(cluster.error()).with_context("the record of cluster " + key));
  if (cluster->id.value != key) {
    return fail(Errc::kInternal, "the record of cluster " + key + " is that of " + cluster->id.value);
  }
  return cluster;
}

}  // namespace

Result<SchedulerState> SchedulerState::recover(
    const std::map<std::string, std::map<std::string, std::string>>& records) {
  SchedulerState state;
  if (const auto kind = records.find("framework"); kind != records.end()) {
    if (const auto id = kind->second.find("id"); id != kind->second.end()) {
      auto parsed = from_json_text<FrameworkId>(id->second);
      if (!parsed) return std::unexpected(std::move(parsed.error()).with_context("the record of the framework id"));
      state.framework = *std::move(parsed);
    }
  }
  if (const auto kind = records.find("cluster"); kind != records.end()) {
    for (const auto& [key, text] : kind->second) {
      MYSOS_TRY(Cluster cluster, recover_cluster(key, text));
      state.clusters.emplace(cluster.id, std::move(cluster));
    }
  }
  return state;
}

const Cluster* SchedulerState::find_by_name(const std::string& name) const {
  for (const auto& [id, cluster] : clusters) {
    if (cluster.spec.name == name) return &cluster;
  }
  return nullptr;
}

}  // namespace mysos
