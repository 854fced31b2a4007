// SPDX-License-Identifier: Apache-2.0
#include "local/agent_state.h"

#include "base/json.h"
#include "mesos/info_codec.h"
#include "mesos/wire.h"

namespace mysos::local {
namespace wire = mesos::wire;
namespace {

json::object executor_json(const ExecutorRecord& e) {
  return {{"framework", e.framework.value},
          {"framework_info", mesos::encode_framework(e.framework_info)},
          {"info", mesos::encode_task(e.info, e.framework)},
          {"container", e.container},
          {"sandbox", e.sandbox},
          {"pid", e.pid},
          {"start_time", e.start_time},
          {"token_hash", e.token_hash}};
}

ExecutorRecord executor_from(const json::object& o) {
  ExecutorRecord e;
  e.framework = FrameworkId(wire::string_at(o, "framework"));
  if (const auto* info = wire::object_at(o, "framework_info"))
    e.framework_info = mesos::decode_framework(*info);
  if (const auto* info = wire::object_at(o, "info")) e.info = mesos::decode_task(*info);
  e.container = wire::string_at(o, "container");
  e.sandbox = wire::string_at(o, "sandbox");
  e.pid = static_cast<std::int64_t>(wire::number_at(o, "pid"));
  e.start_time = static_cast<std::uint64_t>(wire::number_at(o, "start_time"));
  e.token_hash = wire::string_at(o, "token_hash");
  return e;
}

json::object task_json(const TaskRecord& t) {
  json::array pending;
  for (const auto& update : t.pending) pending.push_back(mesos::encode_status(update));
  return {{"framework", t.framework.value}, {"info", mesos::encode_task(t.info, t.framework)},
          {"state", enum_text(t.state)},    {"delivered", t.delivered},
          {"last_uuid", t.last_uuid},       {"pending", std::move(pending)}};
}

TaskRecord task_from(const json::object& o) {
  TaskRecord t;
  t.framework = FrameworkId(wire::string_at(o, "framework"));
  if (const auto* info = wire::object_at(o, "info")) t.info = mesos::decode_task(*info);
  t.state = enum_value<mesos::TaskState>(wire::string_at(o, "state"))
                .value_or(mesos::TaskState::kUnknown);
  if (const auto* v = o.if_contains("delivered")) t.delivered = v->is_bool() && v->get_bool();
  t.last_uuid = wire::string_at(o, "last_uuid");
  if (const auto* list = wire::array_at(o, "pending")) {
    for (const auto& entry : *list) {
      if (const auto* status = entry.if_object())
        t.pending.push_back(mesos::decode_status(*status));
    }
  }
  return t;
}

json::object operation_json(const AgentOperation& op) {
  return {{"framework", op.framework.value},
          {"operation", op.status.operation.value},
          {"state", enum_text(op.status.state)},
          {"uuid", op.status.uuid},
          {"message", op.status.message}};
}

AgentOperation operation_from(const json::object& o) {
  AgentOperation op;
  op.framework = FrameworkId(wire::string_at(o, "framework"));
  op.status.operation = OperationId(wire::string_at(o, "operation"));
  op.status.state = enum_value<mesos::OperationState>(wire::string_at(o, "state"))
                        .value_or(mesos::OperationState::kUnknown);
  op.status.uuid = wire::string_at(o, "uuid");
  op.status.message = wire::string_at(o, "message");
  return op;
}

template <class T>
void read_list(const json::object& o, std::string_view key, std::vector<T>& into,
               T (*read)(const json::object&)) {
  const auto* list = wire::array_at(o, key);
  if (list == nullptr) return;
  for (const auto& entry : *list) {
    if (const auto* one = entry.if_object()) into.push_back(read(*one));
  }
}

}  // namespace

std::string encode_state(const AgentState& state) {
  json::array executors;
  json::array tasks;
  json::array operations;
  for (const auto& e : state.executors) executors.push_back(executor_json(e));
  for (const auto& t : state.tasks) tasks.push_back(task_json(t));
  for (const auto& op : state.operations) operations.push_back(operation_json(op));
  return json::serialize(json::object{{"id", state.id.value},
                                      {"gone", state.gone},
                                      {"total", mesos::encode_resources(state.total)},
                                      {"executors", std::move(executors)},
                                      {"tasks", std::move(tasks)},
                                      {"operations", std::move(operations)},
                                      {"old_sandboxes", to_json(state.old_sandboxes)},
                                      {"doomed_volumes", to_json(state.doomed_volumes)}});
}

Result<AgentState> decode_state(std::string_view text) {
  MYSOS_TRY(const json::value document, parse_json(text));
  const auto* o = document.if_object();
  if (o == nullptr) return fail(Errc::kInvalid, "the agent's state must be an object");
  AgentState state;
  state.id = AgentId(wire::string_at(*o, "id"));
  if (const auto* v = o->if_contains("gone")) state.gone = v->is_bool() && v->get_bool();
  if (const auto* list = wire::array_at(*o, "total")) state.total = mesos::decode_resources(*list);
  read_list(*o, "executors", state.executors, executor_from);
  read_list(*o, "tasks", state.tasks, task_from);
  read_list(*o, "operations", state.operations, operation_from);
  if (const auto* list = o->if_contains("old_sandboxes")) {
    MYSOS_TRY(state.old_sandboxes, from_json<std::vector<std::string>>(*list));
  }
  if (const auto* list = o->if_contains("doomed_volumes")) {
    MYSOS_TRY(state.doomed_volumes, from_json<std::vector<std::string>>(*list));
  }
  return state;
}

}  // namespace mysos::local
