// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/orphans.h"

#include <algorithm>

namespace mysos {
namespace {

std::string label(const Holding& holding, const char* key) {
  const auto found = holding.reservation.labels.find(key);
  return found == holding.reservation.labels.end() ? "" : found->second;
}

}  // namespace

void Orphans::expect(const std::string& resource_id, Instant now) {
  Row& row = rows_[resource_id];
  if (!row.since) row.since = now;
}

bool Orphans::saw(const std::string& resource_id, const Holding& holding, const AgentOffer& offer, Instant now) {
  Row& row = rows_[resource_id];
  if (!row.since) row.since = now;
  OrphanVolume& shown = row.shown;
  shown.id = resource_id;
  shown.cluster = ClusterId(label(holding, kClusterLabel));
  shown.cluster_name = label(holding, kNameLabel);
  shown.member = MemberId(label(holding, kMemberLabel));
  shown.agent = offer.agent;
  shown.hostname = offer.hostname;
  shown.volume = holding.volumes.empty() ? VolumeId() : holding.volumes.list().front().volume->id;
  shown.disk = mib(static_cast<std::uint64_t>(holding.volumes.milli("disk") / 1000));
  row.spec = holding.volumes.empty() ? std::nullopt : spec_in(holding);
  if (row.spec) {
    row.spec->hostname = offer.hostname;
    row.spec->bind = offer.ip;
  }
  return !std::exchange(row.offered, true);
}

bool Orphans::due(const std::string& resource_id, Instant now) const {
  const auto it = rows_.find(resource_id);
  return it != rows_.end() && it->second.since && now >= *it->second.since + grace_;
}

bool Orphans::send(const std::string& resource_id, Instant now) {
  Row& row = rows_[resource_id];
  if (row.sent && now < *row.sent + kReleaseOrphanAgain) return false;
  row.sent = now;
  return true;
}

bool Orphans::proved_gone(const std::string& resource_id, Instant now) const {
  const auto it = rows_.find(resource_id);
  return it != rows_.end() && it->second.sent && now >= *it->second.sent + kReleaseOrphanAgain;
}

bool Orphans::forgotten(const std::string& resource_id, Instant now) const {
  const auto it = rows_.find(resource_id);
  return it != rows_.end() && it->second.since && now >= *it->second.since + grace_ + kForgetOrphanAfter;
}

void Orphans::task_seen(const TaskId& task, const TaskName& name, const AgentId& agent, mesos::TaskState state) {
  if (tasks_.size() >= kMaxUnknownTasks && !tasks_.contains(task)) return;
  TaskRow& row = tasks_[task];
  row.shown = {task, name.cluster, name.cluster_name, name.index, agent, state, row.found.has_value()};
}

bool Orphans::identified(const TaskId& task, MemberFound found) {
  const auto row = tasks_.find(task);
  if (row == tasks_.end()) return false;
  row->second.shown.identified = true;
  row->second.found = std::move(found);
  return true;
}

std::vector<MemberFound> Orphans::found() const {
  std::vector<MemberFound> out;
  for (const auto& [task, row] : tasks_) {
    if (row.found) out.push_back(*row.found);
  }
  for (const auto& [id, row] : rows_) {
    if (row.offered && row.spec) out.push_back({*row.spec, row.shown.agent});
  }
  return out;
}

bool Orphans::knows_task_of(const ClusterId& cluster) const {
  return std::ranges::any_of(tasks_, [&](const auto& entry) { return entry.second.shown.cluster == cluster; });
}

const OrphanVolume* Orphans::find(const std::string& resource_id) const {
  const auto it = rows_.find(resource_id);
  return it == rows_.end() || !it->second.offered ? nullptr : &it->second.shown;
}

std::vector<OrphanVolume> Orphans::volumes() const {
  std::vector<OrphanVolume> out;
  for (const auto& [id, row] : rows_) {
    if (row.offered) out.push_back(row.shown);
  }
  return out;
}

std::vector<UnknownTask> Orphans::tasks() const {
  std::vector<UnknownTask> out;
  for (const auto& [id, row] : tasks_) out.push_back(row.shown);
  return out;
}

std::vector<std::string> Orphans::all_due(Instant now) const {
  std::vector<std::string> out;
  for (const auto& [id, row] : rows_) {
    if (due(id, now) && !forgotten(id, now)) out.push_back(id);
  }
  return out;
}

Instant Orphans::next(Instant now) const {
  Instant at = kNever;
  for (const auto& [id, row] : rows_) {
    if (!row.since || forgotten(id, now)) continue;
    const Instant due_at = *row.since + grace_;
    at = std::min(at, due_at > now ? due_at : due_at + kForgetOrphanAfter);
  }
  return at;
}

}  // namespace mysos
