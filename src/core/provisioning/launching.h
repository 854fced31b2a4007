// SPDX-License-Identifier: Apache-2.0
#pragma once
// The task of a member: what its executor is started with, and under which names it is found. Pure. It is launched on
// exactly what its reservation holds, volume included, and runs as it was granted. A task id is never used twice. The executor
// has the task's id, so that no two launches share a container.
#include "core/provisioning/holdings.h"
#include "core/state/scheduler_config.h"

namespace mysos {

// A container was there and has ended, by the word of its executor or agent.
constexpr bool had_container(mesos::TaskState s) {
  return s == mesos::TaskState::kFinished || s == mesos::TaskState::kFailed || s == mesos::TaskState::kKilled;
}

// "<cluster name>.<cluster id>.<index>.<launch>": no '/', no blanks (Mesos refuses them).
TaskId task_id_of(const Cluster& cluster, const Member& member);
// What such an id says; nullopt for one of another form.
struct TaskName {
  std::string cluster_name;
  ClusterId cluster;
  std::uint32_t index = 0;
  std::uint64_t launches = 0;
};
std::optional<TaskName> parse_task_id(const TaskId& task);
mesos::TaskInfo task_of(const Cluster& cluster, const Member& member, const Resources& resources,
                        const SchedulerConfig& config);
mesos::FrameworkInfo framework_of(const SchedulerConfig& config, const std::optional<FrameworkId>& id);

}  // namespace mysos
