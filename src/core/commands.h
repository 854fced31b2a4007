// SPDX-License-Identifier: Apache-2.0
#pragma once
// Carries commands out, or refuses them. Whether this scheduler may act, and whether the cluster is there, is asked in one
// place for all of them. Each event that a command makes names its caller; what follows from the command later does not.
#include "core/provisioning/provisioner.h"
#include "core/provisioning/registration.h"
#include "core/state/ledger.h"
#include "core/state/member_table.h"
#include "model/command.h"

namespace mysos {

// The parts of SchedulerCore that a command works on.
struct CommandParts {
  Ledger& ledger;
  Registration& registration;
  Provisioner& provisioner;
  MemberTable& table;
  const SchedulerConfig& config;
};

// The caller is answered either way.
void carry_out(const Command& command, const CommandParts& parts, Instant now);

}  // namespace mysos
