// SPDX-License-Identifier: Apache-2.0
// mysos-sim: see --help.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sim/batch.h"

namespace {

using namespace mysos;
using namespace mysos::sim;

constexpr auto kHelp =
    "Simulates clusters under faults, with time and chance of its own.\n\n"
    "--seed tells the story of one seed and runs it twice: both runs must be the same. --seeds runs many: it prints\n"
    "the rate, what was exercised, and each seed in which a checker found a violation. Exit code 1: a violation, or\n"
    "something that no seed exercised. With --mutation and --hunt, 0 means that a violation was found.";

struct Arguments {
  bool one = false;
  bool quiet = false;
  BatchOptions batch;
};

// A text that one of our enums has; CLI11 lists them where the text is another.
template <class E>
CLI::Validator one_of() {
  std::vector<std::string> names;
  for (const auto& n : enum_names(E{})) names.emplace_back(n.text);
  return CLI::IsMember(names);
}

void parse_range(const std::string& text, BatchOptions& batch) {
  const std::size_t colon = text.find(':');
  const auto number = [&](std::string_view digits, std::uint64_t& out) {
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return ec == std::errc{} && end == digits.data() + digits.size();
  };
  const std::string_view all = text;
  if (colon == std::string::npos || !number(all.substr(0, colon), batch.from) ||
      !number(all.substr(colon + 1), batch.count) || batch.count == 0) {
    throw CLI::ValidationError("--seeds", "'" + text + "' is not FROM:COUNT");
  }
}

// Ends the program where the command line is wrong, or asks for help.
Arguments parse(int argc, char** argv) {
  Arguments a;
  SeedOptions& each = a.batch.each;
  a.batch.threads = std::max(1U, std::thread::hardware_concurrency());
  std::string range;
  std::string flavour;
  std::string mutation;
  std::vector<std::string> only;
  CLI::App app{kHelp, "mysos-sim"};
  auto* seeds = app.add_option_group("seeds")->require_option(1);
  auto* seed = seeds->add_option("--seed", each.seed, "Tell the story of this seed");
  seeds->add_option("--seeds", range, "Run COUNT seeds from FROM on")->type_name("FROM:COUNT");
  app.add_option("--members", each.members, "Members of each cluster, instead of what the seed draws")
      ->check(CLI::Range(1U, kMaxMembers));
  app.add_option("--flavour", flavour, "The servers, instead of what the seed draws")->check(one_of<Flavour>());
  app.add_option("--only", only, "Faults of this kind and no others; may be given again")
      ->check(one_of<Fault>())->take_all()->expected(1);
  app.add_option("--mutation", mutation, "A deliberate bug, which has to be found")->check(one_of<Mutation>());
  app.add_flag("--hunt", a.batch.stop_at_first, "End with the first violation");
  app.add_flag("--rough", each.rough_network, "Much on the network comes late, and twice");
  app.add_option("--threads", a.batch.threads, "Seeds side by side")->check(CLI::Range(1U, 1024U));
  app.add_flag("--quiet", a.quiet, "Without the story and without what was exercised");
  try {
    app.parse(argc, argv);
    if (!range.empty()) parse_range(range, a.batch);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  a.one = seed->count() > 0;
  if (!flavour.empty()) each.flavour = enum_value<Flavour>(flavour);
  if (!mutation.empty()) {
    each.mutation = *enum_value<Mutation>(mutation);
    a.batch.stop_at_first = true;
  }
  for (const std::string& fault : only) each.only.insert(*enum_value<Fault>(fault));
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
      "{} writes acknowledged, slowest convergence {:.1f} s (seed {}), "
      "longest without writes after a death {:.1f} s (seed {})\n",
      r.seeds, took, static_cast<double>(r.seeds) / busy, a.batch.threads,
      static_cast<double>(r.events) / static_cast<double>(r.seeds),
      std::chrono::duration<double>(r.lived).count() / static_cast<double>(r.seeds), r.acked,
      std::chrono::duration<double>(r.slowest_convergence.first).count(), r.slowest_convergence.second,
      std::chrono::duration<double>(r.slowest_return.first).count(), r.slowest_return.second);
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
