// SPDX-License-Identifier: Apache-2.0
#pragma once
// The base of simulated processes: the number of their life, by which events of an earlier life are ignored, and pauses
// (freezer.h). The code that starts or ends a process raises `life_`.
#include <cstdint>
#include <utility>

#include "sim/freezer.h"
#include "sim/sim.h"

namespace mysos::sim {

class SimProcess {
 protected:
  explicit SimProcess(Sim& sim) : sim_(sim) {}
  virtual ~SimProcess() = default;
  // Runs `f` unless this process has died by then; while it is stopped, when it continues.
  template <class F>
  void awake(F f) {
    freezer_.run([this, life = life_, f = std::move(f)]() mutable {
      if (life == life_ && runs()) f();
    });
  }
  template <class F>
  void later(Duration delay, F f) {
    sim_.after(delay, [this, life = life_, f = std::move(f)]() mutable {
      if (life != life_ || !runs()) return;
      freezer_.frozen() ? awake(std::move(f)) : f();
    });
  }
  [[nodiscard]] virtual bool runs() const = 0;

  Sim& sim_;
  Freezer freezer_;
  std::uint64_t life_ = 0;
};

}  // namespace mysos::sim
