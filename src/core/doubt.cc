// SPDX-License-Identifier: Apache-2.0
#include "core/doubt.h"

namespace mysos {

std::string proof_of_old_record(const Cluster& cluster, const std::vector<MemberView>& members) {
  for (const MemberView& v : members) {
    if (!v.report || v.report->promised <= cluster.epoch.pair) continue;
    return v.id.value + " has promised " + to_string(v.report->promised) + ", and the record is at " +
           to_string(cluster.epoch.pair);
  }
  return "";
}

void doubt_record(Ledger& ledger, const ClusterId& id, const std::string& why) {
  const Cluster* found = ledger.find(id);
  if (found == nullptr || found->doubt || found->deleting) return;
  Cluster& cluster = ledger.edit(id);
  cluster.doubt = RecordDoubt{.why = why};
  std::string dropped;
  if (cluster.switchover_to) dropped = "; the switchover in it is not carried out";
  if (cluster.failover) dropped = "; the failover in it is not carried out";
  cluster.switchover_to.reset();
  cluster.failover.reset();
  ledger.event(cluster, {"record_doubted", "the record of this cluster is old, or may be: " + why +
                                               ". Nothing is decided from it until all members have said what they hold" + dropped});
}

}  // namespace mysos
