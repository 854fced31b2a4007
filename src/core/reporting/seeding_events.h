// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is told of members whose data are rebuilt: from one report to the next.
#include "core/state/member_table.h"

namespace mysos {

// `row` still holds the report before.
void tell_seeding(Ledger& ledger, const MemberTable& table, const Cluster& cluster, MemberRow& row, const MemberReport& now);

}  // namespace mysos
