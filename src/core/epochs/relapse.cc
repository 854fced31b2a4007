// SPDX-License-Identifier: Apache-2.0
// Replicas whose servers start again and again, for example because the kernel kills them for memory. Each end of such a server
// takes its acknowledgement away. From the second start in a row on, the member is held back after each start, for a time that
// doubles: it is dropped from the ackers while another one acknowledges, and it is named again only after that time. Where
// nobody else can acknowledge it is named all the same.
#include <algorithm>

#include "core/epochs/planning.h"

namespace mysos {
namespace {

Duration hold_of(const EpochTimes& times, std::uint32_t restarts) {
  if (restarts < 2) return Duration::zero();
  return std::min(times.relapse_hold * (1 << std::min<std::uint32_t>(restarts - 2, 10)), times.relapse_hold_max);
}

bool acknowledged(const EpochPlanning& p, const MemberId& m) {
  return p.record.ackers.contains(m) || p.record.joining.contains(m);
}

// Its server has started again, and the member had acknowledged until the former server ended.
void note_restart(EpochPlanning& p, const MemberView& v, Relapse& known) {
  const bool in_a_row = p.now - std::max(known.last, known.held_until) < p.times.relapse_window;
  known.restarts = known.restarts > 0 && in_a_row ? known.restarts + 1 : 1;
  known.last = p.now;
  const Duration hold = hold_of(p.times, known.restarts);
  if (hold == Duration::zero()) return;
  known.held_until = p.now + hold;
  p.out.held_now.emplace_back(v.id, "its server has started " + std::to_string(known.restarts) +
                                        " times in a row: it acknowledges again after " + std::to_string(to_ms(hold) / 1000) +
                                        " s, or as soon as no other replica can");
}

}  // namespace

void note_relapses(EpochPlanning& p) {
  for (const MemberView& v : p.members) {
    Relapse& known = p.memory.relapses[v.id];
    if (!EpochPlanning::server_up(v)) {
      known.counted = known.counted || acknowledged(p, v.id);
      continue;
    }
    const MemberReport& r = *v.report;
    const bool counted = std::exchange(known.counted, false) || acknowledged(p, v.id);
    const bool restarted = !known.incarnation.empty() && known.incarnation != r.incarnation;
    const bool same_data = known.generation == r.generation;
    known.incarnation = r.incarnation;
    known.generation = r.generation;
    if (restarted && same_data && counted) note_restart(p, v, known);
    if (!p.held_back(v.id)) continue;
    p.revisit(known.held_until);
    if (!p.is_primary(v)) ++p.out.held_back;
  }
}

}  // namespace mysos
