// SPDX-License-Identifier: Apache-2.0
#pragma once
// How long something has been silent. Only the time counts in which the listener listened. A listener that was stopped for a
// while, or did not look, has not listened. So a pause of the listener never counts as a silence of the other side.
#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace mysos {

inline constexpr Duration kMostPerLook = std::chrono::milliseconds(400);          // twice the interval of an idle executor
inline constexpr Duration kSilenceWorthTelling = std::chrono::milliseconds(500);  // a shorter silence is reported as 0
inline constexpr Duration kSilenceGrain = std::chrono::milliseconds(100);
inline constexpr std::uint32_t kServerSilentMs = 1000;  // a server that does not answer for so long is not in place

class Silence {
 public:
  Silence() = default;
  explicit Silence(Duration lasted) : lasted_(lasted) {}  // the silence at the first look
  void heard(Instant now) {
    lasted_ = {};
    looked_ = now;
  }
  // The listener looked, and nothing had come.
  void nothing(Instant now) {
    lasted_ += std::clamp(now - looked_, Duration(0), kMostPerLook);
    looked_ = now;
  }
  [[nodiscard]] Duration lasted() const { return lasted_; }
  // For reports: in steps, so that not every look makes a new report.
  [[nodiscard]] std::uint32_t told_ms() const {
    if (lasted_ < kSilenceWorthTelling) return 0;
    return static_cast<std::uint32_t>(to_ms(kSilenceGrain * (lasted_ / kSilenceGrain)));
  }

 private:
  Duration lasted_{};
  Instant looked_{};
};

}  // namespace mysos
