// SPDX-License-Identifier: Apache-2.0
#pragma once
// Records that may be older than what the members did: what proves it, and what the scheduler notes then. epochs/doubt.cc ends
// the doubt. The reasons are in docs/adr/0009-old-record.md.
#include <string>
#include <vector>

#include "core/epochs/planner.h"
#include "core/state/ledger.h"

namespace mysos {

// Notes the doubt if this report proves that the record is old. Each record is durable before a member gets its order, so no
// member can have promised more than the newest record.
void doubt_if_proven(Ledger& ledger, const Cluster& cluster, const MemberReport& report);

// From now on nothing is decided from the record of this cluster. Operators' pending commands are dropped, because they may
// have been carried out already. Does nothing if the cluster is in doubt already or is being deleted.
void doubt_record(Ledger& ledger, const ClusterId& id, const std::string& why);
// An election has asked all members, or those that an operator says are left, so the record is in force again. A member without
// a place gets a new one. No task id of its old place and no server id is used twice.
void end_doubt(Cluster& cluster, const std::vector<MemberView>& members, Prng& prng);
// The amount by which to raise the count of launches of an old record, which does not know the last task id.
std::uint64_t launches_unseen(Prng& prng);
// The whole state was put back.
void doubt_all_records(Ledger& ledger, const std::string& why);

}  // namespace mysos
