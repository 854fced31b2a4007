// SPDX-License-Identifier: Apache-2.0
#pragma once
// The ports of each cluster: two for each name, for ever. The ports of a deleted
// cluster stay reserved for its name until no other ports are left. Then the ports are given away
// that have been free for the longest time. Pure: the caller says whether a port can be listened
// on.
#include <functional>
#include <string>
#include <vector>

#include "discovery/routes.h"

namespace mysos::discovery {

struct PortRange {
  std::uint16_t first = 13306;  // below 32768: above, Linux takes the ports of outgoing connections
  std::uint16_t last = 14305;
  auto operator<=>(const PortRange&) const = default;
};
// "FIRST-LAST"; kInvalid says what is wrong.
Result<PortRange> parse_port_range(const std::string& text);

struct PortEntry {
  std::string name;
  PortPair ports;
  bool in_use = true;
  bool operator==(const PortEntry&) const = default;
};
template <class Io>
void fields(Io& io, PortEntry& e) {
  io("name", e.name);
  io("ports", e.ports);
  io("in_use", e.in_use);
}

class PortTable {
 public:
  using IsFree = std::function<bool(std::uint16_t)>;

  // Drops entries outside the range.
  explicit PortTable(PortRange range, std::vector<PortEntry> kept = {});
  // kConflict: no ports are free in the range.
  Result<PortPair> take(const std::string& name, const IsFree& is_free);
  void give_back(const std::string& name);
  // Other ports for a cluster whose present ports were never open. kConflict: nothing is free in the range.
  Result<PortPair> replace(const std::string& name, const IsFree& is_free);
  [[nodiscard]] const std::vector<PortEntry>& entries() const { return entries_; }

 private:
  [[nodiscard]] bool reserved(PortPair ports) const;
  PortRange range_;
  std::vector<PortEntry> entries_;  // those given back: oldest first
};

}  // namespace mysos::discovery
