// SPDX-License-Identifier: Apache-2.0
#pragma once
// Runs many seeds, in several threads that share only the next number. The result does not depend
// on the number of threads.
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/world.h"

namespace mysos::sim {

struct BatchOptions {
  std::uint64_t from = 1;
  std::uint64_t count = 100;
  unsigned threads = 1;
  bool stop_at_first = false;  // for mutations: one violation is enough
  SeedOptions each;            // `seed` is set per seed
};

struct BatchResult {
  std::uint64_t seeds = 0;
  std::uint64_t events = 0;
  std::uint64_t acked = 0;
  Duration lived{};
  std::pair<Duration, std::uint64_t> slowest_convergence{};  // and its seed
  std::pair<Duration, std::uint64_t> slowest_return{};       // of writes, after a member of a healthy cluster had died
  Coverage coverage;
  std::vector<std::pair<std::uint64_t, std::string>> violations;  // by seed
  std::vector<std::string_view> unmarked;                         // what no seed exercised
};

BatchResult run_batch(const BatchOptions& options);

}  // namespace mysos::sim
