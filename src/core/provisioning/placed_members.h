// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the members that have a place are found: by the id of their newest task, by the id of their reservation, by their
// agent. So an offer or an update costs no more with a thousand clusters than with one. Pure.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/cluster.h"

namespace mysos {

struct Owner {
  ClusterId cluster;
  MemberId member;
  bool operator==(const Owner&) const = default;
};

class PlacedMembers {
 public:
  // To be called before and after a member's place or task changes.
  void remove(const Member& member);
  void add(const ClusterId& cluster, const Member& member);

  // nullopt: it is no member's, or not of its newest launch.
  [[nodiscard]] std::optional<Owner> by_task(const TaskId& task) const;
  [[nodiscard]] std::optional<Owner> by_resource(const std::string& resource_id) const;
  // A snapshot, so that they may be changed meanwhile.
  [[nodiscard]] std::vector<Owner> on(const AgentId& agent) const;
  // All of them, by their newest task.
  [[nodiscard]] const std::map<TaskId, Owner>& all() const { return by_task_; }

 private:
  std::map<TaskId, Owner> by_task_;
  std::map<std::string, Owner> by_resource_;
  std::map<AgentId, std::map<MemberId, ClusterId>> by_agent_;
};

}  // namespace mysos
