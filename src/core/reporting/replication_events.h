// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is told of replicas that run and are not sound: appliers that stopped, receivers that fail, transactions that somebody
// wrote on a replica. Each is told once, in the server's own words, and again when it is another one.
#include "core/state/member_table.h"

namespace mysos {

// Called with each report, once its row holds it.
void tell_replication(Ledger& ledger, MemberTable& table, const Cluster& cluster, MemberRow& row, Instant now);

}  // namespace mysos
