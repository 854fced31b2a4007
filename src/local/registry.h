// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the embedded master keeps on disk: which frameworks and agents there are, and which are gone
// for good. Tasks, reservations and volumes are the agents' to remember. Written whole: it is
// small.
#include <map>
#include <string>

#include "base/json.h"
#include "local/agent_messages.h"

namespace mysos::mesos {
template <class Io>
void fields(Io& io, FrameworkInfo& f) {
  io("user", f.user);
  io("name", f.name);
  io("role", f.role);
  io("principal", f.principal);
  io("hostname", f.hostname);
  io("webui_url", f.webui_url);
  io("failover_timeout_s", f.failover_timeout_s);
  io("checkpoint", f.checkpoint);
  io("capabilities", f.capabilities);
  io("id", f.id);
}
}  // namespace mysos::mesos

namespace mysos::local {

enum class AgentMark { kRegistered, kUnreachable, kGone };
constexpr auto enum_names(AgentMark) {
  return std::to_array<EnumName<AgentMark>>({{AgentMark::kRegistered, "registered"},
                                             {AgentMark::kUnreachable, "unreachable"},
                                             {AgentMark::kGone, "gone"}});
}

struct FrameworkRecord {
  mesos::FrameworkInfo info;
  bool removed = false;  // its id is burned
};
template <class Io>
void fields(Io& io, FrameworkRecord& f) {
  io("info", f.info);
  io("removed", f.removed);
}

struct AgentRecord {
  AgentInfo info;
  AgentMark mark = AgentMark::kRegistered;
};
template <class Io>
void fields(Io& io, AgentRecord& a) {
  io("info", a.info);
  io("mark", a.mark);
}

struct Registry {
  std::uint64_t next_framework = 0;
  std::uint64_t next_agent = 0;
  std::map<FrameworkId, FrameworkRecord> frameworks;
  std::map<AgentId, AgentRecord> agents;
};
template <class Io>
void fields(Io& io, Registry& r) {
  io("next_framework", r.next_framework);
  io("next_agent", r.next_agent);
  io("frameworks", r.frameworks);
  io("agents", r.agents);
}

}  // namespace mysos::local
