// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether a stalled applier waits for a lock that no session holds, and for how long, from repeated looks at its server. A
// server retries a transaction whose lock wait timed out, so a single look without a wait does not end the wait. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/time.h"
#include "model/silence.h"

namespace mysos {

class ApplierWait {
 public:
  // A look. `stalled`: how long the applier has executed nothing. `ended`: sessions were ended, so the lock may be free now.
  void looked(std::string does, std::string waits_for, bool ended, Duration stalled) {
    does_ = std::move(does);
    if (ended) from_.reset();
    free_looks_ = waits_for.empty() ? free_looks_ + 1 : 0;
    if (waits_for.empty() && free_looks_ < kFreeLooks) return;
    if (waits_for.empty()) from_.reset();
    if (!waits_for.empty() && !from_ && !ended) from_ = stalled;
    waits_for_ = from_ ? std::move(waits_for) : std::string();
  }
  // The applier has executed something, or has nothing to execute.
  void moved() { *this = {}; }

  [[nodiscard]] const std::string& does() const { return does_; }
  [[nodiscard]] const std::string& waits_for() const { return waits_for_; }
  [[nodiscard]] Duration lasted(Duration stalled) const { return from_ ? stalled - *from_ : Duration::zero(); }
  // In the steps that reports use for silences.
  [[nodiscard]] std::uint32_t told_ms(Duration stalled) const {
    return static_cast<std::uint32_t>(to_ms(kSilenceGrain * (lasted(stalled) / kSilenceGrain)));
  }

 private:
  static constexpr std::uint32_t kFreeLooks = 2;  // looks in a row without a wait, after which the wait has ended

  std::string does_;       // the state of the applier, as the server shows it
  std::string waits_for_;
  std::optional<Duration> from_;  // how long it had executed nothing when it was first seen to wait
  std::uint32_t free_looks_ = 0;
};

}  // namespace mysos
