// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an all-seeing observer knows of one cluster: the record as committed, what was acknowledged
// to clients and where each write began. The checkers read it; no brain does.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/scheduler_core.h"
#include "sim/sim_executor.h"

namespace mysos::sim {

struct ClusterTruth {
  ClusterId id;
  Cluster cluster;           // as last committed
  bool deleting = false;     // from here on nothing is promised
  bool gone = false;         // its record was erased
  std::vector<TxnId> acked;  // told OK to a client, and not given up
  std::map<std::uint64_t, Instant> opened;  // epochs that ever lifted read-only: since when
  std::size_t losses_accepted = 0;  // by an operator: requests that were sent
  // Epochs whose primary was chosen without proof, because an operator had accepted the loss. What that primary lacked
  // is given up, and so is what older ones go on acknowledging: nobody could fence them.
  std::set<std::uint64_t> forced;
  Instant last_ack{};
  Instant last_begun_acked{};  // when the newest of those began
  bool forgotten = false;      // the state was put back to one that does not know it
  bool adopted = false;        // ... and an operator had it taken back
  std::map<MemberId, VolumeId> volumes;  // of its members, also while the record does not know where they are
  std::set<MemberId> may_throw_away;  // a record has named them since their data were made

  // An epoch has been forced since.
  [[nodiscard]] bool left_behind(std::uint64_t epoch) const { return forced.upper_bound(epoch) != forced.end(); }
};

// Where a write began.
struct Begun {
  std::uint64_t epoch = 0;  // of the server that took it
  Instant at{};
};

class Truth {
 public:
  std::map<ClusterId, ClusterTruth> clusters;
  std::map<TxnId, Begun> begun;
  std::set<ClusterId> harmed;  // clusters whose replicas users did harm to
  std::set<VolumeId> may_destroy;  // a user has asked for that
  // Filled in by the world.
  std::function<const SimVolume*(const VolumeId&)> volume;       // a lost one, rather than what stands in its place
  std::function<const std::vector<SimExecutor*>&()> containers;  // living, until one begins or ends

  [[nodiscard]] const SimVolume* volume_of(const ClusterTruth& c, const MemberId& member) const {
    const Member* m = c.cluster.find(member);
    if (m == nullptr) return nullptr;
    if (m->granted) return volume(m->place().volume);
    const auto before = c.volumes.find(member);
    return before == c.volumes.end() ? nullptr : volume(before->second);
  }
  // The data of a member, whether or not its server runs; null: none. The volume is the identity: one that was lost is that
  // of a member that is never seen again, and what stands in its place is nobody's.
  [[nodiscard]] const Datadir* data_of(const ClusterTruth& c, const MemberId& member) const {
    const SimVolume* v = volume_of(c, member);
    return v != nullptr && v->data ? &*v->data : nullptr;
  }
  [[nodiscard]] bool lost(const ClusterTruth& c, const MemberId& member) const {
    const SimVolume* v = volume_of(c, member);
    return v != nullptr && v->lost;
  }
};

}  // namespace mysos::sim
