// SPDX-License-Identifier: Apache-2.0
#pragma once
// RESERVE, UNRESERVE, CREATE and DESTROY as arithmetic on resources, and the reasons for which a
// Mesos master refuses them. Used by the master on an offer's resources and by an agent on its
// total. Pure. Source: Mesos reservation.md, persistent-volume.md; texts as measured on Mesos 1.11.
#include <optional>
#include <string>

#include "model/mesos.h"

namespace mysos::local {

struct Conversion {
  Resources consumed;
  Resources produced;
};
// Nothing for a Launch.
Conversion conversion_of(const mesos::Operation& operation);
// The operation with every resource allocated to `role` ("" takes the allocation away).
mesos::Operation allocated(mesos::Operation operation, const std::string& role);
// `total` after the operation; it must contain what is consumed (asserted).
Resources converted(const Resources& total, const mesos::Operation& operation);

struct OperationContext {
  const Resources& pool;         // what the accepted offers hold by now, allocated
  const Resources& agent_total;  // unallocated
  std::string principal;
  std::string role;
  std::string agent_text;  // "ID at slave(1)@IP:PORT (HOST)"
};
// Why the master refuses it, in Mesos' words; nullopt where it does not. `operation` is allocated.
std::optional<std::string> refusal(const mesos::Operation& operation,
                                   const OperationContext& context);

// "cpus(allocated: mysos)(reservations: [(DYNAMIC,mysos,mysos)]):1; ports(allocated:
// mysos):[31000-31000]"
std::string mesos_text(const Resources& resources);
// No slash, no blank, no control character, not empty, "." or "..".
bool is_valid_id(const std::string& id);

}  // namespace mysos::local
