// SPDX-License-Identifier: Apache-2.0
#include "core/cluster_view.h"

#include <algorithm>
#include <ranges>

#include "core/epochs/soundness.h"
#include "model/silence.h"

namespace mysos {
namespace {

const MemberView* primary_of(const Cluster& cluster, const std::vector<MemberView>& members) {
  const auto it = std::ranges::find_if(members, [&](const MemberView& v) { return cluster.epoch.primary == v.id; });
  return it == members.end() ? nullptr : &*it;
}

bool in_sight(const MemberView* v) { return v != nullptr && v->in_sight(); }

bool follows(const Cluster& cluster, const MemberView& v) {
  return in_sight(&v) && v.report->role == MemberRole::kReplica && v.report->receiver_connected &&
         v.report->source == cluster.epoch.primary;
}

// The replica applies what it receives, and nobody wrote on it: it could become the primary. An acker could also tell an
// election what it acknowledged. A replica that was rebuilt follows long before it has what the others have.
bool in_place(const Cluster& cluster, const MemberView& primary, const MemberView& v) {
  const bool acker = cluster.epoch.ackers.contains(v.id);
  return follows(cluster, v) && v.can_write() && v.report->server_silent_ms < kServerSilentMs &&
         sound(cluster.epoch, *primary.report, *v.report) &&
         foreign_to_primary(cluster.epoch, *primary.report, *v.report).empty() && behind(v, primary) <= kFarBehind &&
         (!acker || (v.report->acking && v.report->remembers()));
}

// As many acknowledge as there can be: any one member may die.
bool all_in_place(const Cluster& cluster, const std::vector<MemberView>& members) {
  const MemberView& primary = *primary_of(cluster, members);
  const EpochRecord& record = cluster.epoch;
  const auto untouched = [](const MemberView& v) { return v.report && v.report->tampered.empty(); };
  const bool acknowledged = primary.report->semi_sync_clients >= record.d && !primary.report->commits_stuck;
  return (acknowledged || record.mode != EpochMode::kNormal) && record.leaving.empty() &&
         std::ranges::all_of(members, untouched) && primary.report->server_silent_ms < kServerSilentMs &&
         record.ackers.size() == most_ackers(cluster.spec.flavour, members.size()) &&
         std::ranges::all_of(members, [&](const MemberView& v) { return &v == &primary || in_place(cluster, primary, v); }) &&
         std::ranges::all_of(cluster.members, [](const Member& m) { return m.stage == MemberStage::kRunning; });
}

}  // namespace

bool serves(const Cluster& cluster, const std::vector<MemberView>& members) {
  const MemberView* p = primary_of(cluster, members);
  return !cluster.epoch.electing && in_sight(p) && p->report->role == MemberRole::kPrimary && p->report->writable &&
         p->report->user_ready;
}

bool takes_writes(const Cluster& cluster, const std::vector<MemberView>& members) {
  return serves(cluster, members) && primary_of(cluster, members)->can_write();
}

const MemberView* known_primary(const ClusterView& view) {
  if (!view.cluster->doubt) return primary_of(*view.cluster, view.members);
  const MemberView* found = nullptr;
  for (const MemberView& v : view.members) {
    const bool open = in_sight(&v) && v.report->role == MemberRole::kPrimary && v.report->writable;
    if (open && (found == nullptr || v.report->promised > found->report->promised)) found = &v;
  }
  return found;
}

Pair known_pair(const ClusterView& view) {
  const MemberView* primary = view.cluster->doubt ? known_primary(view) : nullptr;
  return primary != nullptr ? std::max(primary->report->promised, view.cluster->epoch.pair) : view.cluster->epoch.pair;
}

bool known_electing(const ClusterView& view) {
  const Cluster& cluster = *view.cluster;
  return cluster.epoch.electing && (!cluster.doubt || cluster.doubt->asking == cluster.epoch.pair.epoch);
}

std::optional<Order> introduction(const Cluster& cluster, const MemberView& view) {
  if (!view.connected || !view.report) return std::nullopt;
  auto others = cluster.members | std::views::filter([&](const Member& m) {
                  return m.id != view.id && m.granted && m.place().api_port != 0;
                });
  const auto is = [](const Member& m, const Peer& p) {
    return p.member == m.id && p.host == m.place().ip && p.api_port == m.place().api_port;
  };
  if (std::ranges::equal(others, view.report->peers, is)) return std::nullopt;
  order::Meet meet;
  for (const Member& m : others) meet.peers.push_back({m.id, m.place().ip, m.place().api_port});
  return meet;
}

std::size_t unsound_replicas(const ClusterView& view) {
  const MemberView* primary = primary_of(*view.cluster, view.members);
  if (!in_sight(primary)) return 0;
  return static_cast<std::size_t>(std::ranges::count_if(view.members, [&](const MemberView& v) {
    return &v != primary && follows(*view.cluster, v) && !sound(view.cluster->epoch, *primary->report, *v.report);
  }));
}

ClusterState state_of(const Cluster& cluster, const std::vector<MemberView>& members, bool fresh) {
  if (cluster.deleting) return ClusterState::kDeleting;
  if (cluster.doubt) return ClusterState::kInDoubt;
  if (cluster.epoch.mode == EpochMode::kVirgin) return ClusterState::kCreating;
  if (cluster.epoch.electing) return ClusterState::kFailingOver;
  if (takes_writes(cluster, members)) {
    return all_in_place(cluster, members) ? ClusterState::kHealthy : ClusterState::kDegraded;
  }
  const MemberView* p = primary_of(cluster, members);
  const bool suspect = !in_sight(p) || p->task_ended || p->report->server == ServerState::kExited;
  if (suspect && cluster.members.size() > 1 && cluster.epoch.mode == EpochMode::kNormal) {
    return ClusterState::kFailingOver;
  }
  return fresh ? ClusterState::kCreating : ClusterState::kUnavailable;
}

ClusterState state_beside(ClusterState state, const std::string& waiting_for) {
  return state == ClusterState::kHealthy && !waiting_for.empty() ? ClusterState::kDegraded : state;
}

}  // namespace mysos
