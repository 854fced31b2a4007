// SPDX-License-Identifier: Apache-2.0
// S6: never two writable members with one epoch.
#include <fmt/format.h>

#include "sim/checkers.h"

namespace mysos::sim {

void check_one_writer(Sim& sim, const Truth& truth, const ClusterTruth& now) {
  const auto& containers = truth.containers();
  for (std::size_t i = 0; i < containers.size(); ++i) {
    SimServer& a = containers[i]->server();
    if (a.identity().cluster != now.id || !a.writable()) continue;
    sim.coverage.hit(Mark::kS6Writable);
    for (std::size_t k = i + 1; k < containers.size(); ++k) {
      SimServer& b = containers[k]->server();
      if (b.identity().cluster != now.id || !b.writable()) continue;
      sim.coverage.hit(Mark::kS6Stale);
      if (a.opened_under.epoch != b.opened_under.epoch) continue;
      sim.violate(fmt::format("S6: {} and {} are both writable under epoch {}",
                              a.identity().member.str(), b.identity().member.str(),
                              a.opened_under.epoch));
    }
  }
}

}  // namespace mysos::sim
