// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/launcher.h"

#include "core/provisioning/launching.h"
#include "core/state/doubt.h"

namespace mysos {

Launcher::Launcher(Ledger& ledger, MemberTable& table, Members& members, StageChanges& stages, const SchedulerConfig& config)
    : ledger_(ledger), table_(table), members_(members), stages_(stages), config_(config) {}

void Launcher::launch(const Owner& owner, const Resources& resources, AgentUse& use, Instant now) {
  const Cluster& cluster = members_.cluster_of(owner);
  stages_.leave_task(owner);
  members_.change_place(owner, [&](Member& m) {
    m.launches += cluster.doubt ? launches_unseen(ledger_.prng()) : 1;
    m.task = task_id_of(cluster, m);
  });
  table_.forget_task(owner.member);
  stages_.to_launching(owner, now);
  members_.row(owner).task.accepted = use.offer.offers.front();
  const Member& m = members_.get(owner);
  use.operations.push_back({mesos::Launch{{task_of(cluster, m, resources, config_)}}, OperationId()});
  members_.tell(owner,
                {EventKind::kMemberLaunched, "task " + m.task.value + " is launched on " + m.place().hostname});
}

}  // namespace mysos
