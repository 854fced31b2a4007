// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: carries out a story, a text of commands, and gives the same text with what each command led to. A line that begins
// with "> " is a command, a line that begins with "#" is a remark; everything else is output, and is rewritten.
//
//   agents N                         how many agents there are (3), each with room for one member of each cluster; only first
//   healthy NAME MEMBERS             a cluster is made and has become healthy; its own story is not told
//   create NAME MEMBERS              and every other command of a user: delete NAME, switchover NAME [WHO]
//   until STATE                      time passes until the cluster's state is that, at most 90 s
//   run SECONDS                      time passes
//   write N                          the primary and all who follow it execute N transactions more
//   crash WHO, recover WHO           mysqld ends, and is there again
//   freeze WHO, thaw WHO             mysqld and executor are frozen
//   errant WHO                       it executes a transaction of its own
//   end WHO                          its task fails
//   restart                          the scheduler dies, and the next one reads its records
//   show                             the cluster as the API shows it
//
// WHO is `primary`, `replica` (the first member that is not the primary) or the member's index. A story has one cluster.
#include <string>

#include "core/scenario/scheduler_scenario.h"

namespace mysos::scenario {

// A command that is not understood fails the test that runs.
std::string tell(const std::string& story);

}  // namespace mysos::scenario
