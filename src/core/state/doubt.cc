// SPDX-License-Identifier: Apache-2.0
#include "core/state/doubt.h"

#include <vector>

#include "core/state/server_ids.h"

namespace mysos {

void doubt_if_proven(Ledger& ledger, const Cluster& cluster, const MemberReport& report) {
  if (cluster.doubt) return;
  if (report.promised > cluster.epoch.pair) {
    doubt_record(ledger, cluster.id, report.member.value + " has promised " + to_string(report.promised) +
                                         ", and the record is at " + to_string(cluster.epoch.pair));
  } else if (has_unknown_server_id(cluster, report)) {
    doubt_record(ledger, cluster.id, report.member.value + " has data of server id " + std::to_string(report.data_server_id) +
                                         ", which the record has not granted");
  }
}

void doubt_all_records(Ledger& ledger, const std::string& why) {
  ledger.event({EventKind::kStatePutBack, why});
  std::vector<ClusterId> all;
  for (const auto& [id, cluster] : ledger.state().clusters) all.push_back(id);
  for (const ClusterId& id : all) {
    if (ledger.find(id)->doubt) ledger.edit(id).doubt.reset();  // that is of the copy too, and so is what was asked for then
    doubt_record(ledger, id, why);
  }
}

std::uint64_t launches_unseen(Prng& prng) {
  constexpr std::uint64_t kLaunchesUnseen = 1000;
  return kLaunchesUnseen + prng.below(kLaunchesUnseen);
}

void end_doubt(Cluster& cluster, const std::vector<MemberView>& members, Prng& prng) {
  if (!cluster.doubt) return;
  cluster.doubt.reset();
  renew_server_ids(cluster, members, prng);
  for (Member& m : cluster.members) {
    if (m.stage == MemberStage::kWanted) m.launches += launches_unseen(prng);
  }
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
  ledger.event(cluster, {EventKind::kRecordDoubted,
                         "the record of this cluster is old, or may be: " + why +
                             ". Nothing is decided from it until all members have said what they hold" + dropped});
}

}  // namespace mysos
