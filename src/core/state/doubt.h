// SPDX-License-Identifier: Apache-2.0
#pragma once
// A record that may be older than what the members did: what proves it, and what is noted then. How such a cluster is brought
// back is in epochs/doubt.cc; the reasons are in docs/adr/0009-old-record.md.
#include <string>
#include <vector>

#include "core/epochs/planner.h"
#include "core/state/ledger.h"

namespace mysos {

// Notes the doubt where this report proves that the record is old. Each record is durable before a member hears of it, so no
// member can have promised more than the newest record.
void doubt_if_proven(Ledger& ledger, const Cluster& cluster, const MemberReport& report);

// From now on nothing is decided from the record of this cluster. What operators had asked for is dropped: it may have been
// carried out already. Nothing happens where the cluster is in doubt already or is being deleted.
void doubt_record(Ledger& ledger, const ClusterId& id, const std::string& why);
// An election has asked all members, or those that an operator says are left: its record is in force again. A member of which
// no place was found is placed anew, and no task id of its old place is used twice, nor any server id.
void end_doubt(Cluster& cluster, const std::vector<MemberView>& members, Prng& prng);
// By how much to raise the count of launches of a record that may be old: it does not know the last task id.
std::uint64_t launches_unseen(Prng& prng);
// The whole state was put back.
void doubt_all_records(Ledger& ledger, const std::string& why);

}  // namespace mysos
