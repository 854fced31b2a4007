// SPDX-License-Identifier: Apache-2.0
#pragma once
// An applier that runs, has received more, and executes nothing. Either it works on one long transaction, or it waits for a
// lock that no session holds (a prepared XA transaction has no session). A replica in either state could not take over
// quickly. Only the second kind counts as failed, after a while: the first one ends by itself. Pure.
#include <string>

#include "base/time.h"
#include "model/member_report.h"

namespace mysos {

// An applier that has executed nothing for so long stands still: few transactions take so long, and whoever waits for an
// election would wait at least as long again.
inline constexpr Duration kStandstill = std::chrono::seconds(10);
// A wait of an applier for a lock that no session holds. By then the server has given up its own wait for the lock once (InnoDB
// does after 50 s) and has tried again.
inline constexpr Duration kStuckFor = std::chrono::seconds(60);

bool stands_still(const MemberReport& r);
// It waits for a lock that no session holds, and has for so long that it is not expected to go on.
bool stuck_for_good(const MemberReport& r);
// It will execute what it has received, as far as can be told: an applier that stands still is not counted on, nor one that
// has stopped.
bool drains(const MemberReport& r);

// "its applier is stalled: it waits for a row lock ...; the next transaction is 0-1-28". Does not change from second to
// second.
std::string standstill_text(const MemberReport& r);

}  // namespace mysos
