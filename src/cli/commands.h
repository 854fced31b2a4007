// SPDX-License-Identifier: Apache-2.0
#pragma once
// The client commands. Results go to stdout, everything else to stderr. main() prints an Error and
// derives the exit code from it.
#include "base/json.h"
#include "cli/options.h"

namespace mysos::cli {

Status run(const Create& command);
Status run(const List& command);
Status run(const Show& command);
Status run(const Members& command);
Status run(const Events& command);
Status run(const Call& command);  // call_commands.cc
Status run(const Delete& command);
Status run(const Versions& command);
Status run(const Credentials& command);
Status run(const Orphans& command);  // orphan_commands.cc
Status run(const BackupState& command);   // state_commands.cc
Status run(const RestoreState& command);
// Replaces this process by the mariadb or mysql client. Returns only with an Error.
Status run(const Connect& command);

// servers.cc: until SIGINT or SIGTERM.
Status run(const Up& command);
Status run(const Scheduler& command);
// router.cc: likewise.
Status run(const Router& command);

}  // namespace mysos::cli
