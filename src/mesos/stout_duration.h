// SPDX-License-Identifier: Apache-2.0
#pragma once
// Durations as Mesos writes them in the executor's environment and in flags: a number and a unit
// ("15mins", "2secs", "500ms", "1.5hrs").
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace mysos::mesos {

// Units: ns us ms secs mins hrs days weeks. Errc::kInvalid for anything else.
Result<Duration> parse_stout_duration(std::string_view text);
// With the largest unit that says it exactly.
std::string to_stout_text(Duration duration);

}  // namespace mysos::mesos
