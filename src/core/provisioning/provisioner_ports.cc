// SPDX-License-Identifier: Apache-2.0
// The ports of a member that is launched again. They are part of its reservation. Another process may have taken one: then the
// member gets others, which are reserved besides. The old ones stay in the reservation, so that nobody else is given them.
#include <algorithm>

#include "core/provisioning/provisioner.h"

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

// Of a member that is down. Where there are not enough, it keeps those that it has: they may have become free.
void Provisioner::choose_ports(const Owner& owner, const Use& use) {
  const std::vector<std::uint16_t> found = lowest_ports(use.free, kPortsPerMember);
  MemberRow& row = row_of(owner);
  if (found.size() < kPortsPerMember) return;
  row.in<stage::Down>().port_taken = false;
  Place& at = edit(owner).place();
  at.port = found[0];
  at.api_port = found[1];
  at.admin_port = found[2];
  tell(owner, {EventKind::kPortsChanged,
               "its next launch is on ports " + std::to_string(at.port) + ", " + std::to_string(at.api_port) +
                                    " and " + std::to_string(at.admin_port) + ": " + row.failed_why});
}

// Ports of the member that its reservation does not hold yet: they were chosen just now, or before an ACCEPT that was lost.
// They are taken from what is free there, and reserved with this offer. Nothing where they are not free.
Resources Provisioner::lacking_ports(const Owner& owner, const Holding& holding, Use& use) {
  if (!get(owner).holds_data) return {};  // it may be placed anew
  if (row_of(owner).in<stage::Down>().port_taken) choose_ports(owner, use);
  const auto reserved = [&](const std::vector<std::uint16_t>& numbers) {
    return as_resources(numbers)
        .reserved_as(holding.reservation)
        .allocated_to(use.offer.allocation_role);
  };
  const auto lacking = [&] {
    std::vector<std::uint16_t> out = ports_of(get(owner).place());
    std::erase_if(out, [&](std::uint16_t p) { return holding.reserved.contains(reserved({p})); });
    return out;
  };
  const auto are_free = [&](const std::vector<std::uint16_t>& numbers) {
    return use.free.contains(as_resources(numbers).allocated_to(use.offer.allocation_role));
  };
  std::vector<std::uint16_t> wanted = lacking();
  if (!wanted.empty() && !are_free(wanted)) {
    choose_ports(owner, use);
    wanted = lacking();
  }
  if (wanted.empty() || !are_free(wanted)) return {};
  use.free -= as_resources(wanted).allocated_to(use.offer.allocation_role);
  Resources more = reserved(wanted);
  const std::string& id = get(owner).place().resource_id;
  use.operations.push_back({mesos::Reserve{more}, OperationId("reserve." + id + "." + ledger_.prng().name(4))});
  return more;
}

}  // namespace mysos
