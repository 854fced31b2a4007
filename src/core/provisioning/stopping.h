// SPDX-License-Identifier: Apache-2.0
#pragma once
// The task of a member is to end (stage killing): KILL is sent again and again, and an executor that does not obey is shut down
// by its agent. What follows once no task is left is decided in one place, over(): the volume of a member that leaves is
// released.
#include "core/provisioning/life_part.h"
#include "core/provisioning/stage_changes.h"

namespace mysos {

inline constexpr Duration kKillAgainMax = std::chrono::minutes(1);
inline constexpr Duration kShutdownAfter = std::chrono::seconds(10);  // an executor that lets its kill grace pass

class Stopping : public LifePart {
 public:
  // `next`: the part that has the stage after this one.
  Stopping(Ledger& ledger, Members& members, StageChanges& stages, LifePart& next, const SchedulerConfig& config);

  void subscribed(const Owner& owner, Instant now) override;
  void offered(const Owner& owner, const Holding& holding, AgentUse& use, Instant now) override;
  void alive(const Owner& owner, mesos::TaskState state, Instant now) override;
  void ended(const Owner& owner, mesos::TaskState state, Instant now) override;
  void await(const Owner& owner, Wants& wants) override;
  [[nodiscard]] std::string waiting_for(const Member& m, const MemberRow& row) const override;

 private:
  void over(const Owner& owner, Instant now);

  Ledger& ledger_;
  Members& members_;
  StageChanges& stages_;
  LifePart& next_;
  const SchedulerConfig& config_;
};

}  // namespace mysos
