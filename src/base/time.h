// SPDX-License-Identifier: Apache-2.0
#pragma once
// Time as the brains see it: an Instant is handed in by the shell (steady clock) or by the simulator (its own), never
// read. Instants of different processes are not comparable. WallTime is only for what people read.
#include <chrono>
#include <cstdint>

namespace mysos {

using Duration = std::chrono::microseconds;

struct LogicalClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<LogicalClock>;
  static constexpr bool is_steady = true;
};
using Instant = LogicalClock::time_point;
inline constexpr Instant kNever = Instant::max();

// Milliseconds since 1970, UTC.
struct WallTime {
  std::int64_t ms = 0;
  auto operator<=>(const WallTime&) const = default;
};

inline std::int64_t to_ms(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

}  // namespace mysos
