// SPDX-License-Identifier: Apache-2.0
// Who is named an acker remembers what it acknowledges, as far as its scheduler knows: the next election asks all but d - 1 of
// them. One that forgot is named only where nobody else could be.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers.h"

namespace mysos::sim {

void check_named(Sim& sim, const ClusterTruth& now, const EpochRecord& before, const SchedulerCore& by) {
  const EpochRecord& record = now.cluster.epoch;
  const auto outside = [&](const MemberId& m) { return record.shut_out.contains(m) && !before.ackers.contains(m); };
  const bool goes_on = before.pair.epoch == record.pair.epoch && !before.electing && !record.electing;
  if (goes_on && std::ranges::any_of(record.ackers, outside)) sim.coverage.hit(Mark::kNamedOutside);
  if (record.electing || now.deleting) return;
  std::set<MemberId> named = record.ackers;
  named.insert(record.joining.begin(), record.joining.end());
  const std::size_t all = named.size();
  if (before.pair.epoch == record.pair.epoch && !before.electing) {
    std::erase_if(named, [&](const MemberId& m) { return before.ackers.contains(m) || before.joining.contains(m); });
  }
  if (named.empty() || all < 2) return;
  const auto view = by.view(now.cluster.spec.name, sim.now());
  if (!view) return;
  const auto forgot = [&](const MemberView& v) { return v.report && !v.report->remembers(); };
  const auto forgetful = std::ranges::count_if(view->members, [&](const auto& v) { return named.contains(v.id) && forgot(v); });
  sim.coverage.hit(Mark::kNamedChecked);
  const bool nobody_else = named.size() == all && static_cast<std::size_t>(forgetful) == all && !record.joining.empty();
  if (forgetful == 0 || nobody_else) return;
  sim.violate(fmt::format("named: {} acker(s) of {} at {} cannot say what they acknowledged, and others could", forgetful,
                          now.id.str(), to_string(record.pair)));
}

}  // namespace mysos::sim
