// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the parts of ServerOps.
#include <algorithm>

#include "base/clock.h"
#include "mysql/server_ops.h"

namespace mysos::mysql {

// How long the whole of a step may still take.
struct ServerOps::Budget {
  Instant until;
  [[nodiscard]] Duration left() const { return std::max(until - steady_now(), Duration(0)); }
  [[nodiscard]] bool spent() const { return steady_now() >= until; }
};

}  // namespace mysos::mysql
