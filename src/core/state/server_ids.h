// SPDX-License-Identifier: Apache-2.0
#pragma once
// The server id of each data directory (docs/adr/0006-server-ids-never-reused.md). Each cluster has a counter. An id is granted
// once, by a record that is durable before the id is used, and no other data of that cluster ever get it. A member's place gets
// an id for the first data, and so does each order to rebuild.
#include <optional>
#include <string>
#include <vector>

#include "core/epochs/planner.h"
#include "core/state/ledger.h"
#include "model/order.h"
#include "model/server_id.h"

namespace mysos {

// Grants the next id. 0: all 4 billion are granted, and no data can be made any more.
std::uint32_t grant_server_id(Cluster& cluster);
bool has_server_id_left(const Cluster& cluster);
// From now on no id up to this one is granted.
void raise_server_ids(Cluster& cluster, std::uint64_t used);
// Renews an old record's counter: above all ids that members have, and above ids that unasked members may have. Replaces the
// ids that the record had granted and that may have been used meanwhile.
void renew_server_ids(Cluster& cluster, const std::vector<MemberView>& members, Prng& prng);
// Data with an id that the record has not granted prove that the record is older than the data.
bool has_unknown_server_id(const Cluster& cluster, const MemberReport& report);

// Completes an order: a Rebuild gets the id of the new data. nullopt: no id is left, and
// `waits` says so.
std::optional<Order> with_server_id(Ledger& ledger, const ClusterId& id, const MemberView& view, Order order,
                                    std::string& waits);

}  // namespace mysos
