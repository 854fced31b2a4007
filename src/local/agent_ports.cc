// SPDX-License-Identifier: Apache-2.0
#include "local/agent_ports.h"

#include <algorithm>

#include "base/fs.h"
#include "base/process.h"

namespace mysos::local {
namespace {

bool is_ports(const Resource& r) { return r.name == "ports"; }

void add_ports(std::set<std::uint16_t>& to, const Resources& from, bool reserved_only) {
  for (const Resource& r : from.list()) {
    if (!is_ports(r) || (reserved_only && r.reservations.empty())) continue;
    for (const Range& range : r.ranges) {
      for (std::uint64_t p = range.begin; p <= range.end; ++p) to.insert(static_cast<std::uint16_t>(p));
    }
  }
}

void add_agent(AgentPorts& to, const AgentState& state) {
  add_ports(to.reserved, state.total, true);
  for (const ExecutorRecord& executor : state.executors) {
    const auto started = process_start_time(static_cast<pid_t>(executor.pid));
    if (!started || *started != executor.start_time) continue;
    add_ports(to.held, executor.info.executor_resources, false);
    for (const TaskRecord& task : state.tasks) {
      const bool of_it = task.framework == executor.framework && task.info.executor == executor.info.executor;
      if (of_it) add_ports(to.held, task.info.resources, false);
    }
  }
}

}  // namespace

Result<AgentPorts> agent_ports(const std::string& dir) {
  AgentPorts out;
  const std::string mesos = dir + "/mesos";
  if (!path_exists(mesos)) return out;
  MYSOS_TRY(const auto names, list_dir(mesos));
  for (const std::string& name : names) {
    const std::string file = mesos + "/" + name + "/agent.json";
    if (!name.starts_with("agent-") || !path_exists(file)) continue;
    MYSOS_TRY(const std::string text, read_file(file));
    auto state = decode_state(text);
    if (!state) return std::unexpected(std::move(state).error().with_context(file));
    add_agent(out, *state);
  }
  return out;
}

Resources with_block(const AgentState& state, const Resources& offered) {
  Resources free = offered.unreserved().filter(is_ports);
  std::set<std::uint16_t> reserved;
  add_ports(reserved, state.total, true);
  for (const std::uint16_t p : reserved) free.take_possible(Resources{ports({{p, p}})});
  for (const TaskRecord& task : state.tasks) {
    if (!is_terminal(task.state)) free += task.info.resources.allocated_to("").unreserved().filter(is_ports);
  }
  return state.total.filter([](const Resource& r) { return !is_ports(r) || !r.reservations.empty(); }) + free;
}

}  // namespace mysos::local
