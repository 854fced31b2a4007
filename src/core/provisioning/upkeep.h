// SPDX-License-Identifier: Apache-2.0
#pragma once
// The middle of a member's life (stages launching, running, down): a member that has a place is launched there, on its own
// volume, again and again. Invariants: a member that has held data is launched on its own volume or not at all; while a task of
// it may live, no other is launched. Silence, UNREACHABLE, LOST and UNKNOWN prove nothing; that its volume is offered does.
#include "core/provisioning/launch_ports.h"
#include "core/provisioning/launcher.h"
#include "core/provisioning/life_part.h"

namespace mysos {

inline constexpr Duration kAbandonAfter = std::chrono::seconds(10);  // a place that never held data and is not offered

class Upkeep : public LifePart {
 public:
  Upkeep(Ledger& ledger, Members& members, StageChanges& stages, Launcher& launcher, Reconciler& reconciler,
         const SchedulerConfig& config);

  void subscribed(const Owner& owner, Instant now) override;
  void offered(const Owner& owner, const Holding& holding, AgentUse& use, Instant now) override;
  void absent(const Owner& owner, AgentUse& use, Instant now) override;
  void alive(const Owner& owner, mesos::TaskState state, Instant now) override;
  void ended(const Owner& owner, mesos::TaskState state, Instant now) override;
  bool overdue(const Owner& owner, Instant now) override;
  void await(const Owner& owner, Wants& wants) override;
  [[nodiscard]] std::string waiting_for(const Member& m, const MemberRow& row) const override;

 private:
  void launch_on(const Owner& owner, const Holding& offered, AgentUse& use, Instant now);
  void say_stuck(const Owner& owner, const Holding& offered);
  void launch_overdue(const Owner& owner, stage::Launching& launching, Instant now);

  Ledger& ledger_;
  Members& members_;
  StageChanges& stages_;
  Launcher& launcher_;
  LaunchPorts ports_;
  Reconciler& reconciler_;
  const SchedulerConfig& config_;
};

}  // namespace mysos
