// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is wrong with a replica that runs and receives. A replica may acknowledge, be connected and lag by nothing, and still be
// unable to become the primary: its applier has stopped, somebody wrote on it, or somebody reset its binary logs. All of that
// is read from the reports, each time.
#include <optional>
#include <string>

#include "core/epochs/planner.h"

namespace mysos {

// Whether the GTID sets of this report were read from its server. A server that does not run, or has not been read since it
// started, shows empty sets: compared with those, everything that another member holds would look errant.
bool tells_what_it_holds(const MemberReport& report);

// What this member holds of its own beyond `floor`. MySQL adds a tag to the name of a server.
GtidSet own_writes(const MemberReport& report, const GtidSet& floor);

// The other member holds what this one wrote and does not know: somebody reset its binary logs, unseen by its executor.
bool forgot_names(const MemberReport& report, const MemberReport& other);

// What this replica holds and the primary that it follows cannot have sent. Empty where the replica holds no such transaction,
// or where the reports do not tell.
//
// The two reports may be of any age. What the primary itself writes is left out, since a replica may be ahead of the primary's
// report in that; what others wrote is fixed from the moment the primary opened, because a primary receives nothing.
GtidSet foreign_to_primary(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica);

// Somebody wrote this on the replica while it followed. A replica that still carries out an order, or has not promised the
// present epoch, may hold foreign transactions from before: the executor itself decides about those when it attaches.
GtidSet errant_while_following(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica);

// Why a replica that follows could not become the primary.
struct Flaw {
  std::string text;    // of the replica: "its applier has stopped: error 1032: ..."
  bool lasts = false;  // its executor cannot mend it: an applier that has just stopped is about to be started again
  GtidSet errant{};    // what only the replica holds
};
// None: it applies what it receives and does not stand still (standstill.h), and nobody wrote on it.
std::optional<Flaw> flaw_of(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica);

inline bool sound(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica) {
  return !flaw_of(record, primary, replica);
}

// "error 1032: Could not execute ..."; for an applier that somebody stopped, that.
std::string why_stopped(const MemberReport& replica);

}  // namespace mysos
