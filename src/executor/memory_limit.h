// SPDX-License-Identifier: Apache-2.0
#pragma once
// The memory limit that this executor and its server live under: the cgroup of this process, v1 or v2. The kernel kills
// what asks for more, mysqld as a rule, since it has the most; the killed process itself has nothing to say about it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/process.h"
#include "base/units.h"

namespace mysos {

// The file in which the kernel counts its kills, for a process whose /proc/<pid>/cgroup says this. The first is v2's.
struct MemoryGroupFiles {
  std::string v2;
  std::string v1;
};
MemoryGroupFiles memory_group_files(std::string_view proc_cgroup);
// The number of kills in such a file.
std::optional<std::uint64_t> kills_in(std::string_view text);

// How often the kernel has killed in the group of this process; none: there is no such group, or it cannot be read.
std::optional<std::uint64_t> out_of_memory_kills();

// Whether a server that ended so was killed for memory. The counts are of its start and of its end.
bool killed_for_memory(const ExitStatus& status, std::optional<std::uint64_t> before, std::optional<std::uint64_t> after);
std::string out_of_memory_text(Bytes limit);

}  // namespace mysos
