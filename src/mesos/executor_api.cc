// SPDX-License-Identifier: Apache-2.0
#include "mesos/executor_api.h"

#include "base/assert.h"
#include "mesos/info_codec.h"
#include "mesos/wire.h"

namespace mysos::mesos::executor {
using namespace wire;

namespace {

struct EncodeCall {
  json::object& o;
  const AddressedCall& call;

  void operator()(const Subscribe& c) const {
    json::array tasks;
    json::array updates;
    for (const TaskInfo& task : c.unacknowledged_tasks)
      tasks.push_back(encode_task(task, call.framework));
    for (const Update& update : c.unacknowledged_updates) {
      updates.push_back(json::object{{"status", encode_status(update)}});
    }
    o["type"] = "SUBSCRIBE";
    o["subscribe"] = json::object{{"unacknowledged_tasks", std::move(tasks)},
                                  {"unacknowledged_updates", std::move(updates)}};
  }
  void operator()(const SendUpdate& c) const {
    o["type"] = "UPDATE";
    o["update"] = json::object{{"status", encode_status(c.status)}};
  }
  void operator()(const SendMessage& c) const {
    o["type"] = "MESSAGE";
    o["message"] = json::object{{"data", base64(c.data)}};
  }
  void operator()(const Beat&) const { o["type"] = "HEARTBEAT"; }
};

std::unexpected<Error> invalid(const std::string& why) {
  return fail(Errc::kInvalid, "Failed to validate Executor::Call: " + why);
}

Subscribe decode_subscribe(const json::object& body) {
  Subscribe subscribe;
  if (const auto* list = array_at(body, "unacknowledged_tasks")) {
    for (const auto& entry : *list) {
      if (const auto* task = entry.if_object())
        subscribe.unacknowledged_tasks.push_back(decode_task(*task));
    }
  }
  if (const auto* list = array_at(body, "unacknowledged_updates")) {
    for (const auto& entry : *list) {
      const auto* one = entry.if_object();
      const auto* status = one == nullptr ? nullptr : object_at(*one, "status");
      if (status != nullptr) subscribe.unacknowledged_updates.push_back(decode_status(*status));
    }
  }
  return subscribe;
}

Result<SendUpdate> decode_update(const json::object& body, const AddressedCall& call) {
  const auto* status = object_at(body, "status");
  if (status == nullptr) return invalid("Expecting 'status' to be present");
  if (!status->contains("uuid")) return invalid("Expecting 'uuid' to be present");
  if (!is_uuid(string_at(*status, "uuid"))) return invalid("Not a valid UUID");
  SendUpdate out{decode_status(*status)};
  const std::string who =
      "executor " + call.executor.value + " of framework " + call.framework.value;
  if (out.status.executor && *out.status.executor != call.executor) {
    return invalid("ExecutorID in Call: " + call.executor.value +
                   " does not match ExecutorID in TaskStatus: " + out.status.executor->value);
  }
  if (out.status.source != "SOURCE_EXECUTOR") {
    return invalid("Received Call from " + who +
                   " with invalid source, expecting 'SOURCE_EXECUTOR'");
  }
  if (out.status.state == TaskState::kStaging) {
    return invalid("Received TASK_STAGING from " + who + " which is not allowed");
  }
  return out;
}

struct EncodeEvent {
  json::object& o;
  const FrameworkId& framework;

