// SPDX-License-Identifier: Apache-2.0
#pragma once
// Processes that an earlier process of ours started and did not live to write down. Their command line tells them: it has an
// argument that names a file of ours. Other users of the machine may start processes with any command line, so the real user
// id counts, too: that of a setuid program is the user's who started it. A process of another mount namespace (a container)
// has other files under the same names, and is left out. Source: proc(5).
#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace mysos {

struct FoundProcess {
  pid_t pid = 0;
  pid_t parent = 0;
};
// Those with exactly this argument that run as one of these users. Zombies have no command line.
std::vector<FoundProcess> find_processes(const std::string& argument, const std::set<uid_t>& users);

}  // namespace mysos
