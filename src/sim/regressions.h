// SPDX-License-Identifier: Apache-2.0
#pragma once
// Seeds that once failed, each with its cause. A seed repeats its story only as long as the
// simulator's draws stay the same; after a change, only the description is left.
#include <cstdint>
#include <vector>

#include "sim/world.h"

namespace mysos::sim {

struct Regression {
  const char* story;
  std::uint64_t seed;
  SeedOptions options;
};

inline const std::vector<Regression> kRegressions = {
    {"two schedulers took the framework from each other for ever", 3, {}},
    {"a replica with a slow disk promised each config later than its primary, and was certified anew for ever", 550, {}},
    {"a MySQL replica that started while it was fenced never applied the relay log that an election waited for", 2155, {}},
    {"a statement that was given up pointed a replica elsewhere, later, and nobody saw it", 232782, {}},
    {"a switchover measured its target to the end of a moment, and the moment did not end", 1825,
     {.members = 2, .flavour = Flavour::kMariadb, .only = {Fault::kServer, Fault::kBoth, Fault::kSlowApplier}}},
    {"an offer without a deleted member's volume ended the deletion, while the offer that had it was open", 519312, {}},
    {"a joining replica whose binary logs were reset acknowledged, and was waited for for ever", 243,
     {.only = {Fault::kLogsReset}}},
    {"a copy of a replica whose binary logs were reset just before lacked the names, and was named an acker", 492,
     {.only = {Fault::kLogsReset}}},
    {"the pause between two tries to push stuck commits had grown while no acker was there, and the next one waited for it",
     449326, {}},
    {"of two ackers that were not sound neither was dropped: only the first was asked whether it can be spared", 434885, {}},
    {"no bug: ackers had forgotten by the time in which the record that names them was durable", 515565, {}},
    {"no bug: a stopped server opened when it went on, as it was told before its executor promised more", 451263, {}},
};

}  // namespace mysos::sim
