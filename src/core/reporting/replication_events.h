// SPDX-License-Identifier: Apache-2.0
#pragma once
// Events about replicas that run and are not sound: stopped or stalled appliers, failing receivers, transactions that somebody
// wrote on a replica. Each cause makes one event with the server's own error, and another cause makes another event.
#include "core/state/member_table.h"

namespace mysos {

// Called with each report, after its row holds it.
void tell_replication(Ledger& ledger, MemberTable& table, const Cluster& cluster, MemberRow& row, Instant now);

}  // namespace mysos
