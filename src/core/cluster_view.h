// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a cluster looks like from outside, derived from its record and from what its members report. Pure.
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
  std::size_t held_back = 0;  // replicas that may not acknowledge yet: their servers start again and again
};

// Its recorded primary takes writes, and the user can log in there.
bool serves(const Cluster& cluster, const std::vector<MemberView>& members);

// ... and its volume takes them.
bool takes_writes(const Cluster& cluster, const std::vector<MemberView>& members);

// The member that is known to be the primary, and the pair that it serves under. Of a record that may be old that is whoever is
// seen to take writes and has promised most; nullptr where nobody is.
const MemberView* known_primary(const ClusterView& view);
Pair known_pair(const ClusterView& view);
// An election is under way: not one of a record that may be old.
bool known_electing(const ClusterView& view);

// Tells a member who the others are, where it does not know.
std::optional<Order> introduction(const Cluster& cluster, const MemberView& view);

// Replicas that run and receive, and could not become the primary: the applier has stopped, or somebody wrote on them.
std::size_t unsound_replicas(const ClusterView& view);

// `fresh`: it has not served yet since it was made.
ClusterState state_of(const Cluster& cluster, const std::vector<MemberView>& members, bool fresh);

// The state that is told beside `waiting_for`. A cluster is healthy only where nothing is waited for: whatever is waited for
// says that something is amiss, and a command that waits for "healthy" would end too early.
ClusterState state_beside(ClusterState state, const std::string& waiting_for);

}  // namespace mysos
