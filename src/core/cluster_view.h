// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a cluster looks from outside: derived from its record and its members' reports. Pure.
#include <cstddef>
#include <string>
#include <vector>

#include "core/epochs/planner.h"
#include "model/cluster.h"

namespace mysos {

// What the API shows of a cluster and its members; never stored.
struct ClusterView {
  const Cluster* cluster = nullptr;
  ClusterState state = ClusterState::kCreating;
  std::vector<MemberView> members;  // in the order of cluster->members
  std::string waiting_for;
  std::size_t held_back = 0;  // replicas that may not acknowledge yet, because their servers start again and again
};

// The recorded primary takes writes, and the user can log in there.
bool serves(const Cluster& cluster, const std::vector<MemberView>& members);

// ... and the primary's volume takes writes.
bool takes_writes(const Cluster& cluster, const std::vector<MemberView>& members);

// The member that is known to be the primary, and the pair that it serves under. If the record may be old, this is the member
// that takes writes and has promised the highest pair. nullptr: none.
const MemberView* known_primary(const ClusterView& view);
Pair known_pair(const ClusterView& view);
// An election is under way, and the cluster is not in doubt.
bool known_electing(const ClusterView& view);

// Orders a member to meet the others, if its list of them is not the present one.
std::optional<Order> introduction(const Cluster& cluster, const MemberView& view);

// Replicas that run and receive but could not become the primary: the applier has stopped, or somebody wrote on them.
std::size_t unsound_replicas(const ClusterView& view);

// `fresh`: the cluster has not served since it was created.
ClusterState state_of(const Cluster& cluster, const std::vector<MemberView>& members, bool fresh);

// The state that the API shows beside `waiting_for`. A cluster is healthy only if `waiting_for` is empty. Otherwise a command
// that waits for "healthy" would end too early.
ClusterState state_beside(ClusterState state, const std::string& waiting_for);

}  // namespace mysos
