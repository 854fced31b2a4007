// SPDX-License-Identifier: Apache-2.0
#pragma once
// Notices: things that executors report once, such as ended sessions of users. Each notice becomes an event.
#include "core/state/member_table.h"

namespace mysos {

// `row` still holds the previous report.
void tell_notices(Ledger& ledger, const Cluster& cluster, const MemberRow& row, const MemberReport& now);

}  // namespace mysos
