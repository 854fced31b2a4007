// SPDX-License-Identifier: Apache-2.0
#pragma once
// What Mysos says to a Mesos master and hears from it, as values: the v1 scheduler API narrowed to
// the calls and fields that Mysos uses. The brains and the embedded master speak these; mesos/
// turns them into v1 JSON and back. Source of the behaviour: Mesos scheduler-http-api.md,
// mesos/v1/scheduler.proto; measured on Mesos 1.11.
#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "model/resources.h"

namespace mysos::mesos {

enum class TaskState {
  kStaging,
  kStarting,
  kRunning,
  kKilling,
  kFinished,
  kFailed,
  kKilled,
  kError,
  kLost,
  kDropped,
  kUnreachable,
  kGone,
  kGoneByOperator,
  kUnknown,
};
constexpr auto enum_names(TaskState) {
  using enum TaskState;
  return std::to_array<EnumName<TaskState>>({{kStaging, "TASK_STAGING"},
                                             {kStarting, "TASK_STARTING"},
                                             {kRunning, "TASK_RUNNING"},
                                             {kKilling, "TASK_KILLING"},
                                             {kFinished, "TASK_FINISHED"},
                                             {kFailed, "TASK_FAILED"},
                                             {kKilled, "TASK_KILLED"},
                                             {kError, "TASK_ERROR"},
                                             {kLost, "TASK_LOST"},
                                             {kDropped, "TASK_DROPPED"},
                                             {kUnreachable, "TASK_UNREACHABLE"},
                                             {kGone, "TASK_GONE"},
                                             {kGoneByOperator, "TASK_GONE_BY_OPERATOR"},
                                             {kUnknown, "TASK_UNKNOWN"}});
}
// The process is certainly not running any more and will not come back. UNREACHABLE, UNKNOWN and
// LOST say nothing of the kind: the executor may be alive and serving.
constexpr bool is_terminal(TaskState s) {
  using enum TaskState;
  return s == kFinished || s == kFailed || s == kKilled || s == kError || s == kDropped ||
         s == kGone || s == kGoneByOperator;
}

enum class OperationState {
  kPending,
  kFinished,
  kFailed,
  kError,
  kDropped,
  kUnreachable,
  kGoneByOperator,
  kRecovering,
  kUnknown
};
constexpr auto enum_names(OperationState) {
  using enum OperationState;
  return std::to_array<EnumName<OperationState>>({{kPending, "OPERATION_PENDING"},
                                                  {kFinished, "OPERATION_FINISHED"},
                                                  {kFailed, "OPERATION_FAILED"},
                                                  {kError, "OPERATION_ERROR"},
                                                  {kDropped, "OPERATION_DROPPED"},
                                                  {kUnreachable, "OPERATION_UNREACHABLE"},
                                                  {kGoneByOperator, "OPERATION_GONE_BY_OPERATOR"},
                                                  {kRecovering, "OPERATION_RECOVERING"},
                                                  {kUnknown, "OPERATION_UNKNOWN"}});
}

struct FrameworkInfo {
  std::string user;
  std::string name;
  std::string role;
  std::string principal;
  std::string hostname;
  std::string webui_url;
  double failover_timeout_s = 0;
  bool checkpoint = false;
  std::vector<std::string> capabilities;  // "MULTI_ROLE", ...
  std::optional<FrameworkId> id;
  bool operator==(const FrameworkInfo&) const = default;
};

struct Offer {
  OfferId id;
  AgentId agent;
  std::string hostname;
  std::string ip;  // where the agent's tasks are reached
  std::uint16_t agent_port = 0;
  std::string role;  // allocation role
  Labels attributes;
  Resources resources;
  bool operator==(const Offer&) const = default;
};

struct Discovery {
  std::string name;
  std::vector<std::pair<std::string, std::uint16_t>> ports;
  bool operator==(const Discovery&) const = default;
};

struct TaskInfo {
  TaskId id;
  std::string name;
  AgentId agent;
  Resources resources;
  ExecutorId executor;
  std::string executor_command;  // run by sh -c; starts with "exec "
  std::string executor_user;     // CommandInfo.user of the executor; "" = the framework's
  Labels executor_env;
  Resources executor_resources;
  Duration shutdown_grace{};
  Duration kill_grace{};
  std::string data;  // raw bytes (base64 on the wire); never a secret
  Labels labels;
  Discovery discovery;
  bool operator==(const TaskInfo&) const = default;
};

struct Reserve {
  Resources resources;
  bool operator==(const Reserve&) const = default;
};
struct Unreserve {
  Resources resources;
  bool operator==(const Unreserve&) const = default;
};
struct Create {
  Resources volumes;
  bool operator==(const Create&) const = default;
};
struct Destroy {
  Resources volumes;
  bool operator==(const Destroy&) const = default;
};
struct Launch {
  std::vector<TaskInfo> tasks;
  bool operator==(const Launch&) const = default;
};
struct Operation {
  std::variant<Reserve, Unreserve, Create, Destroy, Launch> what;
  OperationId id;  // "" = no feedback wanted; a Launch has none
  bool operator==(const Operation&) const = default;
};

// ---- calls ----
inline constexpr Duration kDefaultRefuse = std::chrono::seconds(5);
struct Subscribe {
  FrameworkInfo framework;
};
struct Accept {
  std::vector<OfferId> offers;
  std::vector<Operation> operations;
  Duration refuse = kDefaultRefuse;
};
struct Decline {
  std::vector<OfferId> offers;
  Duration refuse = kDefaultRefuse;
};
struct Revive {};
struct Suppress {};
struct Kill {
  TaskId task;
  std::optional<AgentId> agent;
  std::optional<Duration> grace;
};
struct Shutdown {
  ExecutorId executor;
  AgentId agent;
};
struct Acknowledge {
  AgentId agent;
  TaskId task;
  std::string uuid;
};  // uuid: base64, echoed byte for byte
struct AcknowledgeOperation {
  OperationId operation;
  std::string uuid;
  std::optional<AgentId> agent;
};
struct Reconcile {
  std::vector<std::pair<TaskId, std::optional<AgentId>>> tasks;
};  // empty: implicit
struct ReconcileOperations {
  std::vector<std::pair<OperationId, std::optional<AgentId>>> operations;
};
struct Message {
  AgentId agent;
  ExecutorId executor;
  std::string data;
};
struct Teardown {};
using Call = std::variant<Subscribe, Accept, Decline, Revive, Suppress, Kill, Shutdown, Acknowledge,
                          AcknowledgeOperation, Reconcile, ReconcileOperations, Message, Teardown>;

// ---- events ----
struct Subscribed {
  FrameworkId framework;
  double heartbeat_interval_s = 15;
  std::string master_id;
};
struct Heartbeat {};
struct Offers {
  std::vector<Offer> offers;
};
struct Rescind {
  OfferId offer;
};
struct Update {
  TaskId task;
  TaskState state = TaskState::kStaging;
  std::optional<AgentId> agent;
  std::optional<ExecutorId> executor;
  std::string source;  // "SOURCE_AGENT", ...
  std::string reason;  // "REASON_RECONCILIATION", ... or ""
  std::string message;
  std::string uuid;  // base64; "" = must not be acknowledged
  double timestamp = 0;
  std::string data;
};
struct UpdateOperation {
  OperationId operation;
  OperationState state = OperationState::kPending;
  std::string uuid;  // base64; "" = must not be acknowledged
  std::optional<AgentId> agent;
  std::string message;
};
struct ExecutorMessage {
  AgentId agent;
  ExecutorId executor;
  std::string data;
};
struct Failure {
  std::optional<AgentId> agent;
  std::optional<ExecutorId> executor;
  std::optional<int> status;
};
struct MasterError {
  std::string message;
};
struct Disconnected {
};  // not the master's word: the client's, when the stream ended or went silent
using Event = std::variant<Subscribed, Heartbeat, Offers, Rescind, Update, UpdateOperation,
                           ExecutorMessage, Failure, MasterError, Disconnected>;

}  // namespace mysos::mesos
