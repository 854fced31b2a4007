// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which server id a data directory gets (docs/adr/0006-server-ids-never-reused.md). Each cluster counts: an id is granted once,
// by a record that is durable before anybody is told, and no other data of that cluster ever get it. Whoever makes data names
// the id that was granted for them: a member's place gets one, and so does each order to make data anew.
#include <optional>
#include <string>
#include <vector>

#include "core/epochs/planner.h"
#include "core/state/ledger.h"
#include "model/order.h"
#include "model/server_id.h"

namespace mysos {

// The next one. 0: all 4 billion are granted, and no data can be made any more.
std::uint32_t grant_server_id(Cluster& cluster);
bool has_server_id_left(const Cluster& cluster);
// No id up to this one is granted from now on.
void raise_server_ids(Cluster& cluster, std::uint64_t used);
// The record was old, so its counter is, too. Above all that members have, and what members may have that were not asked.
// The ids in it that were granted and may have been used meanwhile are replaced.
void renew_server_ids(Cluster& cluster, const std::vector<MemberView>& members, Prng& prng);
// Data with an id that the record has not granted: the record is older than they are.
bool has_unknown_server_id(const Cluster& cluster, const MemberReport& report);

// The order with what the ledger adds to it: an order to make data anew names the id that they get. nullopt: no id is left, and
// `waits` says so.
std::optional<Order> with_server_id(Ledger& ledger, const ClusterId& id, const MemberView& view, Order order,
                                    std::string& waits);

}  // namespace mysos
