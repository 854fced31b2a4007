// SPDX-License-Identifier: Apache-2.0
// A server id is never used by two data directories of a cluster: equal ids lose data, without an error
// (docs/adr/0006-server-ids-never-reused.md). It is used once a server runs under it.
#include <fmt/format.h>

#include "sim/checkers.h"

namespace mysos::sim {

void check_server_id(Sim& sim, const ServerIdentity& server, const Datadir& data) {
  if (data.generation > 0) sim.coverage.hit(Mark::kServerIdOfItsOwn);
  const auto [known, first] = sim.server_ids.try_emplace({server.cluster, data.server_id}, data.serial);
  if (first || known->second == data.serial) return;
  sim.violate(fmt::format("a server id is used again: {} of {}, by other data than before", data.server_id,
                          server.member.str()));
}

}  // namespace mysos::sim
