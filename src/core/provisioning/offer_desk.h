// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is done with offers. Each is used or declined in the step in which it came: what of an offer is a member's goes to the
// part of its life, what is nobody's to the orphans, and what is free to whoever needs a place. Owns nothing that lasts.
#include <map>
#include <string>
#include <vector>

#include "core/provisioning/cluster_adoption.h"
#include "core/provisioning/placing.h"

namespace mysos {

inline constexpr Duration kAwaitedRefuse = std::chrono::seconds(5);  // an offer of an agent that owes us something

class OfferDesk {
 public:
  OfferDesk(Ledger& ledger, Members& members, const LifeParts& life, Placing& placing, Introductions& introductions,
            OrphanHandling& orphans, ClusterAdoption& adoption, AgentTable& agents, const SchedulerConfig& config);

  void take(const mesos::Offers& in, Instant now);

 private:
  void look_through(AgentUse& use, Instant now);
  void serve_member(const Owner& owner, const Holding& holding, AgentUse& use, Instant now);
  void serve_orphan(const std::string& resource_id, const Holding& holding, AgentUse& use, Instant now);
  void note_agent(const Owner& owner, const AgentUse& use);
  void settle(std::vector<AgentUse>& uses);
  [[nodiscard]] Needs held_beyond(const AgentOffer& offer, const std::map<std::string, Holding>& offered) const;

  Ledger& ledger_;
  Members& members_;
  const LifeParts& life_;
  Placing& placing_;
  Introductions& introductions_;
  OrphanHandling& orphans_;
  ClusterAdoption& adoption_;
  AgentTable& agents_;
  const SchedulerConfig& config_;
};

}  // namespace mysos
