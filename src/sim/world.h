// SPDX-License-Identifier: Apache-2.0
#pragma once
// One seed: a world with machines, a Mesos, a scheduler, clusters and clients; a phase with faults
// (safety), then one without (liveness: every cluster must come to serve, deleted ones must leave
// nothing). The result is the first violation.
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "sim/coverage.h"
#include "sim/fault.h"
#include "sim/sim.h"

namespace mysos::sim {

struct SeedOptions {
  std::uint64_t seed = 0;
  // Where not given, the seed draws it.
  std::optional<std::uint32_t> members;
  std::optional<Flavour> flavour;
  std::optional<Duration> faults_for;
  std::set<Fault> only;        // these kinds of faults and no other; empty = the seed draws
  bool rough_network = false;  // much comes late, and twice
  Mutation mutation = Mutation::kNone;
  Trace::Listener listener;  // gets the story; empty = none wanted
};

struct SeedResult {
  std::optional<std::string> violation;
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::uint64_t acked = 0;
  Duration lived{};         // virtual
  Duration converged_in{};  // after the faults had ended
  Duration returned_in{};   // after a member of a healthy cluster had died
  Coverage coverage;
};

SeedResult run_seed(const SeedOptions& options);

}  // namespace mysos::sim
