// SPDX-License-Identifier: Apache-2.0
#include "core/state/server_ids.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace mysos {
namespace {

// Ids that may have been granted since an old copy of the record was made, to members that nobody can ask.
constexpr std::uint64_t kServerIdsUnseen = 1 << 20;

// An id is used once data are there that have it: then the next data need another one. A copy that broke off has made none.
bool is_used(std::uint32_t granted, const MemberReport& report) {
  return granted == 0 || (granted == report.data_server_id && !report.needs_copy);
}

std::uint32_t next_of(const Cluster& cluster) {
  std::uint64_t id = cluster.next_server_id;
  while (is_server_id_of_0_1(id)) ++id;
  return id > std::numeric_limits<std::uint32_t>::max() ? 0 : static_cast<std::uint32_t>(id);
}

}  // namespace

std::uint32_t grant_server_id(Cluster& cluster) {
  const std::uint32_t id = next_of(cluster);
  if (id != 0) cluster.next_server_id = std::uint64_t{id} + 1;
  return id;
}

bool has_server_id_left(const Cluster& cluster) { return next_of(cluster) != 0; }

void raise_server_ids(Cluster& cluster, std::uint64_t used) {
  if (!is_server_id_of_0_1(used)) cluster.next_server_id = std::max(cluster.next_server_id, used + 1);
}

void renew_server_ids(Cluster& cluster, const std::vector<MemberView>& members, Prng& prng) {
  for (const MemberView& v : members) {
    if (v.report) raise_server_ids(cluster, v.report->data_server_id);
  }
  // Two restores of one copy do not begin at the same id.
  cluster.next_server_id += kServerIdsUnseen + prng.below(kServerIdsUnseen);
  for (Member& m : cluster.members) m.server_id = grant_server_id(cluster);
}

bool has_unknown_server_id(const Cluster& cluster, const MemberReport& report) {
  return report.data_server_id >= cluster.next_server_id && !is_server_id_of_0_1(report.data_server_id);
}

std::optional<Order> with_server_id(Ledger& ledger, const ClusterId& id, const MemberView& view, Order order,
                                    std::string& waits) {
  auto* rebuild = std::get_if<order::Rebuild>(&order);
  if (rebuild == nullptr) return order;
  const Member* known = ledger.find(id)->find(view.id);
  if (is_used(known->server_id, *view.report)) {
    Cluster& cluster = ledger.edit(id);
    const std::uint32_t granted = grant_server_id(cluster);
    if (granted == 0) {
      waits = "nothing any more: no server id is left for the new data of " + view.id.value;
      return std::nullopt;
    }
    cluster.find(view.id)->server_id = granted;
  }
  rebuild->server_id = known->server_id;
  return order;
}

}  // namespace mysos
