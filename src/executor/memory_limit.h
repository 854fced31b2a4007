// SPDX-License-Identifier: Apache-2.0
#pragma once
// The memory limit of this executor and its server: the cgroup of this process, v1 or v2. When it is exceeded, the kernel kills
// a process of the group, usually mysqld, which uses most memory. The killed process cannot report the reason itself.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/process.h"
#include "base/units.h"

namespace mysos {

// The files in which the kernel counts its kills, from the text of /proc/<pid>/cgroup. The first is for v2.
struct MemoryGroupFiles {
  std::string v2;
  std::string v1;
};
MemoryGroupFiles memory_group_files(std::string_view proc_cgroup);
// The number of kills in such a file.
std::optional<std::uint64_t> kills_in(std::string_view text);

// How often the kernel has killed in this process's group; none: no such group, or unreadable.
std::optional<std::uint64_t> out_of_memory_kills();

// Whether the kernel killed a server for memory, from the counts at its start and its end.
bool killed_for_memory(const ExitStatus& status, std::optional<std::uint64_t> before, std::optional<std::uint64_t> after);
std::string out_of_memory_text(Bytes limit);

}  // namespace mysos
