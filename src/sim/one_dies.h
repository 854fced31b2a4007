// SPDX-License-Identifier: Apache-2.0
#pragma once
// "Healthy" is a promise: any one member may die now, for good, and writes continue without an operator. Each seed tests that
// once, after all faults have ended: as soon as a cluster calls itself healthy, or after everything has come back.
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "sim/sim_leadership.h"
#include "sim/truth.h"

namespace mysos::sim {

class OneDies {
 public:
  OneDies(Sim& sim, Truth& truth, SimMaster& master, SimLeadership& schedulers, std::uint64_t seed);

  [[nodiscard]] bool early() const { return early_; }
  // Whether some cluster has called itself healthy for a while; to be asked again and again.
  bool ready();
  // A member of a cluster that calls itself healthy dies, as the seed draws it; false: no cluster does.
  bool strike();
  void probe();  // writes to whoever takes them
  // Until writes return; none: they have, in every cluster that had called itself healthy.
  [[nodiscard]] std::optional<std::string> stuck() const;
  [[nodiscard]] bool too_late();
  [[nodiscard]] Duration since() const { return sim_.now() - struck_; }
  void bring_back();

 private:
  enum class Way { kMachine, kFrozen, kAlone };
  [[nodiscard]] std::vector<const ClusterTruth*> healthy() const;
  void kill(SimExecutor& victim);

  Sim& sim_;
  Truth& truth_;
  SimMaster& master_;
  SimLeadership& schedulers_;
  Prng prng_;
  bool early_;
  std::optional<Instant> healthy_since_;
  Instant struck_{};
  Instant late_at_{};
  std::vector<const ClusterTruth*> promised_;  // by those it is expected
  SimAgent* down_ = nullptr;
  SimExecutor* frozen_ = nullptr;
};

}  // namespace mysos::sim
