// SPDX-License-Identifier: Apache-2.0
#pragma once
// What becomes of a member's report.
#include "core/state/member_table.h"

namespace mysos {

// Notes it, if it is of the member's newest task, of the volume it always had, and not older than what is known. The member's
// row; nullptr for a report that counts for nothing.
MemberRow* note_report(Ledger& ledger, MemberTable& table, const SharedValue<MemberReport>& said, Instant now);

}  // namespace mysos
