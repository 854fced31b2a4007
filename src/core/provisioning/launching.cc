// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/launching.h"

#include <charconv>

namespace mysos {
namespace {

constexpr double kFailoverTimeoutS = 14.0 * 24 * 3600;
// Mesos kills the container at the end of it; the executor needs a little of it for itself.
constexpr Duration kShutdownMargin = std::chrono::seconds(5);

MemberSpec spec_of(const Cluster& cluster, const Member& member, const SchedulerConfig& config) {
  const Place& at = member.place();
  const Granted& granted = *member.granted;
  MemberSpec spec;
  spec.cluster = cluster.id;
  spec.cluster_name = cluster.spec.name;
  spec.member = member.id;
  spec.task = member.task;
  spec.index = member.index;
  spec.version = granted.version;
  spec.flavour = cluster.spec.flavour;
  spec.cpus_milli = granted.size.cpus_milli;
  spec.mem = granted.size.mem;
  spec.disk = granted.size.disk;
  spec.bind = at.ip;
  spec.port = at.port;
  spec.api_port = at.api_port;
  spec.admin_port = at.admin_port;
  spec.token_hash = cluster.token_hash;
  spec.any_engine = granted.any_engine;
  spec.members = cluster.spec.members;
  spec.user = cluster.spec.user;
  spec.created = cluster.created;
  spec.hostname = at.hostname;
  spec.resource_id = at.resource_id;
  spec.volume = at.volume;
  spec.volume_name = member.volume_name;
  spec.key_id = config.key_id;
  spec.server_id = member.server_id;
  return spec;
}

}  // namespace

TaskId task_id_of(const Cluster& cluster, const Member& member) {
  return TaskId(cluster.spec.name + "." + cluster.id.value + "." + std::to_string(member.index) + "." +
                std::to_string(member.launches));
}

std::optional<TaskName> parse_task_id(const TaskId& task) {
  const std::string& text = task.value;
  const auto last = text.rfind('.');
  const auto second = last == std::string::npos || last == 0 ? last : text.rfind('.', last - 1);
  const auto first = second == std::string::npos || second == 0 ? second : text.rfind('.', second - 1);
  if (last == std::string::npos || second == std::string::npos || first == std::string::npos) return std::nullopt;
  TaskName name;
  const auto number = [&](std::size_t from, std::size_t to, auto& into) {
    const auto [end, ec] = std::from_chars(text.data() + from, text.data() + to, into);
    return ec == std::errc() && end == text.data() + to;
  };
  if (!number(second + 1, last, name.index) || !number(last + 1, text.size(), name.launches)) return std::nullopt;
  name.cluster_name = text.substr(0, first);
  name.cluster = ClusterId(text.substr(first + 1, second - first - 1));
  return name;
}

mesos::TaskInfo task_of(const Cluster& cluster, const Member& member, const Resources& resources,
                        const SchedulerConfig& config) {
  mesos::TaskInfo task;
  task.id = member.task;
  task.name = cluster.spec.name + "." + std::to_string(member.index);
  task.agent = member.place().agent;
  task.resources = resources;
  task.executor = ExecutorId(member.task.value);
  task.executor_command = config.executor_command;
  task.executor_env = config.executor_env;
  task.shutdown_grace = config.kill_grace + kShutdownMargin;
  task.kill_grace = config.kill_grace;
  task.data = to_json_text(spec_of(cluster, member, config));
  task.labels = {{kClusterLabel, cluster.id.value}, {kMemberLabel, member.id.value}};
  task.discovery = {cluster.spec.name, {{"mysql", member.place().port}, {"api", member.place().api_port}}};
  return task;
}

mesos::FrameworkInfo framework_of(const SchedulerConfig& config, const std::optional<FrameworkId>& id) {
  mesos::FrameworkInfo info;
  info.user = config.user;
  info.name = config.framework_name;
  info.role = config.role;
  info.principal = config.principal;
  info.webui_url = config.webui_url;
  info.failover_timeout_s = kFailoverTimeoutS;
  info.checkpoint = true;
  info.capabilities = {"MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE", "TASK_KILLING_STATE"};
  info.id = id;
  return info;
}

}  // namespace mysos
