// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/offer_desk.h"

#include <utility>

namespace mysos {

OfferDesk::OfferDesk(Ledger& ledger, Members& members, const LifeParts& life, Placing& placing, Introductions& introductions,
                     OrphanHandling& orphans, ClusterAdoption& adoption, AgentTable& agents, const SchedulerConfig& config)
    : ledger_(ledger),
      members_(members),
      life_(life),
      placing_(placing),
      introductions_(introductions),
      orphans_(orphans),
      adoption_(adoption),
      agents_(agents),
      config_(config) {}

void OfferDesk::take(const mesos::Offers& in, Instant now) {
  mesos::Decline strange{{}, config_.decline_for};
  std::vector<mesos::Offer> ours;
  for (const mesos::Offer& offer : in.offers) {
    if (offer.role.empty() || offer.role == config_.role) {
      ours.push_back(offer);
    } else {
      strange.offers.push_back(offer.id);
    }
  }
  if (!strange.offers.empty()) ledger_.call(std::move(strange));
  std::vector<AgentUse> uses;
  for (AgentOffer& offer : grouped_by_agent(ours)) {
    AgentUse use{.offer = std::move(offer), .free = {}};
    use.free = use.offer.resources.unreserved();
    look_through(use, now);
    uses.push_back(std::move(use));
  }
  placing_.place_all(uses, now);
  settle(uses);
}

void OfferDesk::look_through(AgentUse& use, Instant now) {
  const auto holdings = holdings_in(use.offer.resources, ledger_.state().labels());
  agents_.saw(use.offer, held_beyond(use.offer, holdings));
  for (const FrameworkId& other : other_frameworks_in(use.offer.resources, ledger_.state().labels())) {
    orphans_.saw_framework(other);
  }
  for (const auto& [resource_id, holding] : holdings) {
    if (const auto owner = members_.placed().by_resource(resource_id)) {
      serve_member(*owner, holding, use, now);
    } else {
      serve_orphan(resource_id, holding, use, now);
    }
  }
  orphans_.absent(use, holdings, now);
  for (const Owner& owner : members_.placed().on(use.offer.agent)) {
    const Member& m = members_.get(owner);
    if (!holdings.contains(m.place().resource_id)) life_.of(m.stage).absent(owner, use, now);
  }
}

Needs OfferDesk::held_beyond(const AgentOffer& offer, const std::map<std::string, Holding>& offered) const {
  Needs held;
  for (const Owner& owner : members_.placed().on(offer.agent)) {
    const Member& m = members_.get(owner);
    const bool holds = m.stage == MemberStage::kRunning || m.stage == MemberStage::kKilling;
    if (!holds || offered.contains(m.place().resource_id)) continue;
    const Needs needs = needs_of(m.granted->size);
    held.cpus += needs.cpus;
    held.mem += needs.mem;
    held.disk += needs.disk;
  }
  return held;
}

// What of a member is offered is held by no task: whatever its stage says of one is over.
void OfferDesk::serve_member(const Owner& owner, const Holding& holding, AgentUse& use, Instant now) {
  members_.row(owner).offered = now;
  if (members_.get(owner).place().agent != use.offer.agent) note_agent(owner, use);
  life_.of(members_.get(owner).stage).offered(owner, holding, use, now);
}

// The same disks under the name of another agent.
void OfferDesk::note_agent(const Owner& owner, const AgentUse& use) {
  introductions_.settled(members_.get(owner).task);
  members_.change_place(owner, [&](Member& m) {
    put_on(m.place(), use.offer, config_);
  });
  const Member& m = members_.get(owner);
  if (m.stage == MemberStage::kDown) members_.in<stage::Down>(owner).agent_gone = false;
  members_.tell(owner, {EventKind::kMemberMoved, "its agent is now known as " + m.place().agent.value});
}

// What is kept may be a member's of a cluster whose record is in doubt.
void OfferDesk::serve_orphan(const std::string& resource_id, const Holding& holding, AgentUse& use, Instant now) {
  const bool keep = orphans_.saw(resource_id, holding, use, now);
  if (!keep) return orphans_.release(resource_id, holding, use, now);
  if (!ledger_.any_doubt()) return;
  const auto cluster = holding.reservation.labels.find(kClusterLabel);
  if (cluster != holding.reservation.labels.end()) adoption_.take_places(ClusterId(cluster->second), now);
  if (const auto owner = members_.placed().by_resource(resource_id)) serve_member(*owner, holding, use, now);
}

void OfferDesk::settle(std::vector<AgentUse>& uses) {
  mesos::Decline unused{{}, config_.decline_for};
  mesos::Decline awaited{{}, kAwaitedRefuse};
  for (AgentUse& use : uses) {
    agents_.set_free(use.offer.agent, use.free);
    if (!use.operations.empty()) {
      ledger_.call(mesos::Accept{use.offer.offers, std::move(use.operations),
                                 use.awaited ? kAwaitedRefuse : config_.decline_for});
      continue;
    }
    auto& into = (use.awaited ? awaited : unused).offers;
    into.insert(into.end(), use.offer.offers.begin(), use.offer.offers.end());
  }
  if (!unused.offers.empty()) ledger_.call(std::move(unused));
  if (!awaited.offers.empty()) ledger_.call(std::move(awaited));
}

}  // namespace mysos
