// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is wrong with a replica that runs and receives. A replica may acknowledge, be connected and lag by nothing, and still be
// unable to become the primary: its applier has stopped, or somebody wrote on it. Both are read from the reports, each time.
#include "core/epoch_planner.h"

namespace mysos {

// What this replica holds and the primary that it follows cannot have sent: somebody wrote on the replica. Empty where it holds
// no such thing, or where that cannot be told now.
//
// The two reports may be of any age. What the primary itself writes is left out, since a replica may be ahead of the primary's
// report in that; what others wrote is fixed from the moment the primary opened, because a primary receives nothing.
GtidSet errant_while_following(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica);

// Its executor has started its applier again, and it stopped at the same place; or it is stuck for good (standstill.h).
bool applier_failed(const MemberReport& replica);

// It applies what it receives and does not stand still, and nobody wrote on it.
bool sound(const EpochRecord& record, const MemberReport& primary, const MemberReport& replica);

// Of one whose applier has failed.
std::string why_failed(const MemberReport& replica);

// "error 1032: Could not execute ..."; for an applier that somebody stopped, that.
std::string why_stopped(const MemberReport& replica);

}  // namespace mysos
