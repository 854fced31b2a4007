// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an all-seeing observer knows of one cluster: the record as committed, what was acknowledged
// to clients and where each write began. The checkers read it; no brain does.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/scheduler_core.h"
#include "sim/sim_executor.h"

namespace mysos::sim {

struct ClusterTruth {
  ClusterId id;
  Cluster cluster;           // as last committed
  bool deleting = false;     // from here on nothing is promised
  bool gone = false;         // its record was erased
  std::vector<TxnId> acked;  // told OK to a client
  std::uint64_t opened = 0;  // the highest epoch that ever lifted read-only
  Instant last_ack{};
};

// Where a write began.
struct Begun {
  std::uint64_t epoch = 0;        // of the server that took it
  std::uint64_t opened_then = 0;  // the highest epoch open in the cluster by then
};

class Truth {
 public:
  std::map<ClusterId, ClusterTruth> clusters;
  std::map<TxnId, Begun> begun;
  // Filled in by the world.
  std::function<const SimVolume*(const VolumeId&)> volume;
  std::function<const std::vector<SimExecutor*>&()> containers;  // living, until one begins or ends

  // The data of a member, whether or not its server runs; null: none.
  [[nodiscard]] const Datadir* data_of(const ClusterTruth& c, const MemberId& member) const {
    const Member* m = c.cluster.find(member);
    const SimVolume* v = m == nullptr || m->volume.empty() ? nullptr : volume(m->volume);
    return v != nullptr && v->data ? &*v->data : nullptr;
  }
};

}  // namespace mysos::sim
