// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is told of users' sessions that were ended on a replica: from one report to the next.
#include "core/member_table.h"

namespace mysos {

// `row` still holds the report before. What was ended before this scheduler came is not told again.
void tell_readers(Ledger& ledger, const Cluster& cluster, const MemberRow& row, const MemberReport& now);

}  // namespace mysos
