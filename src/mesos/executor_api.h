// SPDX-License-Identifier: Apache-2.0
#pragma once
// The v1 executor API as values: what an executor says to its agent and hears from it, and the
// codec of both directions. Source: Mesos executor-http-api.md, mesos/v1/executor.proto; shapes
// measured on Mesos 1.11.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "model/mesos.h"

namespace mysos::mesos::executor {

// ---- calls ----
struct Subscribe {
  std::vector<TaskInfo> unacknowledged_tasks;
  std::vector<Update> unacknowledged_updates;
};
struct SendUpdate {
  Update status;
};
struct SendMessage {
  std::string data;
};
struct Beat {};  // HEARTBEAT of the executor
using Call = std::variant<Subscribe, SendUpdate, SendMessage, Beat>;
struct AddressedCall {
  ExecutorId executor;
  FrameworkId framework;
  Call call;
};

// ---- events ----
struct Subscribed {
  TaskInfo executor;  // of the ExecutorInfo: executor*, shutdown_grace; the rest is empty
  FrameworkInfo framework;
  AgentId agent;
  std::string hostname;
  std::string container_id;
};
struct LaunchTask {
  TaskInfo task;
};
struct KillTask {
  TaskId task;
  std::optional<Duration> grace;
};
struct Acknowledged {
  TaskId task;
  std::string uuid;
};
struct Message {
  std::string data;
};
struct Shutdown {};
struct Failed {
  std::string message;
};  // ERROR: the agent refuses this executor, which must exit
struct Heartbeat {};
struct Disconnected {};  // made by the client, not by the agent
using Event = std::variant<Subscribed, LaunchTask, KillTask, Acknowledged, Message, Shutdown,
                           Failed, Heartbeat, Disconnected>;

json::object encode_call(const AddressedCall& call);
// Errc::kInvalid with the text of Mesos' 400.
Result<AddressedCall> decode_call(const json::value& body);

// `framework` stands in the ExecutorInfo of the events. Disconnected must not be given (asserted).
json::object encode_event(const Event& event, const FrameworkId& framework);
// nullopt: an event Mysos has no use for (LAUNCH_GROUP, anything newer).
Result<std::optional<Event>> decode_event(const json::value& body);

}  // namespace mysos::mesos::executor
