// SPDX-License-Identifier: Apache-2.0
// The order of the fences of one election. In a failover all are fenced at once. Where the old primary lives and is waited for,
// it is fenced before the members that acknowledge its commits: otherwise commits would wait for ever, and the server would be
// killed (docs/adr/0005). Any order is safe: in docs/model the fences of an election come in all orders.
#include <algorithm>

#include "core/epochs/planning.h"

namespace mysos {
namespace {

// A switchover, as long as it goes as it should: the old primary is there, and not too much time has passed. Otherwise
// everybody is fenced at once, as in a failover.
const MemberView* orderly_from(const EpochPlanning& p) {
  if (!p.cluster.switchover_to || !p.record.primary || p.electing_for() >= p.times.target_wait) return nullptr;
  const MemberView* primary = p.view(*p.record.primary);
  return primary != nullptr && EpochPlanning::server_up(*primary) ? primary : nullptr;
}

// Those that receive until the old primary is quiet: the target, and as many ackers as commits wait for. The rest is fenced
// before, so that the pause has less to wait for.
bool receives_to_the_end(const EpochPlanning& p, const MemberView& asked) {
  if (p.cluster.switchover_to == asked.id) return true;
  const MemberView* target = p.view(*p.cluster.switchover_to);
  std::uint32_t missing = p.record.mode == EpochMode::kNormal ? p.record.d : 0;
  if (target != nullptr && p.record.ackers.contains(target->id) && missing > 0) --missing;
  for (const MemberView& v : p.members) {
    if (missing == 0) return false;
    if (!p.record.ackers.contains(v.id) || p.cluster.switchover_to == v.id) continue;
    if (v.id == asked.id) return true;
    if (EpochPlanning::in_sight(v) && (v.report->receiver_connected || p.fenced(v))) --missing;
  }
  return false;
}

// In a switchover: first those that commits do not wait for, then the old primary, and once it is quiet those that have yet to
// receive the rest of what it wrote: fenced at once, another might hold a write that the target lacks.
bool waits_in_switchover(EpochPlanning& p, const MemberView& v, const MemberView& primary) {
  p.revisit(*p.memory.election_since + p.times.target_wait);
  if (!p.is_primary(v)) return receives_to_the_end(p, v) && !p.fenced(primary);
  if (p.electing_for() >= p.times.early_wait) return false;
  p.revisit(*p.memory.election_since + p.times.early_wait);
  return std::ranges::any_of(p.members, [&](const MemberView& other) {
    return !p.is_primary(other) && EpochPlanning::server_up(other) && !receives_to_the_end(p, other) && !p.fenced(other);
  });
}

// In doubt the record does not show who serves. The reports do: it is the member that was last ordered to be the primary.
const MemberView* true_leader(const EpochPlanning& p) {
  const MemberView* leader = nullptr;
  if (!p.cluster.doubt) return nullptr;
  for (const MemberView& v : p.members) {
    if (!EpochPlanning::server_up(v) || v.report->led.value_or(0) == 0) continue;
    if (leader == nullptr || v.report->led > leader->report->led) leader = &v;
  }
  return leader;
}

bool receives_from(const MemberView& v, const MemberView& source) {
  return v.report && v.report->role == MemberRole::kReplica && v.report->source == source.id && v.report->receiver_connected;
}

// In doubt: those that receive from the true primary, until that is quiet. It keeps its role for as long as it is not.
bool waits_in_doubt(EpochPlanning& p, const MemberView& v) {
  const MemberView* leader = true_leader(p);
  if (leader == nullptr || leader->report->role != MemberRole::kPrimary || !p.answers(*leader)) return false;
  if (!receives_from(v, *leader) || p.electing_for() >= p.times.leader_wait) return false;
  p.revisit(*p.memory.election_since + p.times.leader_wait);
  return true;
}

bool waits_for_its_fence(EpochPlanning& p, const MemberView& v) {
  const MemberView* primary = orderly_from(p);
  return primary != nullptr ? waits_in_switchover(p, v, *primary) : waits_in_doubt(p, v);
}

// What the fences of a switchover say besides, and those of replicas whose primary is quiet.
void prepare(EpochPlanning& p) {
  const MemberView* primary = orderly_from(p);
  const MemberView* leader = true_leader(p);
  const MemberView* target = primary != nullptr ? p.view(*p.cluster.switchover_to) : nullptr;
  for (auto& [member, order] : p.out.orders) {
    const MemberView& v = *p.view(member);
    auto& fence = std::get<order::Fence>(order);
    if (leader != nullptr && p.fenced(*leader) && receives_from(v, *leader)) fence.receive = leader->report->received;
    if (primary == nullptr || p.is_primary(v)) continue;
    if (p.fenced(*primary)) {
      fence.receive = primary->report->received;
    } else if (target != nullptr && target->id != member) {
      fence.next_host = target->host;
      fence.next_port = target->source_port;
    }
  }
}

}  // namespace

void order_fences(EpochPlanning& p) {
  for (const MemberView& v : p.members) {
    if (!EpochPlanning::in_sight(v)) continue;
    const bool promised = v.report->promised == p.record.pair;
    const bool done = promised && (p.fenced(v) || v.report->server != ServerState::kRunning);
    if (!done && v.report->promised <= p.record.pair && !waits_for_its_fence(p, v)) {
      p.out.orders.emplace_back(v.id, order::Fence{p.record.pair});
    }
  }
  prepare(p);
}

}  // namespace mysos
