// SPDX-License-Identifier: Apache-2.0
#pragma once
// Control groups of containers: v1 (cpu and memory hierarchies) or v2, whichever is mounted and may
// be written. One Cgroups names one parent group; below it there is one group per container.
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/result.h"
#include "model/resources.h"

namespace mysos::local {

struct CgroupLimits {
  std::int64_t cpus_milli = 0;
  std::int64_t mem_mib = 0;
  bool hard_cpu = false;  // CFS quota: never more than cpus_milli
};

class Cgroups {
 public:
  // Tries it out by making a group. nullopt, with the reason in `why_not`, where it is not
  // possible.
  static std::optional<Cgroups> probe(const std::string& parent, std::string& why_not);

  // Makes the groups of a container and sets their limits. An existing one is taken over.
  Status make(const std::string& container, const CgroupLimits& limits) const;
  // Memory only ever grows, as with Mesos: a limit below what is in use would kill.
  Status resize(const std::string& container, const CgroupLimits& limits) const;
  [[nodiscard]] std::vector<std::string> procs_files(const std::string& container) const;
  [[nodiscard]] std::vector<pid_t> pids(const std::string& container) const;
  [[nodiscard]] bool oom_killed(const std::string& container) const;
  // SIGKILLs everything in it until it is empty, then removes it.
  asio::awaitable<void> destroy(std::string container) const;
  // Removes the parent where nothing is left below it.
  void remove_parent() const;
  [[nodiscard]] int version() const { return version_; }

 private:
  Cgroups(int version, std::vector<std::string> roots)
      : version_(version), roots_(std::move(roots)) {}
  [[nodiscard]] std::string group(std::size_t root, const std::string& container) const;
  int version_ = 1;
  std::vector<std::string> roots_;  // v1: cpu, memory; v2: one
};

}  // namespace mysos::local
