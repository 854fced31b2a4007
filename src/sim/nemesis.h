// SPDX-License-Identifier: Apache-2.0
#pragma once
// Injects faults. A seed draws the kinds of faults and how often they occur. While the nemesis is on,
// it picks victims at random. Every fault ends by itself or by mend_all(), except lost volumes, and it
// never loses the last volume of a cluster.
#include <algorithm>
#include <set>
#include <vector>

#include "sim/fault.h"
#include "sim/sim_leadership.h"
#include "sim/sim_master.h"
#include "sim/truth.h"

namespace mysos::sim {

class Nemesis {
 public:
  Nemesis(Sim& sim, Truth& truth, SimMaster& master, SimLeadership& schedulers,
          std::uint32_t machines, const std::set<Fault>& only, bool rough_network);
  void may_put_back();  // the state, too, at times
  void may_more(Prng prng);
  void may_harm(Prng prng, Prng resets);
  [[nodiscard]] bool may(Fault fault) const { return std::ranges::find(kinds_, fault, &Kind::fault) != kinds_.end(); }
  void unleash();
  void mend_all();  // ends all faults and restarts what is down

 private:
  struct Kind {
    Fault fault{};
    Duration every{};
  };
  void draw(const std::set<Fault>& only, bool rough_network);
  void arm(const Kind& kind);
  void strike(Fault fault);
  SimExecutor* victim();
  SimExecutor* with_unsynced_relay();
  void lurk(int times);
  SimExecutor* primary_victim();
  void cut_pair();
  void isolate();
  void cut_for(Node a, Node b, Duration how_long);
  void unwatched();
  void replica_cut();
  void late_acks();
  void crash_machine(bool power_lost, SimExecutor* there = nullptr);
  void hurt_disk(Fault fault);
  void lose_volume();
  [[nodiscard]] bool dispensable(const ClusterTruth& c, const MemberId& member) const;
  void harm(Fault fault);
  SimServer* crowded();
  void drop_accounts();
  void storm();
  void fill_state_disk();
  SimExecutor* harmed(std::uint64_t primary_per_mille);
  void reset_logs(int times);
  void purge_logs();
  void hold_up_applier(Fault fault);
  void freeze(Fault fault);
  void slow_mesos();
  SimAgent& any_agent();
  Duration a_pause() { return sim_.between(milliseconds(100), seconds(5)); }
  Node any_node() { return static_cast<Node>(prng_.below(nodes_)); }

  Sim& sim_;
  Truth& truth_;
  SimMaster& master_;
  SimLeadership& schedulers_;
  Prng prng_;
  Prng more_{0};
  Prng harm_{0};
  Node nodes_;
  bool on_ = false;
  std::vector<std::pair<SimAgent*, VolumeId>> to_put_back_;
  std::vector<Kind> kinds_;
  NetworkFaults network_;
};

}  // namespace mysos::sim
