// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the master says of tasks, operations, offers that are taken back, and agents. Each update is acknowledged; what concerns
// a member's newest task, or an operation on its resources, goes to the part of its life; a task of a later launch than the
// record knows proves that the record is old; what is no member's is an orphan. Owns nothing that lasts.
#include "core/provisioning/life_part.h"
#include "core/provisioning/stage_changes.h"

namespace mysos {

class UpdateDesk {
 public:
  UpdateDesk(Ledger& ledger, MemberTable& table, Members& members, const LifeParts& life, StageChanges& stages,
             Reconciler& reconciler, OrphanHandling& orphans, AgentTable& agents, Alarm& alarm);

  void take(const mesos::Update& in, Instant now);
  void take(const mesos::UpdateOperation& in, Instant now);
  void take(const mesos::Rescind& in, Instant now);
  void take(const mesos::Failure& in, Instant now);

 private:
  void alive(const Owner& owner, const mesos::Update& in, Instant now);
  void ended(const Owner& owner, const mesos::Update& in, Instant now);
  void doubtful(const Owner& owner, const mesos::Update& in, Instant now);
  // Of a launch that this state does not know, so it is old (core/state/doubt.h). False: it is not such a task.
  bool later_launch(const mesos::Update& in, Instant now);
  bool later_launch_of_leaving(const Owner& owner, const mesos::Update& in, std::uint64_t launches, Instant now);
  void take_over(const Owner& owner, const TaskId& task, std::uint64_t launches);

  Ledger& ledger_;
  MemberTable& table_;
  Members& members_;
  const LifeParts& life_;
  StageChanges& stages_;
  Reconciler& reconciler_;
  OrphanHandling& orphans_;
  AgentTable& agents_;
  Alarm& alarm_;
};

}  // namespace mysos
