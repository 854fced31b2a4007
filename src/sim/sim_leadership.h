// SPDX-License-Identifier: Apache-2.0
#pragma once
// The schedulers of a world: the leader, and former leaders that may not know yet that they
// are deposed. Only the store decides who leads.
#include <algorithm>
#include <memory>
#include <vector>

#include "sim/sim_scheduler.h"

namespace mysos::sim {

class SimLeadership {
 public:
  SimLeadership(Sim& sim, SchedulerWorld& world, SimMaster& master);

  void start() { leader().start(); }
  // Another scheduler starts and becomes the leader, while the present one keeps running.
  void depose();
  void retire_others();
  // Keeps a copy of the state aside; called again, puts it back and starts another scheduler on it. One is put back only
  // where the clusters that it knows are the same, and were all placed. It may lack some that were made later.
  void put_back();
  // None of its transactions is durable meanwhile.
  void hang_store(Duration pause) { store_.hangs_until = sim_.now() + pause; }
  void refuse_commits(Duration pause) { store_.refuses_until = sim_.now() + pause; }
  void fill_disk(Duration pause);  // refused for long; who starts meanwhile finds it so
  void clear_disk() { store_.refuses_until = std::min(store_.refuses_until, sim_.now()); }

  [[nodiscard]] SimScheduler& leader() { return *all_.back(); }
  [[nodiscard]] const SimScheduler& leader() const { return *all_.back(); }

 private:
  Sim& sim_;
  SchedulerWorld& world_;
  SimMaster& master_;
  SimStore store_;
  std::vector<std::unique_ptr<SimScheduler>> all_;  // the newest last
};

}  // namespace mysos::sim
