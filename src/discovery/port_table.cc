// SPDX-License-Identifier: Apache-2.0
#include "discovery/port_table.h"

#include <algorithm>
#include <charconv>

namespace mysos::discovery {

Result<PortRange> parse_port_range(const std::string& text) {
  const char* end = text.data() + text.size();
  PortRange range;
  const auto first = std::from_chars(text.data(), end, range.first);
  const bool dash = first.ec == std::errc() && first.ptr != end && *first.ptr == '-';
  const auto last = dash ? std::from_chars(first.ptr + 1, end, range.last) : first;
  if (!dash || last.ec != std::errc() || last.ptr != end)
    return fail(Errc::kInvalid, "--ports must be FIRST-LAST, e.g. 13306-14305", "ports");
  if (range.first == 0 || range.last <= range.first) {
    return fail(Errc::kInvalid, "--ports must hold two ports or more, the smaller one first",
                "ports");
  }
  return range;
}

PortTable::PortTable(PortRange range, std::vector<PortEntry> kept)
    : range_(range), entries_(std::move(kept)) {
  std::erase_if(entries_, [&](const PortEntry& e) {
    return std::min(e.ports.read_write, e.ports.read_only) < range_.first ||
           std::max(e.ports.read_write, e.ports.read_only) > range_.last;
  });
}

bool PortTable::reserved(PortPair ports) const {
  return std::ranges::any_of(entries_, [&](const PortEntry& e) { return e.ports == ports; });
}

Result<PortPair> PortTable::take(const std::string& name, const IsFree& is_free) {
  const auto both_free = [&](PortPair p) { return is_free(p.read_write) && is_free(p.read_only); };
  const auto known = std::ranges::find(entries_, name, &PortEntry::name);
  if (known != entries_.end()) {
    if (known->in_use) return known->ports;
    if (both_free(known->ports)) {
      known->in_use = true;
      return known->ports;
    }
    entries_.erase(known);
  }
  for (std::uint32_t port = range_.first; port + 1 <= range_.last; port += 2) {
    const PortPair ports{static_cast<std::uint16_t>(port), static_cast<std::uint16_t>(port + 1)};
    if (reserved(ports) || !both_free(ports)) continue;
    entries_.push_back({name, ports, true});
    return ports;
  }
  const auto old = std::ranges::find_if(
      entries_, [&](const PortEntry& e) { return !e.in_use && both_free(e.ports); });
  if (old == entries_.end()) {
    return fail(Errc::kConflict, "no two ports are free between " + std::to_string(range_.first) +
                                     " and " + std::to_string(range_.last) + " for cluster " +
                                     name + "; give the router more with --ports");
  }
  const PortPair ports = old->ports;
  entries_.erase(old);
  entries_.push_back({name, ports, true});
  return ports;
}

Result<PortPair> PortTable::replace(const std::string& name, const IsFree& is_free) {
  std::erase_if(entries_, [&](const PortEntry& e) { return e.name == name; });
  return take(name, is_free);
}

void PortTable::give_back(const std::string& name) {
  const auto known = std::ranges::find(entries_, name, &PortEntry::name);
  if (known == entries_.end() || !known->in_use) return;
  known->in_use = false;
  std::rotate(known, known + 1, entries_.end());
}

}  // namespace mysos::discovery
