// SPDX-License-Identifier: Apache-2.0
#include "mesos/call_codec.h"

#include <algorithm>

#include "mesos/info_codec.h"
#include "mesos/wire.h"

namespace mysos::mesos {
using namespace wire;

namespace {

double seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }

json::array encode_offer_ids(const std::vector<OfferId>& offers) {
  json::array list;
  for (const OfferId& offer : offers) list.push_back(id(offer));
  return list;
}

json::object filters(Duration refuse) { return {{"refuse_seconds", seconds(refuse)}}; }

struct EncodeOperation {
  json::object& o;
  const std::optional<FrameworkId>& framework;

  void put(std::string_view type, std::string_view key, std::string_view list,
           const Resources& resources) const {
    o["type"] = type;
    o[key] = json::object{{list, encode_resources(resources)}};
  }
  void operator()(const Reserve& r) const { put("RESERVE", "reserve", "resources", r.resources); }
  void operator()(const Unreserve& r) const {
    put("UNRESERVE", "unreserve", "resources", r.resources);
  }
  void operator()(const Create& c) const { put("CREATE", "create", "volumes", c.volumes); }
  void operator()(const Destroy& d) const { put("DESTROY", "destroy", "volumes", d.volumes); }
  void operator()(const Launch& l) const {
    json::array tasks;
    for (const TaskInfo& task : l.tasks) tasks.push_back(encode_task(task, framework));
    o["type"] = "LAUNCH";
    o["launch"] = json::object{{"task_infos", std::move(tasks)}};
  }
};

struct EncodeCall {
  json::object& o;
  const std::optional<FrameworkId>& framework;

