// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is wrong with a replica that runs and receives. A replica may be connected, acknowledge and have no lag, and still be
// unable to become the primary: its applier has stopped or is stalled, somebody wrote on it, or somebody reset its binary logs.
// The functions here read that from the reports. Pure.
#include <optional>
#include <string>

#include "core/epochs/planner.h"

namespace mysos {

// Whether the GTID sets of this report were read from its server. A server that does not run, or has not been read since it
// started, shows empty sets: compared with those, everything that another member holds would look errant.
bool tells_what_it_holds(const MemberReport& report);

// What this member wrote itself beyond `floor`. On MySQL, GTIDs may have a tag after the server's name.
GtidSet own_writes(const MemberReport& report, const GtidSet& floor);

// The other member holds transactions that this one wrote and does not know. So its binary logs were reset unnoticed.
bool forgot_names(const MemberReport& report, const MemberReport& other);

// What this replica holds that its primary cannot have sent. Empty if there is no such transaction, or if the reports do not
// show it.
//
// The two reports may be of any age. The primary's own writes are left out, because a replica may be ahead of the primary's
// report. What others wrote is fixed from the moment the primary opened, because a primary receives nothing.
GtidSet foreign_to_primary(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica);

// What somebody wrote on the replica while it followed. A replica that still carries out an order, or has not promised the
// present epoch, may hold earlier foreign transactions. Its executor decides about those when the replica attaches.
GtidSet errant_while_following(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica);

// Why a replica that follows could not become the primary.
struct Flaw {
  std::string text;    // of the replica: "its applier has stopped: error 1032: ..."
  bool lasts = false;  // its executor cannot repair it; false for an applier that the executor is about to start again
  GtidSet errant{};    // what only the replica holds
};
// None: its applier runs and is not stalled (stalled_applier.h), and nobody wrote on it.
std::optional<Flaw> flaw_of(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica);

inline bool sound(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica) {
  return !flaw_of(record, primary, replica);
}

// "error 1032: Could not execute ...", or that somebody stopped the applier.
std::string why_stopped(const MemberReport& replica);

}  // namespace mysos
