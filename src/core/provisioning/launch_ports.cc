// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/launch_ports.h"

#include <algorithm>
#include <utility>

namespace mysos {
namespace {

std::vector<std::uint16_t> ports_of(const Place& at) {
  std::vector<std::uint16_t> out = {at.port, at.api_port};
  if (at.admin_port != 0) out.push_back(at.admin_port);
  return out;
}

Resources as_resources(const std::vector<std::uint16_t>& numbers) {
  std::vector<Range> ranges;
  for (const std::uint16_t p : numbers) ranges.push_back({p, p});
  return ranges.empty() ? Resources{} : Resources{ports(std::move(ranges))};
}

}  // namespace

void take_ports(Place& at, const std::vector<std::uint16_t>& numbers) {
  at.port = numbers.at(0);
  at.api_port = numbers.at(1);
  at.admin_port = numbers.at(2);
}

std::string ports_text(const Place& at) {
  return "ports " + std::to_string(at.port) + ", " + std::to_string(at.api_port) + " and " + std::to_string(at.admin_port);
}

// Where there are not enough, it keeps those that it has: they may have become free.
void LaunchPorts::choose(const Owner& owner, const AgentUse& use) {
  const std::vector<std::uint16_t> found = lowest_ports(use.free, kPortsPerMember);
  MemberRow& row = members_.row(owner);
  if (found.size() < kPortsPerMember) return;
  row.in<stage::Down>().port_taken = false;
  Place& at = members_.edit(owner).place();
  take_ports(at, found);
  members_.tell(owner, {EventKind::kPortsChanged, "its next launch is on " + ports_text(at) + ": " + row.failed_why});
}

Resources LaunchPorts::lacking(const Owner& owner, const Holding& holding, AgentUse& use) {
  if (!members_.get(owner).holds_data) return {};  // it may be placed anew
  if (members_.in<stage::Down>(owner).port_taken) choose(owner, use);
  const auto reserved = [&](const std::vector<std::uint16_t>& numbers) {
    return as_resources(numbers).reserved_as(holding.reservation).allocated_to(use.offer.allocation_role);
  };
  const auto not_reserved = [&] {
    std::vector<std::uint16_t> out = ports_of(members_.get(owner).place());
    std::erase_if(out, [&](std::uint16_t p) { return holding.reserved.contains(reserved({p})); });
    return out;
  };
  const auto are_free = [&](const std::vector<std::uint16_t>& numbers) {
    return use.free.contains(as_resources(numbers).allocated_to(use.offer.allocation_role));
  };
  std::vector<std::uint16_t> wanted = not_reserved();
  if (!wanted.empty() && !are_free(wanted)) {
    choose(owner, use);
    wanted = not_reserved();
  }
  if (wanted.empty() || !are_free(wanted)) return {};
  use.free -= as_resources(wanted).allocated_to(use.offer.allocation_role);
  Resources more = reserved(wanted);
  const std::string& id = members_.get(owner).place().resource_id;
  use.operations.push_back({mesos::Reserve{more}, OperationId("reserve." + id + "." + ledger_.prng().name(4))});
  return more;
}

}  // namespace mysos
