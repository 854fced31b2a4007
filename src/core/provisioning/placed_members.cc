// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/placed_members.h"

namespace mysos {
namespace {

template <class Key>
std::optional<Owner> found_in(const std::map<Key, Owner>& owners, const Key& key) {
  const auto found = owners.find(key);
  return found == owners.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

void PlacedMembers::add(const ClusterId& cluster, const Member& member) {
  const Owner owner{cluster, member.id};
  by_task_.insert_or_assign(member.task, owner);
  by_resource_.insert_or_assign(member.place().resource_id, owner);
  by_agent_[member.place().agent][member.id] = cluster;
}

void PlacedMembers::remove(const Member& member) {
  if (!member.granted) return;
  by_task_.erase(member.task);
  by_resource_.erase(member.place().resource_id);
  const auto there = by_agent_.find(member.place().agent);
  if (there == by_agent_.end()) return;
  there->second.erase(member.id);
  if (there->second.empty()) by_agent_.erase(there);
}

std::optional<Owner> PlacedMembers::by_task(const TaskId& task) const { return found_in(by_task_, task); }
std::optional<Owner> PlacedMembers::by_resource(const std::string& id) const { return found_in(by_resource_, id); }

std::vector<Owner> PlacedMembers::on(const AgentId& agent) const {
  std::vector<Owner> out;
  const auto there = by_agent_.find(agent);
  if (there == by_agent_.end()) return out;
  for (const auto& [member, cluster] : there->second) out.push_back({cluster, member});
  return out;
}

}  // namespace mysos
