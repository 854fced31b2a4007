// SPDX-License-Identifier: Apache-2.0
#include "sim/batch.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>

namespace mysos::sim {
namespace {

thread_local std::uint64_t current_seed = 0;

// An assertion of a brain ends the process: say which seed it was.
void say_seed(int signal_number) {
  char text[64] = "the seed was ";
  std::size_t n = 13;
  char digits[24];
  std::size_t d = 0;
  std::uint64_t seed = current_seed;
  do {
    digits[d++] = static_cast<char>('0' + seed % 10);
    seed /= 10;
  } while (seed > 0);
  while (d > 0) text[n++] = digits[--d];
  text[n++] = '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, n);
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

}  // namespace

BatchResult run_batch(const BatchOptions& options) {
  std::signal(SIGABRT, say_seed);
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> enough{false};
  std::mutex lock;
  BatchResult all;
  const auto work = [&] {
    for (;;) {
      const std::uint64_t i = next++;
      if (i >= options.count || enough) return;
      SeedOptions o = options.each;
      o.seed = current_seed = options.from + i;
      SeedResult r = run_seed(o);
      const std::scoped_lock held(lock);
      ++all.seeds;
      all.events += r.events;
      all.acked += r.acked;
      all.lived += r.lived;
      all.slowest_convergence = std::max(all.slowest_convergence, {r.converged_in, o.seed});
      all.slowest_return = std::max(all.slowest_return, {r.returned_in, o.seed});
      all.coverage.add(r.coverage);
      if (!r.violation) continue;
      all.violations.emplace_back(o.seed, std::move(*r.violation));
      if (options.stop_at_first) enough = true;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < std::max(1U, options.threads); ++t) threads.emplace_back(work);
  }
  std::ranges::sort(all.violations);
  for (std::size_t m = 0; m < static_cast<std::size_t>(Mark::kCount); ++m) {
    if (all.coverage.of(static_cast<Mark>(m)) == 0) all.unmarked.push_back(kMarkNames[m]);
  }
  return all;
}

}  // namespace mysos::sim
