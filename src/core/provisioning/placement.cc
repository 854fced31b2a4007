// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/placement.h"

#include <algorithm>

#include "base/units.h"

namespace mysos {
namespace {

bool fits(const Needs& needs, const AgentSpace& space) {
  return space.free.cpus >= needs.cpus && space.free.mem >= needs.mem && space.free.disk >= needs.disk &&
         space.free_ports >= kPortsPerMember;
}

// Agents that there are: one that is full of ours may not have offered anything.
std::size_t agents_in(const Want& want, const std::vector<AgentSpace>& known) {
  const auto others = std::ranges::count_if(known, [&](const AgentSpace& space) { return !want.taken.contains(space.agent); });
  return want.taken.size() + static_cast<std::size_t>(others);
}

// What would be left, in thousandths of what the agent has: the smaller, the better the fit.
std::int64_t left_over(const Needs& needs, const AgentSpace& space) {
  const auto part = [](std::int64_t free, std::int64_t need, std::int64_t total) {
    return total <= 0 ? 0 : (free - need) * 1000 / total;
  };
  return part(space.free.cpus, needs.cpus, space.total.cpus) + part(space.free.mem, needs.mem, space.total.mem) +
         part(space.free.disk, needs.disk, space.total.disk);
}

}  // namespace

std::string cpus_text(std::int64_t milli) {
  std::string text = std::to_string(milli / 1000);
  if (milli % 1000 != 0) {
    std::string fraction = std::to_string(milli % 1000 + 1000).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += "." + fraction;
  }
  return text;
}
std::string mib_text(std::int64_t milli) { return to_string(mib(static_cast<std::uint64_t>(milli) / 1000)); }

Want want_of(const Cluster& cluster) {
  Want want{.needs = needs_of(cluster.spec.size()), .members = cluster.members.size()};
  for (const Member& m : cluster.members) {
    if (m.granted) want.taken.insert(m.place().agent);
  }
  return want;
}

std::optional<std::size_t> choose_agent(const Want& want, const std::vector<AgentSpace>& spaces) {
  std::optional<std::size_t> best;
  const auto key = [&](std::size_t i) { return std::pair(left_over(want.needs, spaces[i]), spaces[i].agent); };
  for (std::size_t i = 0; i < spaces.size(); ++i) {
    if (want.taken.contains(spaces[i].agent) || !fits(want.needs, spaces[i])) continue;
    if (!best || key(i) < key(*best)) best = i;
  }
  return best;
}

std::string why_unplaced(const Want& want, const std::vector<AgentSpace>& known) {
  if (known.empty()) return "an offer: no agent has offered anything yet";
  std::vector<const AgentSpace*> open;
  for (const AgentSpace& space : known) {
    if (!want.taken.contains(space.agent)) open.push_back(&space);
  }
  if (const std::size_t agents = agents_in(want, known); open.empty() || agents < want.members) {
    return "an agent of its own: members never share one, this cluster has " + std::to_string(want.members) + ", and " +
           std::to_string(agents) + (agents == 1 ? " agent is known" : " agents are known");
  }
  const auto roomy = std::ranges::find_if(open, [&](const AgentSpace* space) { return fits(want.needs, *space); });
  if (roomy != open.end()) return "an offer: " + (*roomy)->hostname + " has room, and has yet to offer it";
  const std::string who = want.taken.empty() ? "no agent" : "no agent without a member of this cluster";
  const auto largest = [&](auto get) {
    return *std::ranges::max_element(open, [&](auto* a, auto* b) { return get(*a) < get(*b); });
  };
  const auto lacks = [&](const std::string& what, const AgentSpace& most, const std::string& has) {
    return "room: " + who + " has " + what + " free (the most is " + has + " on " + most.hostname + ")";
  };
  const AgentSpace& cpus = *largest([](const AgentSpace& s) { return s.free.cpus; });
  if (cpus.free.cpus < want.needs.cpus) {
    return lacks(cpus_text(want.needs.cpus) + " cpus", cpus, cpus_text(cpus.free.cpus));
  }
  const AgentSpace& mem = *largest([](const AgentSpace& s) { return s.free.mem; });
  if (mem.free.mem < want.needs.mem) {
    return lacks(mib_text(want.needs.mem) + " of memory", mem, mib_text(mem.free.mem));
  }
  const AgentSpace& disk = *largest([](const AgentSpace& s) { return s.free.disk; });
  if (disk.free.disk < want.needs.disk) {
    return lacks(mib_text(want.needs.disk) + " of disk", disk, mib_text(disk.free.disk));
  }
  const AgentSpace& port = *largest([](const AgentSpace& s) { return s.free_ports; });
  if (port.free_ports < kPortsPerMember) return lacks("three ports", port, std::to_string(port.free_ports));
  return "room: " + who + " has " + cpus_text(want.needs.cpus) + " cpus, " + mib_text(want.needs.mem) +
         " of memory, " + mib_text(want.needs.disk) + " of disk and three ports free at once";
}

}  // namespace mysos
