// SPDX-License-Identifier: Apache-2.0
#include "local/operator_api.h"

#include "local/subscriber.h"
#include "mesos/info_codec.h"
#include "mesos/wire.h"

namespace mysos::local {
namespace {
using mesos::encode_resources;
namespace wire = mesos::wire;

json::object agent_json(const AgentId& id, const MasterCore::Agent& agent, const MasterCore& core) {
  const std::string pid = "slave(1)@" + agent.info.ip + ":" + std::to_string(agent.info.port);
  Resources held;
  for (const auto& [key, resources] : agent.held) held += resources;
  for (const auto& [key, info] : agent.executors) held += info.executor_resources.allocated_to("");
  Resources offered;
  for (const auto& [offer_id, offer] : core.offers()) {
    if (offer.agent == id) offered += offer.resources;
  }
  const json::object info{{"hostname", agent.info.hostname},
                          {"port", agent.info.port},
                          {"id", wire::id(id)},
                          {"checkpoint", true}};
  json::object o{{"agent_info", info}, {"active", agent.link == MasterCore::Link::kConnected}};
  o["deactivated"] = false;
  o["version"] = "1.11.0";
  o["pid"] = pid;
  o["total_resources"] = encode_resources(agent.total);
  o["allocated_resources"] = encode_resources(held);
  o["offered_resources"] = encode_resources(offered);
  return o;
}

json::object get_agents(const MasterCore& core) {
  json::array agents;
  json::array recovered;
  for (const auto& [id, agent] : core.agents()) {
    const auto link = agent.link;
    if (link == MasterCore::Link::kConnected || link == MasterCore::Link::kDisconnected) {
      agents.push_back(agent_json(id, agent, core));
    } else if (link == MasterCore::Link::kRecovered) {
      recovered.push_back(json::object{{"id", wire::id(id)}, {"hostname", agent.info.hostname}});
    }
  }
  return {{"agents", std::move(agents)}, {"recovered_agents", std::move(recovered)}};
}

json::object get_frameworks(const MasterCore& core) {
  json::array frameworks;
  for (const auto& [id, f] : core.frameworks()) {
    const bool connected = f.stream.has_value();
    frameworks.push_back(json::object{{"framework_info", mesos::encode_framework(f.info)},
                                      {"active", connected},
                                      {"connected", connected},
                                      {"recovered", false}});
  }
  return {{"frameworks", std::move(frameworks)}, {"completed_frameworks", json::array{}}};
}

json::object get_tasks(const MasterCore& core) {
  json::array tasks;
  json::array unreachable;
  for (const auto& [framework, f] : core.frameworks()) {
    for (const auto& [id, task] : f.tasks) {
      json::object o{{"name", task.info.name},
                     {"task_id", wire::id(id)},
                     {"framework_id", wire::id(framework)},
                     {"executor_id", wire::id(task.info.executor)},
                     {"agent_id", wire::id(task.info.agent)},
                     {"state", mysos::enum_text(task.state)},
                     {"resources", encode_resources(task.info.resources)}};
      (task.unreachable ? unreachable : tasks).push_back(std::move(o));
    }
  }
  return {{"tasks", std::move(tasks)}, {"unreachable_tasks", std::move(unreachable)}};
}

HttpResponse answer(const std::string& type, std::string_view field, json::object content) {
  return json_response(200,
                       json::serialize(json::object{{"type", type}, {field, std::move(content)}}));
}

std::string id_in(const json::object& o, std::string_view body, std::string_view key) {
  const auto* inner = wire::object_at(o, body);
  return inner == nullptr ? std::string() : wire::id_text_at(*inner, key).value_or("");
}

OperatorAnswer only(HttpResponse response) { return {std::move(response), std::nullopt}; }

}  // namespace

OperatorAnswer operator_call(const json::value& body, const MasterCore& core,
                             const mesos::MasterAddress& address) {
  const auto* o = body.if_object();
  const std::string type = o == nullptr ? "" : wire::string_at(*o, "type");
  if (type == "GET_HEALTH") return only(answer(type, "get_health", {{"healthy", true}}));
  if (type == "GET_VERSION") {
    return only(
        answer(type, "get_version",
               {{"version_info", json::object{{"version", "1.11.0"}, {"build_user", "mysos"}}}}));
  }
  if (type == "GET_MASTER") {
    return only(answer(type, "get_master",
                       {{"master_info", mesos::encode_master(core.master_id(), address)}}));
  }
  if (type == "GET_AGENTS") return only(answer(type, "get_agents", get_agents(core)));
  if (type == "GET_FRAMEWORKS") return only(answer(type, "get_frameworks", get_frameworks(core)));
  if (type == "GET_TASKS") return only(answer(type, "get_tasks", get_tasks(core)));
  if (type == "MARK_AGENT_GONE") {
    const AgentId id(id_in(*o, "mark_agent_gone", "agent_id"));
    if (!core.agents().contains(id)) return only(plain_text(404, "Agent not found"));
    return {HttpResponse{200, {}, ""}, MarkAgentGone{id}};
  }
  if (type == "TEARDOWN") {
    const FrameworkId id(id_in(*o, "teardown", "framework_id"));
    if (!core.frameworks().contains(id))
      return only(plain_text(400, "No framework found with specified ID"));
    return {HttpResponse{200, {}, ""}, TeardownFramework{id}};
  }
  return only(plain_text(400, "Failed to validate master::Call: Expecting 'type' to be present"));
}

}  // namespace mysos::local
