// SPDX-License-Identifier: Apache-2.0
#pragma once
// Launches a member: its next launch is written to its record, and a LAUNCH joins the operations on its agent's offers. The
// record is durable before the ACCEPT leaves, and no task id is used twice.
#include "core/provisioning/agent_use.h"
#include "core/provisioning/members.h"
#include "core/provisioning/stage_changes.h"

namespace mysos {

class Launcher {
 public:
  Launcher(Ledger& ledger, MemberTable& table, Members& members, StageChanges& stages, const SchedulerConfig& config);

  // On exactly these resources, which are its own (by the operations before this one, where they are new).
  void launch(const Owner& owner, const Resources& resources, AgentUse& use, Instant now);

 private:
  Ledger& ledger_;
  MemberTable& table_;
  Members& members_;
  StageChanges& stages_;
  const SchedulerConfig& config_;
};

}  // namespace mysos