  void operator()(const Subscribed& e) const {
    json::object info = encode_framework(e.framework);
    info["id"] = id(framework);
    o["type"] = "SUBSCRIBED";
    o["subscribed"] =
        json::object{{"executor_info", encode_executor(e.executor, framework)},
                     {"framework_info", std::move(info)},
                     {"agent_info", json::object{{"hostname", e.hostname}, {"id", id(e.agent)}}},
                     {"container_id", id(std::string_view(e.container_id))}};
  }
  void operator()(const LaunchTask& e) const {
    o["type"] = "LAUNCH";
    o["launch"] = json::object{{"task", encode_task(e.task, framework)}};
  }
  void operator()(const KillTask& e) const {
    json::object kill{{"task_id", id(e.task)}};
    if (e.grace) kill["kill_policy"] = json::object{{"grace_period", duration(*e.grace)}};
    o["type"] = "KILL";
    o["kill"] = std::move(kill);
  }
  void operator()(const Acknowledged& e) const {
    o["type"] = "ACKNOWLEDGED";
    o["acknowledged"] = json::object{{"task_id", id(e.task)}, {"uuid", e.uuid}};
  }
  void operator()(const Message& e) const {
    o["type"] = "MESSAGE";
    o["message"] = json::object{{"data", base64(e.data)}};
  }
  void operator()(const Shutdown&) const { o["type"] = "SHUTDOWN"; }
  void operator()(const Failed& e) const {
    o["type"] = "ERROR";
    o["error"] = json::object{{"message", e.message}};
  }
  void operator()(const Heartbeat&) const { o["type"] = "HEARTBEAT"; }
  void operator()(const Disconnected&) const {
    MYSOS_ASSERT(false, "an agent does not say that it is gone");
  }
};

Event decode_subscribed(const json::object& b) {
  Subscribed s;
  if (const auto* info = object_at(b, "executor_info")) decode_executor(*info, s.executor);
  if (const auto* info = object_at(b, "framework_info")) s.framework = decode_framework(*info);
  if (const auto* info = object_at(b, "agent_info")) {
    s.agent = id_at<AgentId>(*info, "id");
    s.hostname = string_at(*info, "hostname");
  }
  s.container_id = id_text_at(b, "container_id").value_or("");
  return s;
}

Event decode_kill(const json::object& b) {
  KillTask kill{id_at<TaskId>(b, "task_id"), std::nullopt};
  if (const auto* policy = object_at(b, "kill_policy"))
    kill.grace = duration_at(*policy, "grace_period");
  return kill;
}

Event decode_launch(const json::object& b) {
  const auto* task = object_at(b, "task");
  return LaunchTask{task == nullptr ? TaskInfo{} : decode_task(*task)};
}

struct EventKind {
  std::string_view type;
  std::string_view field;
  Event (*decode)(const json::object& body);
};
const EventKind kKinds[] = {
    {"SUBSCRIBED", "subscribed", decode_subscribed},
    {"LAUNCH", "launch", decode_launch},
    {"KILL", "kill", decode_kill},
    {"ACKNOWLEDGED", "acknowledged",
     [](const json::object& b) -> Event {
       return Acknowledged{id_at<TaskId>(b, "task_id"), string_at(b, "uuid")};
     }},
    {"MESSAGE", "message",
     [](const json::object& b) -> Event { return Message{unbase64(string_at(b, "data"))}; }},
    {"ERROR", "error",
     [](const json::object& b) -> Event { return Failed{string_at(b, "message")}; }},
};

}  // namespace

json::object encode_call(const AddressedCall& call) {
  json::object o{{"executor_id", id(call.executor)}, {"framework_id", id(call.framework)}};
  std::visit(EncodeCall{o, call}, call.call);
  return o;
}

Result<AddressedCall> decode_call(const json::value& body) {
  const auto* o = body.if_object();
  if (o == nullptr)
    return fail(Errc::kInvalid,
                "Failed to convert JSON into Call protobuf: Expecting a JSON object");
  const std::string type = string_at(*o, "type");
  AddressedCall out{id_at<ExecutorId>(*o, "executor_id"), id_at<FrameworkId>(*o, "framework_id"),
                    Beat{}};
  if (type.empty()) return invalid("Expecting 'type' to be present");
  if (!o->contains("executor_id")) return invalid("Expecting 'executor_id' to be present");
  if (!o->contains("framework_id")) return invalid("Expecting 'framework_id' to be present");
  if (type == "HEARTBEAT") return out;
  const auto expect = [&](std::string_view field) -> Result<const json::object*> {
    const auto* inner = object_at(*o, field);
    if (inner == nullptr) return invalid("Expecting '" + std::string(field) + "' to be present");
    return inner;
  };
  if (type == "SUBSCRIBE") {
    MYSOS_TRY(const auto* inner, expect("subscribe"));
    out.call = decode_subscribe(*inner);
  } else if (type == "UPDATE") {
    MYSOS_TRY(const auto* inner, expect("update"));
    MYSOS_TRY(out.call, decode_update(*inner, out));
  } else if (type == "MESSAGE") {
    MYSOS_TRY(const auto* inner, expect("message"));
    out.call = SendMessage{unbase64(string_at(*inner, "data"))};
  } else {
    return invalid("Expecting 'type' to be present");
  }
  return out;
}

json::object encode_event(const Event& event, const FrameworkId& framework) {
  json::object o;
  std::visit(EncodeEvent{o, framework}, event);
  return o;
}

Result<std::optional<Event>> decode_event(const json::value& body) {
  const auto* o = body.if_object();
  if (o == nullptr) return fail(Errc::kInvalid, "an event must be an object");
  const std::string type = string_at(*o, "type");
  if (type == "HEARTBEAT") return Heartbeat{};
  if (type == "SHUTDOWN") return Shutdown{};
  for (const EventKind& kind : kKinds) {
    if (kind.type != type) continue;
    const auto* inner = object_at(*o, kind.field);
    if (inner == nullptr) return fail(Errc::kInvalid, "the event " + type + " has no body");
    return kind.decode(*inner);
  }
  return std::nullopt;
}

}  // namespace mysos::mesos::executor
