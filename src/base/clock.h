// SPDX-License-Identifier: Apache-2.0
#pragma once
// The clocks of this machine, for shells only. Brains get an Instant with each input.
#include <chrono>

#include "base/time.h"

namespace mysos {

inline Instant steady_now() {
  return Instant(
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

inline WallTime wall_now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return WallTime{std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count()};
}

}  // namespace mysos
