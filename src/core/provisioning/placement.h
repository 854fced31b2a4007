// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which agent a member shall live on. A pure choice: members of one cluster on different agents, always; then best fit,
// so that small clusters pack tightly and leave room for large ones. Whoever finds no place is told which constraint no
// agent met.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/provisioning/holdings.h"
#include "model/ids.h"

namespace mysos {

// What is free on an agent: unreserved, in offers (or last seen there).
struct AgentSpace {
  AgentId agent;
  std::string hostname;
  Needs free;
  std::uint64_t free_ports = 0;
  Needs total;  // the most it was ever seen to have for us: offered, or held by us
};

struct Want {
  Needs needs;
  std::set<AgentId> taken = {};  // where this cluster already has a member
  std::size_t members = 1;       // of this cluster
};

Want want_of(const Cluster& cluster);

// An index into `spaces`, none if nobody fits. Ties go to the lower agent id.
std::optional<std::size_t> choose_agent(const Want& want, const std::vector<AgentSpace>& spaces);

// A sentence: what of all that is known stands in the way. `known` may be empty.
std::string why_unplaced(const Want& want, const std::vector<AgentSpace>& known);

// "1.5" of thousandths; "512MB" of thousandths of MiB.
std::string cpus_text(std::int64_t milli);
std::string mib_text(std::int64_t milli);

}  // namespace mysos
