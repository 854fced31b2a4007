// SPDX-License-Identifier: Apache-2.0
#pragma once
// The clock of one process: it starts at any time and runs a little fast or slow, so the clocks of
// two processes differ.
#include "sim/sim.h"

namespace mysos::sim {

class LocalClock {
 public:
  LocalClock() = default;
  explicit LocalClock(Sim& sim)
      : ahead_(sim.between(seconds(0), seconds(3600))),
        per_mille_(980 + static_cast<Duration::rep>(sim.prng.below(41))) {}

  [[nodiscard]] Instant now(Instant real) const {
    return Instant(ahead_ + (real - Instant{}) * per_mille_ / 1000);
  }
  // When it will show `local`, at the latest.
  [[nodiscard]] Instant real(Instant local) const {
    if (local == kNever) return kNever;
    return Instant((local - Instant(ahead_)) * 1000 / per_mille_ + Duration(2));
  }

 private:
  Duration ahead_{};
  Duration::rep per_mille_ = 1000;
};

}  // namespace mysos::sim
