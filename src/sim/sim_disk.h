// SPDX-License-Identifier: Apache-2.0
#pragma once
// The disk under a volume: how long an fsync takes. It may be slow for a while, stall, or be full.
// While it is stalled or full, nothing becomes durable.
#include "sim/sim.h"

namespace mysos::sim {

struct SimDisk {
  Duration sync_most = milliseconds(2);
  Instant stalled_since{};
  Instant stalled_until{};
  bool full = false;  // that is why: servers wait for space

  void stall(Sim& sim, Duration pause, bool is_full) {
    if (stalled_until <= sim.now()) stalled_since = sim.now();
    stalled_until = std::max(stalled_until, sim.now() + pause);
    full = is_full;
  }
  // New writes get no space (a promise); earlier writes wait until they are durable.
  [[nodiscard]] bool refuses(Instant now) const { return full && stalled_until > now; }
  // How long an fsync takes that begins now.
  [[nodiscard]] Duration sync(Sim& sim) const {
    const Duration takes = sim.between(microseconds(100), sync_most);
    return stalled_until > sim.now() ? stalled_until - sim.now() + takes : takes;
  }
};

}  // namespace mysos::sim
