// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the embedded master and its agents say to each other. Nobody outside sees this: Apache Mesos
// has its own protobuf there. It is a value protocol, so that the simulator can delay, lose and
// repeat it. An agent owns the state on its disk (resources, tasks, unacknowledged updates). It
// registers again with all of it, which repairs any loss.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/mesos.h"

namespace mysos::local {

struct AgentInfo {
  std::string hostname;
  std::string ip;
  std::uint16_t port = 0;
  Labels attributes;
  bool operator==(const AgentInfo&) const = default;
};
template <class Io>
void fields(Io& io, AgentInfo& a) {
  io("hostname", a.hostname);
  io("ip", a.ip);
  io("port", a.port);
  io("attributes", a.attributes);
}

struct AgentTask {
  FrameworkId framework;
  mesos::TaskInfo info;
  mesos::TaskState state = mesos::TaskState::kStaging;
  std::vector<mesos::Update> pending;  // not acknowledged by the scheduler yet, oldest first
};
struct AgentExecutor {  // it is alive, with or without tasks, and holds its resources
  FrameworkId framework;
  mesos::TaskInfo info;  // only what describes the executor is looked at
};
struct AgentOperation {
  FrameworkId framework;
  mesos::UpdateOperation status;  // with its uuid
};

// ---- agent to master ----
struct RegisterAgent {
  std::string link;           // echoed in Registered, for an agent that has no id yet
  std::optional<AgentId> id;  // as given by Registered once
  AgentInfo info;
  Resources total;  // with reservations and volumes, without allocation roles
  std::vector<AgentTask> tasks;
  std::vector<AgentExecutor> executors;
  std::vector<AgentOperation> operations;  // not acknowledged
};
struct AgentDisconnected {
  AgentId agent;
};
struct AgentUpdate {
  AgentId agent;
  FrameworkId framework;
  mesos::Update update;
};
struct AgentOperationUpdate {
  AgentId agent;
  FrameworkId framework;
  mesos::UpdateOperation status;
};
// Before the updates of the tasks that ended with it. `status` is a raw wait status; -1: never
// started.
struct ExecutorEnded {
  AgentId agent;
  FrameworkId framework;
  ExecutorId executor;
  int status = 0;
};
struct ExecutorSaid {
  AgentId agent;
  FrameworkId framework;
  ExecutorId executor;
  std::string data;
};

// ---- master to agent ----
struct Registered {
  std::string link;
  AgentId agent;
};
struct RunTask {
  FrameworkId framework;
  mesos::FrameworkInfo info;
  mesos::TaskInfo task;
};
struct KillAgentTask {
  FrameworkId framework;
  TaskId task;
  std::optional<Duration> grace;
};
struct ShutdownExecutor {
  FrameworkId framework;
  ExecutorId executor;
};
struct ShutdownFramework {
  FrameworkId framework;
};
// To be answered with AgentOperationUpdate where the operation has an id, once it is on disk.
struct ApplyOperation {
  FrameworkId framework;
  mesos::Operation operation;
};
struct AcknowledgeUpdate {
  FrameworkId framework;
  TaskId task;
  std::string uuid;
};
struct ForgetOperation {
  FrameworkId framework;
  OperationId operation;
};
struct TellExecutor {
  FrameworkId framework;
  ExecutorId executor;
  std::string data;
};
struct ShutdownAgent {};  // marked gone: end all executors and never come back under this id
using AgentMessage =
    std::variant<Registered, RunTask, KillAgentTask, ShutdownExecutor, ShutdownFramework,
                 ApplyOperation, AcknowledgeUpdate, ForgetOperation, TellExecutor, ShutdownAgent>;

}  // namespace mysos::local
