// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who shall be primary: from the record and what is seen, the next record, or the orders that bring the members to the
// record that is. A pure choice, made anew each time: nothing is remembered here, so nothing can be forgotten.
//
// One call gives either `next` (persist it, then call again) or orders, never both: what a record says is ordered only
// once it is durable. The rules and their reasons: docs/architecture.md, "Epochs".
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/member_report.h"

namespace mysos {

// What the scheduler knows of one member at this moment.
struct MemberView {
  MemberId id;
  std::string host;               // where its mysqld is (or will be) reached
  std::uint16_t port = 0;
  bool launched = false;          // has a task that is not known to have ended
  bool connected = false;         // its watch stream is up
  bool task_ended = false;        // Mesos says its task is over, or its agent is gone for good
  Instant last_seen{};            // of the newest report; meaningless where there is none
  std::optional<MemberReport> report;  // newest; may be old
};

struct EpochTimes {
  Duration suspect_after = std::chrono::seconds(1);
  Duration solo_after = std::chrono::seconds(5);
  Duration bootstrap_wait = std::chrono::seconds(60);  // for the whole set, before the first primary is made of fewer
};

// What the caller remembers for the planner between calls about one cluster (volatile; losing it only costs time).
struct EpochMemory {
  std::optional<Instant> silent_since;    // the primary has not been heard of
  std::optional<Instant> no_acker_since;  // no acker receives
  std::optional<Instant> first_ready;     // bootstrap: the first member was ready
  // Reads of the primary's executed set: {taken under this pair, at that seq of that executor}.
  std::optional<GtidSet> snapshot;        // the read a drop, a solo exit or a certification stands on
  Pair snapshot_pair;
};

struct EpochDecision {
  std::optional<EpochRecord> next;
  std::string why;                         // of `next`: goes into the event
  std::string kind;                        // of that event
  std::vector<std::pair<MemberId, Order>> orders;
  std::string waiting_for;                 // a sentence, "" = nothing
  Instant revisit = kNever;                // call again at the latest
};

EpochDecision plan_epoch(const Cluster& cluster, const std::vector<MemberView>& members, const EpochTimes& times,
                         EpochMemory& memory, Instant now);

// How many acknowledgements a commit waits for, given how many could acknowledge.
std::uint32_t wanted_d(Flavour flavour, std::size_t ackers);

}  // namespace mysos
