// SPDX-License-Identifier: Apache-2.0
// Isolation: a primary that reaches neither the scheduler nor a majority stops serving after `isolate_after`, 3 s by a clock
// that may be slow, so that nobody reads there what another has long changed.
#include <fmt/format.h>

#include "sim/checkers.h"

namespace mysos::sim {
namespace {

constexpr Duration kAllowed = milliseconds(3500);

}  // namespace

void check_isolation(Sim& sim, const MemberReport& report, Duration alone) {
  if (report.role != MemberRole::kPrimary || !report.writable || alone == Duration{}) return;
  sim.coverage.hit(Mark::kAlone);
  if (alone > kAllowed) {
    sim.violate(fmt::format("isolation: {} serves, and has reached nobody for {} ms", report.member.str(), to_ms(alone)));
  }
}

}  // namespace mysos::sim
