// SPDX-License-Identifier: Apache-2.0
#pragma once
// How long something has been silent, counted only while somebody listened: one that was itself stopped for a while, or did not
// come to look, has not listened. So a pause of the listener is never taken for a silence of the other.
#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace mysos {

inline constexpr Duration kMostPerLook = std::chrono::milliseconds(400);          // two looks of a calm executor
inline constexpr Duration kSilenceWorthTelling = std::chrono::milliseconds(500);  // less is not told
inline constexpr Duration kSilenceGrain = std::chrono::milliseconds(100);
inline constexpr std::uint32_t kServerSilentMs = 1000;  // a server that does not answer for so long is not in place

class Silence {
 public:
  Silence() = default;
  explicit Silence(Duration lasted) : lasted_(lasted) {}  // has been silent for so long at the first look
  void heard(Instant now) {
    lasted_ = {};
    looked_ = now;
  }
  // A look, and nothing had come.
  void nothing(Instant now) {
    lasted_ += std::clamp(now - looked_, Duration(0), kMostPerLook);
    looked_ = now;
  }
  [[nodiscard]] Duration lasted() const { return lasted_; }
  // As reports tell it: in steps, so that it does not make a new report of every look.
  [[nodiscard]] std::uint32_t told_ms() const {
    if (lasted_ < kSilenceWorthTelling) return 0;
    return static_cast<std::uint32_t>(to_ms(kSilenceGrain * (lasted_ / kSilenceGrain)));
  }

 private:
  Duration lasted_{};
  Instant looked_{};
};

}  // namespace mysos
