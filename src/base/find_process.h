// SPDX-License-Identifier: Apache-2.0
#pragma once
// Finds processes that an earlier Mysos process started but did not record before it died. Their command line has an
// argument that names a file of ours. Other users of the machine may start processes with any command line, so the real user
// id must match, too (for a setuid program that is the user who started it). Processes of another mount namespace (a container)
// are excluded, because the same names mean other files there. Source: proc(5).
#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace mysos {

struct FoundProcess {
  pid_t pid = 0;
  pid_t parent = 0;
};
// The processes with exactly this argument that run as one of these users. Zombies have no command line.
std::vector<FoundProcess> find_processes(const std::string& argument, const std::set<uid_t>& users);

}  // namespace mysos
