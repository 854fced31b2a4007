// SPDX-License-Identifier: Apache-2.0
#pragma once
// A simulated Mesos agent: like src/local's agent, without processes and disks. It owns what
// is on its machine: resources with their reservations, volumes, containers, unacknowledged
// updates. It registers again, with all of it, whenever its link to the master has broken.
// A crash of the machine ends its containers; volumes stay.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "local/master_core.h"
#include "sim/sim_executor.h"

namespace mysos::sim {

// The two directions between an agent and the master.
struct AgentLink {
  std::shared_ptr<Stream> up = std::make_shared<Stream>();  // shared with what flies
  std::shared_ptr<Stream> down = std::make_shared<Stream>();
};

class SimAgent {
 public:
  using ToMaster = std::function<void(SimAgent& from, const std::shared_ptr<AgentLink>& link,
                                      local::MasterInput input)>;
  SimAgent(Sim& sim, ServerWorld& world, std::uint32_t machine, ToMaster to_master);

  void start();
  void crash(bool power_lost = false);  // the machine: all containers end
  void restart_process();  // only the agent: its containers keep running
  // Apache Mesos recognises an agent that asks twice by its address; the master core does not, so
  // an agent knows the id that it was given even where the answer is lost.
  void learn_id(const AgentId& id) { id_ = id; }
  void receive(const std::shared_ptr<AgentLink>& link, const AgentId& id,
               const local::AgentMessage& message);

  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] std::uint32_t machine() const { return machine_; }
  [[nodiscard]] const std::string& ip() const { return info_.ip; }
  [[nodiscard]] const std::optional<AgentId>& id() const { return id_; }
  [[nodiscard]] const Resources& total() const { return total_; }
  [[nodiscard]] const std::map<VolumeId, std::unique_ptr<SimVolume>>& volumes() const {
    return volumes_;
  }
  // The disk under a member is replaced: what it was is kept aside, and may be put back.
  void lose_volume(SimExecutor& member);
  void bring_back(const VolumeId& id);
  // What the cluster knows by that name: a lost volume rather than the empty one in its place. Null: none here.
  [[nodiscard]] const SimVolume* known_as(const VolumeId& id) const;
  // Living containers, in the order of their launch.
  [[nodiscard]] std::vector<SimExecutor*> containers() const;

 private:
  struct TaskEntry {
    FrameworkId framework;
    mesos::TaskInfo info;
    mesos::TaskState state = mesos::TaskState::kStaging;
    std::vector<mesos::Update> pending;
    bool killing = false;
    SimExecutor* container = nullptr;  // null before its launch and after its end
  };
  void link_up();
  void watch_link();
  void say(local::MasterInput input);
  void update(TaskEntry& task, mesos::TaskState state, const std::string& reason);
  void launch(const TaskId& id);
  void kill(TaskEntry& task, Duration grace);
  void end_container_on(const SimVolume& volume);
  void container_ended(const TaskId& id, int status);

  void take(const local::Registered& m);
  void take(const local::RunTask& m);
  void take(const local::KillAgentTask& m);
  void take(const local::ShutdownExecutor& m);
  void take(const local::ShutdownFramework& m);
  void take(const local::ApplyOperation& m);
  void take(const local::AcknowledgeUpdate& m);
  void take(const local::ForgetOperation& m);
  void take(const local::TellExecutor& m);
  void take(const local::ShutdownAgent&) {}

  Sim& sim_;
  ServerWorld& world_;
  std::uint32_t machine_;
  ToMaster to_master_;
  local::AgentInfo info_;
  bool up_ = false;
  std::uint64_t life_ = 0;
  std::optional<AgentId> id_;
  bool registered_ = false;
  std::uint64_t changes_ = 0;        // of what the master must know
  std::uint64_t changes_told_ = 0;   // by the last hello
  std::shared_ptr<AgentLink> link_;  // shared with what flies
  Resources total_;
  std::map<TaskId, TaskEntry> tasks_;
  std::map<OperationId, local::AgentOperation> operations_;
  std::map<VolumeId, std::unique_ptr<SimVolume>> volumes_;
  std::map<VolumeId, std::unique_ptr<SimVolume>> lost_;   // of volumes_
  std::vector<std::unique_ptr<SimVolume>> destroyed_;     // dead containers still refer to them
  std::vector<std::unique_ptr<SimExecutor>> containers_;  // also the dead ones
};

}  // namespace mysos::sim
