// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the API shows of reservations and tasks that carry our label and that no member of the state owns.
#include <cstdint>
#include <string>
#include <vector>

#include "core/state/scheduler_state.h"
#include "model/cluster.h"
#include "model/mesos.h"

namespace mysos {

// What carries our label and belongs to no member.
struct OrphanVolume {
  std::string id;  // of its reservation
  ClusterId cluster;
  std::string cluster_name;  // "" where its label does not say it
  MemberId member;
  AgentId agent;
  std::string hostname;
  VolumeId volume;  // "": a reservation without one
  Bytes disk{};
  OrphanFate fate = OrphanFate::kKept;
};
// A task of this framework whose cluster the state does not know. It is left alone.
struct UnknownTask {
  TaskId task;
  ClusterId cluster;
  std::string cluster_name;
  std::uint32_t index = 0;
  AgentId agent;
  mesos::TaskState state = mesos::TaskState::kStaging;
  bool identified = false;  // its executor has said who it is, so its cluster can be adopted
};
struct OrphansView {
  std::vector<OrphanVolume> volumes;
  std::vector<UnknownTask> tasks;
};

}  // namespace mysos
