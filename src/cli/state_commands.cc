// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include "cli/commands.h"
#include "scheduler/state_backup.h"

namespace mysos::cli {

Status run(const BackupState& command) {
  MYSOS_TRY(const std::size_t clusters, back_up_state(command.dir, command.to));
  fmt::print("the state of {}, with {} cluster(s), is in {}\n", command.dir, clusters, command.to);
  return {};
}

Status run(const RestoreState& command) {
  MYSOS_TRY(const std::size_t clusters, restore_state(command.from, command.dir));
  fmt::print("the state of {}, with {} cluster(s), is in {} again; start the scheduler, then look at mysos orphans\n",
             command.from, clusters, command.dir);
  return {};
}

}  // namespace mysos::cli