  void operator()(const Subscribe& c) const {
    o["type"] = "SUBSCRIBE";
    o["subscribe"] = json::object{{"framework_info", encode_framework(c.framework)}};
  }
  void operator()(const Accept& c) const {
    json::array operations;
    for (const Operation& operation : c.operations) {
      json::object one;
      std::visit(EncodeOperation{one, framework}, operation.what);
      if (!operation.id.empty()) one["id"] = id(operation.id);
      operations.push_back(std::move(one));
    }
    o["type"] = "ACCEPT";
    o["accept"] = json::object{{"offer_ids", encode_offer_ids(c.offers)},
                               {"operations", std::move(operations)},
                               {"filters", filters(c.refuse)}};
  }
  void operator()(const Decline& c) const {
    o["type"] = "DECLINE";
    o["decline"] =
        json::object{{"offer_ids", encode_offer_ids(c.offers)}, {"filters", filters(c.refuse)}};
  }
  void operator()(const Revive&) const { o["type"] = "REVIVE"; }
  void operator()(const Suppress&) const { o["type"] = "SUPPRESS"; }
  void operator()(const Kill& c) const {
    json::object kill{{"task_id", id(c.task)}};
    put_id(kill, "agent_id", c.agent);
    if (c.grace) kill["kill_policy"] = json::object{{"grace_period", duration(*c.grace)}};
    o["type"] = "KILL";
    o["kill"] = std::move(kill);
  }
  void operator()(const Shutdown& c) const {
    o["type"] = "SHUTDOWN";
    o["shutdown"] = json::object{{"executor_id", id(c.executor)}, {"agent_id", id(c.agent)}};
  }
  void operator()(const Acknowledge& c) const {
    o["type"] = "ACKNOWLEDGE";
    o["acknowledge"] =
        json::object{{"agent_id", id(c.agent)}, {"task_id", id(c.task)}, {"uuid", c.uuid}};
  }
  void operator()(const AcknowledgeOperation& c) const {
    json::object ack{{"operation_id", id(c.operation)}, {"uuid", c.uuid}};
    put_id(ack, "agent_id", c.agent);
    o["type"] = "ACKNOWLEDGE_OPERATION_STATUS";
    o["acknowledge_operation_status"] = std::move(ack);
  }
  void operator()(const Reconcile& c) const {
    json::array tasks;
    for (const auto& [task, agent] : c.tasks) {
      json::object one{{"task_id", id(task)}};
      put_id(one, "agent_id", agent);
      tasks.push_back(std::move(one));
    }
    o["type"] = "RECONCILE";
    o["reconcile"] = json::object{{"tasks", std::move(tasks)}};
  }
  void operator()(const ReconcileOperations& c) const {
    json::array operations;
    for (const auto& [operation, agent] : c.operations) {
      json::object one{{"operation_id", id(operation)}};
      put_id(one, "agent_id", agent);
      operations.push_back(std::move(one));
    }
    o["type"] = "RECONCILE_OPERATIONS";
    o["reconcile_operations"] = json::object{{"operations", std::move(operations)}};
  }
  void operator()(const Message& c) const {
    o["type"] = "MESSAGE";
    o["message"] = json::object{
        {"agent_id", id(c.agent)}, {"executor_id", id(c.executor)}, {"data", base64(c.data)}};
  }
  void operator()(const Teardown&) const { o["type"] = "TEARDOWN"; }
};

std::unexpected<Error> invalid(const std::string& why) {
  return fail(Errc::kInvalid, "Failed to validate scheduler::Call: " + why);
}
std::unexpected<Error> unconvertible(const std::string& why) {
  return fail(Errc::kInvalid, "Failed to convert JSON into Call protobuf: " + why);
}

Resources resources_at(const json::object& o, std::string_view key) {
  const auto* list = array_at(o, key);
  return list == nullptr ? Resources{} : decode_resources(*list);
}

std::vector<OfferId> offer_ids_at(const json::object& o) {
  std::vector<OfferId> out;
  if (const auto* list = array_at(o, "offer_ids")) {
    for (const auto& entry : *list) {
      if (const auto* one = entry.if_object()) out.emplace_back(string_at(*one, "value"));
    }
  }
  return out;
}

Duration refuse_at(const json::object& o) {
  const auto* inner = object_at(o, "filters");
  if (inner == nullptr) return kDefaultRefuse;
  const double value = std::clamp(number_at(*inner, "refuse_seconds", 5.0), 0.0, 31536000.0);
  return Duration(static_cast<Duration::rep>(value * 1e6));
}

std::optional<Operation> decode_operation(const json::object& o) {
  static const json::object kEmpty;
  const auto body = [&](std::string_view key) -> const json::object& {
    const auto* inner = object_at(o, key);
    return inner == nullptr ? kEmpty : *inner;
  };
  Operation operation;
  operation.id = id_at<OperationId>(o, "id");
  const std::string type = string_at(o, "type");
  if (type == "RESERVE") {
    operation.what = Reserve{resources_at(body("reserve"), "resources")};
  } else if (type == "UNRESERVE") {
    operation.what = Unreserve{resources_at(body("unreserve"), "resources")};
  } else if (type == "CREATE") {
    operation.what = Create{resources_at(body("create"), "volumes")};
  } else if (type == "DESTROY") {
    operation.what = Destroy{resources_at(body("destroy"), "volumes")};
  } else if (type == "LAUNCH") {
    Launch launch;
    if (const auto* list = array_at(body("launch"), "task_infos")) {
      for (const auto& entry : *list) {
        if (const auto* task = entry.if_object()) launch.tasks.push_back(decode_task(*task));
      }
    }
    operation.what = std::move(launch);
  } else {
    return std::nullopt;
  }
  return operation;
}

Result<Call> decode_subscribe(const json::object& o, const std::optional<FrameworkId>& framework) {
  const auto* body = object_at(o, "subscribe");
  if (body == nullptr) return invalid("Expecting 'subscribe' to be present");
  const auto* info = object_at(*body, "framework_info");
  if (info == nullptr) return unconvertible("Missing required fields: subscribe.framework_info");
  std::string missing;
  for (const char* field : {"user", "name"}) {
    if (info->contains(field)) continue;
    missing += (missing.empty() ? "" : ", ") + std::string("subscribe.framework_info.") + field;
  }
  if (!missing.empty()) return unconvertible("Missing required fields: " + missing);
  Subscribe subscribe{decode_framework(*info)};
  if (framework != subscribe.framework.id) {
    return invalid("'framework_id' differs from 'subscribe.framework_info.id'");
  }
  return Call(std::move(subscribe));
}

Result<Call> decode_accept(const json::object& body) {
  Accept accept{offer_ids_at(body), {}, refuse_at(body)};
  if (const auto* list = array_at(body, "operations")) {
    for (const auto& entry : *list) {
      const auto* one = entry.if_object();
      auto operation = one == nullptr ? std::nullopt : decode_operation(*one);
      if (!operation)
        return fail(Errc::kNotFound, "this operation is not part of the embedded Mesos");
      accept.operations.push_back(*std::move(operation));
    }
  }
  return Call(std::move(accept));
}

// The uuid of an acknowledgement; an object in its place is a mistake that Mesos names.
Result<std::string> ack_uuid(const json::object& body) {
  const auto* uuid = body.if_contains("uuid");
  if (uuid != nullptr && uuid->is_object())
    return unconvertible("Not expecting a JSON object for field 'uuid'");
  std::string text = string_at(body, "uuid");
  if (!is_uuid(text)) return invalid("Not a valid UUID");
  return text;
}

template <class Id>
std::vector<std::pair<Id, std::optional<AgentId>>> pairs_at(const json::object& body,
                                                            std::string_view list_key,
                                                            std::string_view id_key) {
  std::vector<std::pair<Id, std::optional<AgentId>>> out;
  if (const auto* list = array_at(body, list_key)) {
    for (const auto& entry : *list) {
      if (const auto* one = entry.if_object()) {
        out.emplace_back(id_at<Id>(*one, id_key), optional_id_at<AgentId>(*one, "agent_id"));
      }
    }
  }
  return out;
}

Result<Call> decode_acknowledge(const json::object& body) {
  MYSOS_TRY(std::string uuid, ack_uuid(body));
  return Call(Acknowledge{id_at<AgentId>(body, "agent_id"), id_at<TaskId>(body, "task_id"),
                          std::move(uuid)});
}

Result<Call> decode_acknowledge_operation(const json::object& body) {
  MYSOS_TRY(std::string uuid, ack_uuid(body));
  return Call(AcknowledgeOperation{id_at<OperationId>(body, "operation_id"), std::move(uuid),
                                   optional_id_at<AgentId>(body, "agent_id")});
}

Result<Call> decode_kill(const json::object& body) {
  Kill kill{id_at<TaskId>(body, "task_id"), optional_id_at<AgentId>(body, "agent_id"),
            std::nullopt};
  if (const auto* policy = object_at(body, "kill_policy"))
    kill.grace = duration_at(*policy, "grace_period");
  return Call(std::move(kill));
}

struct BodyKind {
  std::string_view type;
  std::string_view field;
  Result<Call> (*decode)(const json::object& body);
};
const BodyKind kBodies[] = {
    {"ACCEPT", "accept", decode_accept},
    {"DECLINE", "decline",
     [](const json::object& b) -> Result<Call> {
       return Call(Decline{offer_ids_at(b), refuse_at(b)});
     }},
    {"KILL", "kill", decode_kill},
    {"SHUTDOWN", "shutdown",
     [](const json::object& b) -> Result<Call> {
       return Call(Shutdown{id_at<ExecutorId>(b, "executor_id"), id_at<AgentId>(b, "agent_id")});
     }},
    {"ACKNOWLEDGE", "acknowledge", decode_acknowledge},
    {"ACKNOWLEDGE_OPERATION_STATUS", "acknowledge_operation_status", decode_acknowledge_operation},
    {"RECONCILE", "reconcile",
     [](const json::object& b) -> Result<Call> {
       return Call(Reconcile{pairs_at<TaskId>(b, "tasks", "task_id")});
     }},
    {"RECONCILE_OPERATIONS", "reconcile_operations",
     [](const json::object& b) -> Result<Call> {
       return Call(ReconcileOperations{pairs_at<OperationId>(b, "operations", "operation_id")});
     }},
    {"MESSAGE", "message",
     [](const json::object& b) -> Result<Call> {
       return Call(Message{id_at<AgentId>(b, "agent_id"), id_at<ExecutorId>(b, "executor_id"),
                           unbase64(string_at(b, "data"))});
     }},
};
constexpr std::string_view kForeign[] = {"ACCEPT_INVERSE_OFFERS", "DECLINE_INVERSE_OFFERS",
                                         "REQUEST", "UPDATE_FRAMEWORK"};

Result<Call> decode_body(const std::string& type, const json::object& o) {
  if (type == "REVIVE") return Call(Revive{});
  if (type == "SUPPRESS") return Call(Suppress{});
  if (type == "TEARDOWN") return Call(Teardown{});
  for (const BodyKind& kind : kBodies) {
    if (kind.type != type) continue;
    const auto* body = object_at(o, kind.field);
    if (body == nullptr)
      return invalid("Expecting '" + std::string(kind.field) + "' to be present");
    return kind.decode(*body);
  }
  return fail(Errc::kNotFound, type + " is not part of the embedded Mesos");
}

bool known(std::string_view type) {
  if (type == "SUBSCRIBE" || type == "REVIVE" || type == "SUPPRESS" || type == "TEARDOWN")
    return true;
  return std::ranges::any_of(kBodies, [&](const BodyKind& k) { return k.type == type; }) ||
         std::ranges::find(kForeign, type) != std::end(kForeign);
}

}  // namespace

json::object encode_call(const Call& call, const std::optional<FrameworkId>& framework) {
  json::object o;
  std::visit(EncodeCall{o, framework}, call);
  put_id(o, "framework_id", framework);
  return o;
}

Result<AddressedCall> decode_call(const json::value& body) {
  const auto* o = body.if_object();
  if (o == nullptr) return unconvertible("Expecting a JSON object");
  AddressedCall out;
  out.framework = optional_id_at<FrameworkId>(*o, "framework_id");
  const std::string type = string_at(*o, "type");
  if (!known(type)) return invalid("Expecting 'type' to be present");
  if (type == "SUBSCRIBE") {
    MYSOS_TRY(out.call, decode_subscribe(*o, out.framework));
    return out;
  }
  if (!out.framework) return invalid("Expecting 'framework_id' to be present");
  MYSOS_TRY(out.call, decode_body(type, *o));
  return out;
}

}  // namespace mysos::mesos
