// SPDX-License-Identifier: Apache-2.0
#include "mesos/info_codec.h"

#include <fmt/format.h>

#include <cmath>

#include "mesos/wire.h"

namespace mysos::mesos {
using namespace wire;

namespace {

json::object encode_reservation(const Reservation& r) {
  json::object o{{"type", "DYNAMIC"}, {"role", r.role}};
  put_text(o, "principal", r.principal);
  if (!r.labels.empty()) o["labels"] = labels(r.labels);
  return o;
}

json::object encode_resource(const Resource& r) {
  json::object o{{"name", r.name}};
  if (r.is_ranges()) {
    json::array list;
    for (const Range& range : r.ranges)
      list.push_back(json::object{{"begin", range.begin}, {"end", range.end}});
    o["type"] = "RANGES";
    o["ranges"] = json::object{{"range", std::move(list)}};
  } else {
    o["type"] = "SCALAR";
    o["scalar"] = json::object{{"value", static_cast<double>(r.milli) / 1000.0}};
  }
  if (!r.allocation_role.empty()) o["allocation_info"] = json::object{{"role", r.allocation_role}};
  if (!r.reservations.empty()) {
    json::array stack;
    for (const Reservation& one : r.reservations) stack.push_back(encode_reservation(one));
    o["reservations"] = std::move(stack);
  }
  if (r.volume) {
    json::object persistence{{"id", r.volume->id.value}};
    put_text(persistence, "principal", r.volume->principal);
    o["disk"] = json::object{
        {"persistence", std::move(persistence)},
        {"volume", json::object{{"container_path", r.volume->container_path}, {"mode", "RW"}}}};
  }
  return o;
}

bool decode_reservations(const json::object& o, Resource& r) {
  const auto* stack = array_at(o, "reservations");
  if (stack == nullptr) return true;
  for (const auto& entry : *stack) {
    const auto* one = entry.if_object();
    if (one == nullptr || string_at(*one, "type") == "STATIC") return false;
    r.reservations.push_back(
        {string_at(*one, "role"), string_at(*one, "principal"), labels_at(*one, "labels")});
  }
  return true;
}

bool decode_disk(const json::object& o, Resource& r) {
  const auto* disk = object_at(o, "disk");
  if (disk == nullptr) return true;
  if (disk->contains("source")) return false;
  const auto* persistence = object_at(*disk, "persistence");
  if (persistence == nullptr) return true;
  Volume v;
  v.id = VolumeId(string_at(*persistence, "id"));
  v.principal = string_at(*persistence, "principal");
  if (const auto* volume = object_at(*disk, "volume"))
    v.container_path = string_at(*volume, "container_path");
  r.volume = std::move(v);
  return true;
}

bool decode_resource(const json::object& o, Resource& r) {
  if (o.contains("revocable") || o.contains("shared")) return false;
  r.name = string_at(o, "name");
  if (const auto* scalar_value = object_at(o, "scalar")) {
    r.milli = std::llround(number_at(*scalar_value, "value") * 1000.0);
  } else if (const auto* ranges = object_at(o, "ranges")) {
    if (const auto* list = array_at(*ranges, "range")) {
      for (const auto& entry : *list) {
        const auto* range = entry.if_object();
        if (range == nullptr) return false;
        r.ranges.push_back({static_cast<std::uint64_t>(number_at(*range, "begin")),
                            static_cast<std::uint64_t>(number_at(*range, "end"))});
      }
    }
  } else {
    return false;
  }
  if (const auto* allocation = object_at(o, "allocation_info"))
    r.allocation_role = string_at(*allocation, "role");
  return decode_reservations(o, r) && decode_disk(o, r);
}

json::object encode_discovery(const Discovery& d) {
  json::array list;
  for (const auto& [name, number] : d.ports) {
    list.push_back(json::object{{"number", number}, {"name", name}, {"protocol", "tcp"}});
  }
  return {{"visibility", "CLUSTER"},
          {"name", d.name},
          {"ports", json::object{{"ports", std::move(list)}}}};
}

Discovery decode_discovery(const json::object& o) {
  Discovery d;
  d.name = string_at(o, "name");
  const auto* outer = object_at(o, "ports");
  const auto* list = outer == nullptr ? nullptr : array_at(*outer, "ports");
  if (list == nullptr) return d;
  for (const auto& entry : *list) {
    if (const auto* port = entry.if_object()) {
      d.ports.emplace_back(string_at(*port, "name"),
                           static_cast<std::uint16_t>(number_at(*port, "number")));
    }
  }
  return d;
}

}  // namespace

json::array encode_resources(const Resources& resources) {
  json::array out;
  for (const Resource& r : resources.list()) out.push_back(encode_resource(r));
  return out;
}

Resources decode_resources(const json::array& list) {
  std::vector<Resource> out;
  for (const auto& entry : list) {
    Resource r;
    const auto* o = entry.if_object();
    if (o != nullptr && decode_resource(*o, r)) out.push_back(std::move(r));
  }
  return Resources(out);
}

json::object encode_framework(const FrameworkInfo& info) {
  json::object o{{"user", info.user}, {"name", info.name}};
  put_id(o, "id", info.id);
  o["failover_timeout"] = info.failover_timeout_s;
  o["checkpoint"] = info.checkpoint;
  o["roles"] = json::array{json::string(info.role)};
  put_text(o, "hostname", info.hostname);
  put_text(o, "principal", info.principal);
  put_text(o, "webui_url", info.webui_url);
  json::array list;
  for (const auto& name : info.capabilities) list.push_back(json::object{{"type", name}});
  o["capabilities"] = std::move(list);
  return o;
}

FrameworkInfo decode_framework(const json::object& o) {
  FrameworkInfo info;
  info.user = string_at(o, "user");
  info.name = string_at(o, "name");
  info.id = optional_id_at<FrameworkId>(o, "id");
  info.failover_timeout_s = number_at(o, "failover_timeout");
  if (const auto* v = o.if_contains("checkpoint")) info.checkpoint = v->is_bool() && v->get_bool();
  if (const auto* list = array_at(o, "roles");
      list != nullptr && !list->empty() && list->front().is_string()) {
    info.role = std::string(list->front().get_string());
  } else {
    info.role = string_at(o, "role");
  }
  info.hostname = string_at(o, "hostname");
  info.principal = string_at(o, "principal");
  info.webui_url = string_at(o, "webui_url");
  if (const auto* list = array_at(o, "capabilities")) {
    for (const auto& entry : *list) {
      const auto* one = entry.if_object();
      if (one != nullptr && one->contains("type"))
        info.capabilities.push_back(string_at(*one, "type"));
    }
  }
  return info;
}

json::object encode_executor(const TaskInfo& task, const std::optional<FrameworkId>& framework) {
  json::object o{{"type", "CUSTOM"}, {"executor_id", id(task.executor)}};
  put_id(o, "framework_id", framework);
  o["name"] = task.executor.value;
  o["source"] = "mysos";
  json::object command{{"shell", true}, {"value", task.executor_command}};
  put_text(command, "user", task.executor_user);
  if (!task.executor_env.empty()) {
    json::array list;
    for (const auto& [name, value] : task.executor_env) {
      list.push_back(json::object{{"name", name}, {"type", "VALUE"}, {"value", value}});
    }
    command["environment"] = json::object{{"variables", std::move(list)}};
  }
  o["command"] = std::move(command);
  o["resources"] = encode_resources(task.executor_resources);
  if (task.shutdown_grace > Duration::zero())
    o["shutdown_grace_period"] = duration(task.shutdown_grace);
  return o;
}

void decode_executor(const json::object& o, TaskInfo& into) {
  into.executor = id_at<ExecutorId>(o, "executor_id");
  if (const auto* list = array_at(o, "resources"))
    into.executor_resources = decode_resources(*list);
  into.shutdown_grace = duration_at(o, "shutdown_grace_period").value_or(Duration::zero());
  const auto* command = object_at(o, "command");
  if (command == nullptr) return;
  into.executor_command = string_at(*command, "value");
  into.executor_user = string_at(*command, "user");
  const auto* environment = object_at(*command, "environment");
  const auto* list = environment == nullptr ? nullptr : array_at(*environment, "variables");
  if (list == nullptr) return;
  for (const auto& entry : *list) {
    if (const auto* variable = entry.if_object()) {
      into.executor_env[string_at(*variable, "name")] = string_at(*variable, "value");
    }
  }
}

json::object encode_task(const TaskInfo& task, const std::optional<FrameworkId>& framework) {
  json::object o{{"name", task.name}, {"task_id", id(task.id)}, {"agent_id", id(task.agent)}};
  o["resources"] = encode_resources(task.resources);
  if (!task.executor.empty() || !task.executor_command.empty())
    o["executor"] = encode_executor(task, framework);
  if (!task.data.empty()) o["data"] = base64(task.data);
  if (task.kill_grace > Duration::zero())
    o["kill_policy"] = json::object{{"grace_period", duration(task.kill_grace)}};
  if (!task.labels.empty()) o["labels"] = labels(task.labels);
  if (task.discovery != Discovery{}) o["discovery"] = encode_discovery(task.discovery);
  return o;
}

TaskInfo decode_task(const json::object& o) {
  TaskInfo task;
  task.name = string_at(o, "name");
  task.id = id_at<TaskId>(o, "task_id");
  task.agent = id_at<AgentId>(o, "agent_id");
  if (const auto* list = array_at(o, "resources")) task.resources = decode_resources(*list);
  if (const auto* executor = object_at(o, "executor")) decode_executor(*executor, task);
  task.data = unbase64(string_at(o, "data"));
  if (const auto* policy = object_at(o, "kill_policy")) {
    task.kill_grace = duration_at(*policy, "grace_period").value_or(Duration::zero());
  }
  task.labels = labels_at(o, "labels");
  if (const auto* discovery = object_at(o, "discovery"))
    task.discovery = decode_discovery(*discovery);
  return task;
}

json::object encode_offer(const Offer& offer, const FrameworkId& framework) {
  json::object o{
      {"id", id(offer.id)}, {"framework_id", id(framework)}, {"agent_id", id(offer.agent)}};
  o["hostname"] = offer.hostname;
  o["url"] = json::object{
      {"scheme", "http"},
      {"address",
       json::object{{"hostname", offer.hostname}, {"ip", offer.ip}, {"port", offer.agent_port}}},
      {"path", "/slave(1)"}};
  o["resources"] = encode_resources(offer.resources);
  if (!offer.attributes.empty()) {
    json::array list;
    for (const auto& [name, text] : offer.attributes) {
      list.push_back(
          json::object{{"name", name}, {"type", "TEXT"}, {"text", json::object{{"value", text}}}});
    }
    o["attributes"] = std::move(list);
  }
  o["allocation_info"] = json::object{{"role", offer.role}};
  return o;
}

Offer decode_offer(const json::object& o) {
  Offer offer;
  offer.id = id_at<OfferId>(o, "id");
  offer.agent = id_at<AgentId>(o, "agent_id");
  offer.hostname = string_at(o, "hostname");
  if (const auto* url = object_at(o, "url")) {
    if (const auto* address = object_at(*url, "address")) {
      offer.ip = string_at(*address, "ip");
      offer.agent_port = static_cast<std::uint16_t>(number_at(*address, "port"));
    }
  }
  if (const auto* allocation = object_at(o, "allocation_info"))
    offer.role = string_at(*allocation, "role");
  if (const auto* list = array_at(o, "attributes")) {
    for (const auto& entry : *list) {
      const auto* attribute = entry.if_object();
      if (attribute == nullptr) continue;
      const std::string name = string_at(*attribute, "name");
      if (const auto* text = object_at(*attribute, "text")) {
        offer.attributes[name] = string_at(*text, "value");
      } else if (const auto* scalar_value = object_at(*attribute, "scalar")) {
        offer.attributes[name] = fmt::format("{:g}", number_at(*scalar_value, "value"));
      }
    }
  }
  if (const auto* list = array_at(o, "resources")) offer.resources = decode_resources(*list);
  return offer;
}

json::object encode_status(const Update& u) {
  json::object o{{"task_id", id(u.task)}, {"state", enum_text(u.state)}};
  put_text(o, "message", u.message);
  put_text(o, "source", u.source);
  put_text(o, "reason", u.reason);
  if (!u.data.empty()) o["data"] = base64(u.data);
  put_id(o, "agent_id", u.agent);
  put_id(o, "executor_id", u.executor);
  if (u.timestamp != 0) o["timestamp"] = u.timestamp;
  put_text(o, "uuid", u.uuid);
  return o;
}

Update decode_status(const json::object& o) {
  Update u;
  u.task = id_at<TaskId>(o, "task_id");
  u.state = enum_value<TaskState>(string_at(o, "state")).value_or(TaskState::kUnknown);
  u.agent = optional_id_at<AgentId>(o, "agent_id");
  u.executor = optional_id_at<ExecutorId>(o, "executor_id");
  u.source = string_at(o, "source");
  u.reason = string_at(o, "reason");
  u.message = string_at(o, "message");
  u.uuid = string_at(o, "uuid");
  u.timestamp = number_at(o, "timestamp");
  u.data = unbase64(string_at(o, "data"));
  return u;
}

}  // namespace mysos::mesos
