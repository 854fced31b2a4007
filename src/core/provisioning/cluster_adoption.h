// SPDX-License-Identifier: Apache-2.0
#pragma once
// A cluster that the state does not know, and its way back into it: an operator has it adopted, its record is rebuilt
// (core/provisioning/adoption.h), and each member takes the place that its volume's label or its executor tells. Invariant: a
// place is taken only while the record is in doubt. Nothing is decided from such a record, so a wrong place does no harm, and
// what runs there runs on.
#include <cstddef>
#include <vector>

#include "core/provisioning/orphans.h"
#include "core/provisioning/stage_changes.h"
#include "core/state/scheduler_input.h"

namespace mysos {

class ClusterAdoption {
 public:
  ClusterAdoption(Ledger& ledger, MemberTable& table, Members& members, StageChanges& stages, Reconciler& reconciler,
                  Introductions& introductions, Orphans& orphans, const SchedulerConfig& config, Alarm& alarm);

  Result<ClusterId> adopt(const command::Adopt& in, Instant now);
  // The members of this cluster take the places that were found of them. Nothing, if its record is not in doubt.
  void take_places(const ClusterId& cluster, Instant now);
  void identified(const scheduler_input::Identified& in, Instant now);

 private:
  [[nodiscard]] std::vector<MemberFound> claimable() const;
  [[nodiscard]] Result<std::vector<MemberFound>> unknown_cluster(const command::Adopt& in) const;
  // A place that is newer than the one that the member has; nullptr: there is none.
  [[nodiscard]] const MemberFound* newer_place(const Owner& owner, const std::vector<MemberFound>& found) const;
  void take(const Owner& owner, const MemberFound& found, Instant now);

  Ledger& ledger_;
  MemberTable& table_;
  Members& members_;
  StageChanges& stages_;
  Reconciler& reconciler_;
  Introductions& introductions_;
  Orphans& orphans_;
  const SchedulerConfig& config_;
  Alarm& alarm_;
};

}  // namespace mysos
