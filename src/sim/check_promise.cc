// SPDX-License-Identifier: Apache-2.0
// S7: a member never says yes to a pair below one that it said yes to, whatever has died since.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers.h"

namespace mysos::sim {

void check_promise(Sim& sim, const MemberId& member, SimVolume& volume, Pair pair) {
  if (pair < volume.obeyed) {
    sim.violate(fmt::format("S7: {} obeys {} after {}", member.str(), to_string(pair), to_string(volume.obeyed)));
  }
  volume.obeyed = std::max(volume.obeyed, pair);
}

}  // namespace mysos::sim
