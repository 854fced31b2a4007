// SPDX-License-Identifier: Apache-2.0
#pragma once
// Carries commands out, or refuses them. One place checks for all commands whether this scheduler may act and whether the
// cluster exists. Each event that a command makes names the caller. Later events that follow from the command do not.
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

// The caller gets an answer in any case.
void carry_out(const Command& command, const CommandParts& parts, Instant now);

}  // namespace mysos
