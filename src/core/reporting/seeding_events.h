// SPDX-License-Identifier: Apache-2.0
#pragma once
// Events about members that are seeded, from the difference between two reports.
#include "core/state/member_table.h"

namespace mysos {

// `row` still holds the previous report.
void tell_seeding(Ledger& ledger, const MemberTable& table, const Cluster& cluster, MemberRow& row, const MemberReport& now);

}  // namespace mysos
