// SPDX-License-Identifier: Apache-2.0
#pragma once
// The ports of a member that is launched again. They are part of its reservation. Another process may have taken one: then the
// member gets others, which are reserved besides. The old ones stay in the reservation, so that nobody else is given them.
#include <cstdint>
#include <string>
#include <vector>

#include "core/provisioning/agent_use.h"
#include "core/provisioning/members.h"

namespace mysos {

// `numbers`: kPortsPerMember of them, for mysqld, the member API and the admin port.
void take_ports(Place& at, const std::vector<std::uint16_t>& numbers);
std::string ports_text(const Place& at);  // "ports 31000, 31001 and 31002"

class LaunchPorts {
 public:
  LaunchPorts(Ledger& ledger, Members& members) : ledger_(ledger), members_(members) {}

  // The ports of a member that is down and that its reservation does not hold yet: they were chosen just now, or before an
  // ACCEPT that was lost. They are taken from what is free there, and reserved with this offer. Nothing if they are not free.
  Resources lacking(const Owner& owner, const Holding& holding, AgentUse& use);

 private:
  void choose(const Owner& owner, const AgentUse& use);

  Ledger& ledger_;
  Members& members_;
};

}  // namespace mysos
