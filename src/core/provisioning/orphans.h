// SPDX-License-Identifier: Apache-2.0
#pragma once
// What carries our framework's label and belongs to no member: volumes, reservations, tasks. It is what a state leaves behind
// that was put back to an earlier one, so whoever owned it, its data may be all that there is of a database. What the store
// knows of an orphan (it never held data, or a user wants it destroyed) is in SchedulerState; here is what is merely seen: it
// begins anew after a restart, and so does the grace of what holds no data, so that a scheduler that is about to learn of an
// owner is not overtaken. How a cluster is taken back from it is in core/provisioning/adoption.h.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/provisioning/adoption.h"
#include "core/provisioning/agent_table.h"
#include "core/provisioning/holdings.h"
#include "core/provisioning/launching.h"
#include "core/provisioning/orphans_view.h"

namespace mysos {

inline constexpr Duration kForgetOrphanAfter = std::chrono::minutes(10);  // due, and never offered again
inline constexpr Duration kReleaseOrphanAgain = std::chrono::seconds(10);
inline constexpr std::size_t kMaxUnknownTasks = 10'000;

class Orphans {
 public:
  explicit Orphans(Duration grace) : grace_(grace) {}

  // Its grace begins, unless it has begun.
  void expect(const std::string& resource_id, Instant now);
  // It is offered. True if it is new.
  bool saw(const std::string& resource_id, const Holding& holding, const AgentOffer& offer, Instant now);
  // Without data, and long enough without an owner.
  [[nodiscard]] bool due(const std::string& resource_id, Instant now) const;
  // The operations that release it are on their way; true where they may be sent (again).
  bool send(const std::string& resource_id, Instant now);
  // Its agent offers what it has, and not this any more: it is released.
  [[nodiscard]] bool proved_gone(const std::string& resource_id, Instant now) const;
  // No longer spoken of: not offered for long.
  [[nodiscard]] bool forgotten(const std::string& resource_id, Instant now) const;
  void gone(const std::string& resource_id) { rows_.erase(resource_id); }

  void task_seen(const TaskId& task, const TaskName& name, const AgentId& agent, mesos::TaskState state);
  void task_gone(const TaskId& task) { tasks_.erase(task); }
  // Its executor says who it is. False: no such task is known.
  bool identified(const TaskId& task, MemberFound found);
  [[nodiscard]] bool knows_task_of(const ClusterId& cluster) const;
  [[nodiscard]] bool knows(const TaskId& task) const { return tasks_.contains(task); }
  // Of all that says enough of its member to be taken back.
  [[nodiscard]] std::vector<MemberFound> found() const;

  [[nodiscard]] const OrphanVolume* find(const std::string& resource_id) const;
  [[nodiscard]] std::vector<OrphanVolume> volumes() const;
  [[nodiscard]] std::vector<UnknownTask> tasks() const;

  // Those without data that are due, by resource id: they are wanted in an offer.
  [[nodiscard]] std::vector<std::string> all_due(Instant now) const;
  [[nodiscard]] Instant next(Instant now) const;

 private:
  struct Row {
    std::optional<Instant> since;
    std::optional<Instant> sent;
    bool offered = false;
    OrphanVolume shown;
    std::optional<MemberSpec> spec;
  };
  struct TaskRow {
    UnknownTask shown;
    std::optional<MemberFound> found;
  };
  Duration grace_;
  std::map<std::string, Row> rows_;
  std::map<TaskId, TaskRow> tasks_;
};

}  // namespace mysos
