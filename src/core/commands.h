// SPDX-License-Identifier: Apache-2.0
#pragma once
// Carries commands out, or refuses them. Whether this scheduler may act, and whether the cluster is there, is asked in one
// place for all of them. Each event that a command makes names its caller; what follows from the command later does not.
#include "core/command.h"
#include "core/ledger.h"
#include "core/member_table.h"
#include "core/provisioning.h"
#include "core/registration.h"

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
