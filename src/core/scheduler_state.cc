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

Status SchedulerState::fold(const Record& record) {
  if (record.kind == "framework" && record.key == "id") {
    framework.reset();
    if (!record.json) return {};
    auto parsed = from_json_text<FrameworkId>(*record.json);
    if (!parsed) return std::unexpected(std::move(parsed.error()).with_context("the record of the framework id"));
    framework = *std::move(parsed);
  } else if (record.kind == "framework" && record.key == "former") {
    former.clear();
    if (!record.json) return {};
    auto parsed = from_json_text<std::vector<FrameworkId>>(*record.json);
    if (!parsed) return std::unexpected(std::move(parsed.error()).with_context("the record of former framework ids"));
    former.insert(parsed->begin(), parsed->end());
  } else if (record.kind == "orphan" && record.json) {
    auto parsed = from_json_text<OrphanWord>(*record.json);
    if (!parsed) return std::unexpected(std::move(parsed.error()).with_context("the record of the orphan " + record.key));
    orphans.insert_or_assign(record.key, *std::move(parsed));
  } else if (record.kind == "orphan") {
    orphans.erase(record.key);
  } else if (record.kind == "cluster" && record.json) {
    MYSOS_TRY(Cluster cluster, recover_cluster(record.key, *record.json));
    ClusterId id = cluster.id;
    clusters.insert_or_assign(std::move(id), std::move(cluster));
  } else if (record.kind == "cluster") {
    clusters.erase(ClusterId(record.key));
  }
  return {};
}

Result<SchedulerState> SchedulerState::recover(
    const std::map<std::string, std::map<std::string, std::string>>& records) {
  SchedulerState state;
  for (const auto& [kind, of_kind] : records) {
    for (const auto& [key, text] : of_kind) MYSOS_TRY_VOID(state.fold({kind, key, text}));
  }
  return state;
}

std::set<FrameworkId> SchedulerState::labels() const {
  std::set<FrameworkId> out = former;
  if (framework) out.insert(*framework);
  return out;
}

const Cluster* SchedulerState::find_by_name(const std::string& name) const {
  for (const auto& [id, cluster] : clusters) {
    if (cluster.spec.name == name) return &cluster;
  }
  return nullptr;
}

}  // namespace mysos
