// SPDX-License-Identifier: Apache-2.0
#pragma once
// Stalled appliers: an applier that runs, has received more, and executes nothing. Either it works on one long transaction, or
// it waits for a lock that no session holds (a prepared XA transaction has no session). In both cases the replica could not
// take over quickly. Only the second case counts as a failure, after a while, because the first ends by itself. Pure.
#include <string>

#include "base/time.h"
#include "model/member_report.h"

namespace mysos {

// An applier that has executed nothing for so long is stalled. Few transactions take so long, and an election would have to
// wait at least as long again.
inline constexpr Duration kStalledAfter = std::chrono::seconds(10);
// An applier that waits so long for a lock that no session holds has failed. By then the server has given up its own wait once
// (InnoDB does after 50 s) and has tried again.
inline constexpr Duration kStuckFor = std::chrono::seconds(60);

bool is_stalled(const MemberReport& r);
// The applier has waited for a lock that no session holds for so long that it is not expected to continue.
bool stuck_for_good(const MemberReport& r);
// The applier is expected to execute everything that was received. False for a stalled or stopped applier with work
// left.
bool drains(const MemberReport& r);

// "its applier is stalled: it waits for a row lock ...; the next transaction is 0-1-28". Contains no time, so it
// does not change from second to second.
std::string stall_text(const MemberReport& r);

}  // namespace mysos
