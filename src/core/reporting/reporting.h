// SPDX-License-Identifier: Apache-2.0
#pragma once
// Takes a member's report into the scheduler's state.
#include "core/state/member_table.h"

namespace mysos {

// Keeps the report if it is of the member's newest task and its known volume, and newer than the last one. Returns the member's
// row, or nullptr for a report that does not count.
MemberRow* note_report(Ledger& ledger, MemberTable& table, const SharedValue<MemberReport>& said, Instant now);

}  // namespace mysos
