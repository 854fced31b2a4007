// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether a cluster that a user asks for can be. Pure; each refusal names the field, the limit and, where it helps, the
// nearest thing that would do. Nothing is made of what is refused.
#include <vector>

#include "core/provisioning/placement.h"
#include "core/state/scheduler_state.h"

namespace mysos {

inline constexpr std::int64_t kMinCpusMilli = 100;
inline constexpr std::int64_t kMaxCpusMilli = 1024 * 1000;
inline constexpr Bytes kMinDisk = gib(1);
inline constexpr Bytes kMaxMem = gib(64 * 1024);
inline constexpr Bytes kMaxDisk = gib(1024 * 1024);
inline constexpr std::size_t kMaxUserName = 32;
inline constexpr std::size_t kMaxClusters = 10'000;
inline constexpr char kDefaultUser[] = "app";

// kTooLarge: there are as many clusters as there may be.
Status check_room(const SchedulerState& state);
// Makes so many members more, without a place yet. The next index is that of the next member: none is used twice.
void add_members(Cluster& cluster, std::uint32_t count);
// A name that a cluster may be given now.
Status check_name(const std::string& name, const SchedulerState& state);
// The spec with its defaults filled in, sizes rounded up to whole MiB. kInvalid with the field, kConflict for a taken name.
// `agents`: those whose offers were seen; what exceeds all of them is refused.
Result<ClusterSpec> admit(ClusterSpec spec, const SchedulerState& state, const std::vector<VersionInfo>& versions,
                          const std::vector<AgentSpace>& agents);

}  // namespace mysos
