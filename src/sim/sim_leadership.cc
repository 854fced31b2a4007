// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_leadership.h"

namespace mysos::sim {

SimLeadership::SimLeadership(Sim& sim, SchedulerWorld& world, SimMaster& master)
    : sim_(sim), world_(world), master_(master) {
  all_.push_back(std::make_unique<SimScheduler>(sim_, world_, master_, store_));
}

void SimLeadership::depose() {
  if (!leader().alive()) return;
  sim_.tell([] { return std::string("another scheduler takes the lead"); });
  // The master tells it, unless its stream is broken at that moment.
  if (sim_.prng.chance(700)) leader().go_deaf();
  all_.push_back(std::make_unique<SimScheduler>(sim_, world_, master_, store_));
  leader().start();
}

void SimLeadership::retire_others() {
  for (std::size_t i = 0; i + 1 < all_.size(); ++i) all_[i]->retire();
}

}  // namespace mysos::sim
