// SPDX-License-Identifier: Apache-2.0
// mysos-sim --seed N             tells the story of one seed, twice run and compared
// mysos-sim --seeds FROM:COUNT   runs a batch: rate, coverage, failing seeds; exit code 1 on a
// violation or a gap
//   --members N --flavour mariadb|mysql   instead of what the seed draws
//   --only FAULT                 this kind of fault and no other (fault.h); may be said again
//   --mutation NAME              with a deliberate bug in the simulator's own layers (exit code 0
//   when it is found)
//   --hunt                       the first violation ends the batch, and nothing else counts: exit
//   code 0 when there is one
//   --rough                      much on the network comes late, and twice
//   --threads N --quiet
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <thread>

#include "sim/batch.h"

namespace {

using namespace mysos;
using namespace mysos::sim;

[[noreturn]] void usage(const std::string& why) {
  fmt::print(
      stderr,
      "mysos-sim: {}\nusage: mysos-sim (--seed N | --seeds FROM:COUNT) [--members N] [--flavour "
      "mariadb|mysql]\n"
      "                 [--only FAULT]... [--mutation NAME] [--hunt] [--rough] [--threads N] "
      "[--quiet]\n",
      why);
  std::exit(2);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc{} || end != text.data() + text.size())
    usage(fmt::format("'{}' is no number", text));
  return n;
}

struct Arguments {
  bool one = false;
  bool quiet = false;
  BatchOptions batch;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  a.batch.threads = std::max(1U, std::thread::hardware_concurrency());
  bool asked = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--rough") {
      a.batch.each.rough_network = true;
      continue;
    }
    if (flag == "--hunt") {
      a.batch.stop_at_first = true;
      continue;
    }
    if (flag == "--quiet") {
      a.quiet = true;
      continue;
    }
    if (i + 1 == argc) usage(fmt::format("'{}' is unknown or needs a value", flag));
    const std::string_view value = argv[++i];
    if (flag == "--seed") {
      a.one = asked = true;
      a.batch.each.seed = number(value);
    } else if (flag == "--seeds") {
      const std::size_t colon = value.find(':');
      if (colon == std::string_view::npos) usage("--seeds wants FROM:COUNT");
      a.batch.from = number(value.substr(0, colon));
      a.batch.count = number(value.substr(colon + 1));
      asked = true;
    } else if (flag == "--members") {
      a.batch.each.members = static_cast<std::uint32_t>(number(value));
    } else if (flag == "--flavour") {
      a.batch.each.flavour = enum_value<Flavour>(value);
      if (!a.batch.each.flavour) usage("the flavours are mariadb and mysql");
    } else if (flag == "--only") {
      const auto fault = enum_value<Fault>(value);
      if (!fault) usage(fmt::format("there is no fault '{}'", value));
      a.batch.each.only.insert(*fault);
    } else if (flag == "--mutation") {
      const auto mutation = enum_value<Mutation>(value);
      if (!mutation) usage(fmt::format("there is no mutation '{}'", value));
      a.batch.each.mutation = *mutation;
      a.batch.stop_at_first = true;
    } else if (flag == "--threads") {
      a.batch.threads = static_cast<unsigned>(number(value));
    } else {
      usage(fmt::format("'{}' is unknown", flag));
    }
  }
  if (!asked) usage("say --seed or --seeds");
  return a;
}

int tell_one(Arguments& a) {
  SeedOptions told = a.batch.each;
  if (!a.quiet) {
    std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
    told.listener = [](Instant at, const std::string& line) {
      fmt::print("{:10.3f} {}\n", std::chrono::duration<double>(at - Instant{}).count(), line);
    };
  }
  const SeedResult first = run_seed(told);
  const SeedResult second = run_seed(a.batch.each);
  fmt::print(
      "seed {}: {} events, {:.1f} s, {} writes acknowledged, converged in {:.1f} s, hash {:016x}\n",
      told.seed, first.events, std::chrono::duration<double>(first.lived).count(), first.acked,
      std::chrono::duration<double>(first.converged_in).count(), first.hash);
  if (first.hash != second.hash) {
    fmt::print("NOT DETERMINISTIC: the second run has hash {:016x}\n", second.hash);
    return 1;
  }
  if (first.violation) fmt::print("VIOLATION: {}\n", *first.violation);
  return first.violation ? 1 : 0;
}

int run_many(Arguments& a) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t busy_before = std::clock();
  const BatchResult r = run_batch(a.batch);
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double busy = static_cast<double>(std::clock() - busy_before) / CLOCKS_PER_SEC;
  fmt::print(
      "{} seeds in {:.1f} s: {:.0f} seeds/s a core (of processor time) on {} thread(s), "
      "{:.0f} events/seed, {:.1f} virtual "
      "s/seed, "
      "{} writes acknowledged, slowest convergence {:.1f} s (seed {})\n",
      r.seeds, took, static_cast<double>(r.seeds) / busy, a.batch.threads,
      static_cast<double>(r.events) / static_cast<double>(r.seeds),
      std::chrono::duration<double>(r.lived).count() / static_cast<double>(r.seeds), r.acked,
      std::chrono::duration<double>(r.slowest_convergence.first).count(), r.slowest_convergence.second);
  if (!a.quiet) {
    for (std::size_t m = 0; m < kMarkNames.size(); ++m) {
      fmt::print("  {:26} {}\n", kMarkNames[m], r.coverage.of(static_cast<Mark>(m)));
    }
  }
  for (const auto& [seed, what] : r.violations) fmt::print("seed {}: {}\n", seed, what);
  if (a.batch.stop_at_first) {
    fmt::print("{}\n", r.violations.empty() ? "NOT FOUND" : "found");
    return r.violations.empty() ? 1 : 0;
  }
  for (const auto& mark : r.unmarked) fmt::print("no seed exercised {}\n", mark);
  return r.violations.empty() && r.unmarked.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments a = parse(argc, argv);
  return a.one ? tell_one(a) : run_many(a);
}
