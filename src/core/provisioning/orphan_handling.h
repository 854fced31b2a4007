// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is done with what is ours by its label and belongs to no member. Invariant: a volume is destroyed only where the store
// itself knows that no server ever ran on it, or because a user said so; a task is killed only where the store knows that its
// launch was given up. What was seen of orphans is in Orphans, what the store knows of them in the ledger; this class owns the
// other frameworks that users were told of.
#include <map>
#include <set>
#include <string>

#include "core/provisioning/agent_use.h"
#include "core/provisioning/alarm.h"
#include "core/provisioning/introductions.h"
#include "core/provisioning/life_part.h"
#include "core/provisioning/orphans.h"
#include "core/state/ledger.h"
#include "core/state/scheduler_config.h"

namespace mysos {

inline constexpr std::size_t kMaxOthersTold = 1000;

class OrphanHandling {
 public:
  OrphanHandling(Ledger& ledger, Orphans& orphans, Introductions& introductions, const SchedulerConfig& config, Alarm& alarm);

  // ---- offers ----
  // It is offered; it is noted, and told of where it is new. True: it may hold data, so it is kept.
  bool saw(const std::string& resource_id, const Holding& holding, const AgentUse& use, Instant now);
  // Gives it back or destroys it, where that is due. Not of one that is kept.
  void release(const std::string& resource_id, const Holding& holding, AgentUse& use, Instant now);
  // Of what is known of orphans on this agent, what is not there any more.
  void absent(const AgentUse& use, const std::map<std::string, Holding>& offered, Instant now);
  void saw_framework(const FrameworkId& other);
  // Those that are given back or destroyed, so that they have to be in an offer.
  void await(Wants& wants) const;

  // ---- updates ----
  // A task of this framework that is no member's newest.
  void stray(const mesos::Update& in, Instant now);
  // A task that is left alone. It is asked who it is. True: it was not known.
  bool left_alone(const mesos::Update& in, const TaskName& name, Instant now);
  void answered(const OperationName& name, const mesos::UpdateOperation& in);

  // ---- members and users ----
  // The place of a member is given up, and nothing ever ran there: the store knows that for good, whatever becomes of the
  // member.
  void unused(const Member& member, Instant now);
  Result<ClusterId> destroy(const std::string& resource_id, Instant now);
  [[nodiscard]] OrphansView view() const;

 private:
  [[nodiscard]] bool asked_to_destroy(const std::string& resource_id) const;
  [[nodiscard]] bool given_up(const TaskName& name) const;
  void gone(const std::string& resource_id, const std::string& why);

  Ledger& ledger_;
  Orphans& orphans_;
  Introductions& introductions_;
  const SchedulerConfig& config_;
  Alarm& alarm_;
  std::set<FrameworkId> others_told_;  // frameworks of Mysos whose reservations are not ours
};

}  // namespace mysos
