// SPDX-License-Identifier: Apache-2.0
#pragma once
// What executors tell once, such as users' sessions that were ended on a replica: each notice becomes an event.
#include "core/state/member_table.h"

namespace mysos {

// `row` still holds the report before.
void tell_notices(Ledger& ledger, const Cluster& cluster, const MemberRow& row, const MemberReport& now);

}  // namespace mysos
