// SPDX-License-Identifier: Apache-2.0
#include "executor/memory_limit.h"

#include <csignal>
#include <sstream>

#include "base/fs.h"

namespace mysos {
namespace {

constexpr std::string_view kMount = "/sys/fs/cgroup";

}  // namespace

// Lines are "<id>:<controllers>:<path>"; the one of v2 has id 0 and no controllers.
MemoryGroupFiles memory_group_files(std::string_view proc_cgroup) {
  MemoryGroupFiles out;
  std::istringstream lines{std::string(proc_cgroup)};
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (line.starts_with("0::")) out.v2 = std::string(kMount) + path + "/memory.events";
    if (controllers.find(",memory,") != std::string::npos) {
      out.v1 = std::string(kMount) + "/memory" + path + "/memory.oom_control";
    }
  }
  return out;
}

std::optional<std::uint64_t> kills_in(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string key;
  std::uint64_t value = 0;
  while (words >> key >> value) {
    if (key == "oom_kill") return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> out_of_memory_kills() {
  const auto groups = read_file("/proc/self/cgroup");
  if (!groups) return std::nullopt;
  const MemoryGroupFiles files = memory_group_files(*groups);
  for (const std::string* file : {&files.v1, &files.v2}) {
    if (file->empty()) continue;
    if (const auto text = read_file(*file)) return kills_in(*text);
  }
  return std::nullopt;
}

bool killed_for_memory(const ExitStatus& status, std::optional<std::uint64_t> before, std::optional<std::uint64_t> after) {
  const bool may_be = status.kind == ExitStatus::Kind::kGone ||
                      (status.kind == ExitStatus::Kind::kSignaled && status.value == SIGKILL);
  return may_be && before && after && *after > *before;
}

std::string out_of_memory_text(Bytes limit) {
  return "out of memory: the kernel killed it at the limit of " + to_string(limit) +
         "; big rows, sorts and joins, many connections, or too small a cluster";
}

}  // namespace mysos
