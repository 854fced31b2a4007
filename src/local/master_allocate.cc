// SPDX-License-Identifier: Apache-2.0
// Offers: one per (agent, role) of what is free there, to frameworks in the order of what they
// hold. Who has nothing new to hear (suppressed, or everything filtered) causes no work.
#include <fmt/format.h>

#include <algorithm>

#include "local/master_core.h"

namespace mysos::local {
namespace {

constexpr std::int64_t kMinCpusMilli = 10;
constexpr std::int64_t kMinMemMilli = 32'000;

bool worth_offering(const Resources& r) {
  return r.milli("cpus") >= kMinCpusMilli || r.milli("mem") >= kMinMemMilli;
}

// A reservation is for its role and for the roles below it.
bool may_have(const std::string& role, const Resource& r) {
  if (r.reservations.empty()) return true;
  const std::string& reserved = r.reservations.back().role;
  return role == reserved || role.starts_with(reserved + "/");
}

}  // namespace

Resources MasterCore::free_of(const AgentId& id) const {
  const auto found = agents_.find(id);
  if (found == agents_.end() || found->second.link != Link::kConnected) return {};
  Resources free = found->second.total;
  for (const auto& [key, resources] : found->second.held) free.take_possible(resources);
  for (const auto& [key, info] : found->second.executors) {
    free.take_possible(info.executor_resources.allocated_to(""));
  }
  for (const auto& [offer_id, offer] : offers_) {
    if (offer.agent == id) free.take_possible(offer.resources.allocated_to(""));
  }
  return free;
}

void MasterCore::allocate_soon() {
  allocate_at_ = std::min(allocate_at_, now_ + options_.allocation_delay);
}

// At the first regular allocation after `earliest`.
void MasterCore::allocate_at_interval(Instant earliest) {
  const auto intervals = (earliest - start_) / options_.allocation_interval + 1;
  allocate_at_ = std::min(allocate_at_, start_ + intervals * options_.allocation_interval);
}

void MasterCore::add_filter(Framework& f, const AgentId& agent, const Resources& refused,
                            Duration refuse) {
  if (refuse > Duration::zero() && !refused.empty()) {
    f.filters.push_back({agent, refused.allocated_to(""), now_ + refuse});
  }
  allocate_at_interval(now_);
}

Instant MasterCore::filtered_until(const Framework& f, const AgentId& agent,
                                   const Resources& resources) const {
  Instant until = Instant::min();
  for (const Filter& filter : f.filters) {
    if (filter.agent == agent && filter.until > now_ && filter.refused.contains(resources)) {
      until = std::max(until, filter.until);
    }
  }
  return until;
}

std::vector<FrameworkId> MasterCore::by_share() const {
  std::vector<std::pair<std::int64_t, FrameworkId>> order;
  for (const auto& [id, f] : frameworks_) {
    if (!f.stream || f.suppressed) continue;
    std::int64_t cpus = 0;
    for (const auto& [agent_id, agent] : agents_) {
      for (const auto& [key, resources] : agent.held) {
        if (key.first == id) cpus += resources.milli("cpus");
      }
    }
    order.emplace_back(cpus, id);
  }
  std::ranges::sort(order);
  std::vector<FrameworkId> out;
  for (auto& [cpus, id] : order) out.push_back(std::move(id));
  return out;
}

void MasterCore::make_offers(const AgentId& id, Resources& free, Framework& f,
                             std::vector<mesos::Offer>& into) {
  const std::string& role = f.info.role;
  const Resources candidate = free.filter([&](const Resource& r) { return may_have(role, r); });
  if (!worth_offering(candidate)) return;
  if (const Instant until = filtered_until(f, id, candidate); until > now_)
    return allocate_at_interval(until);
  free -= candidate;
  const Agent& agent = agents_.at(id);
  mesos::Offer offer;
  offer.id = OfferId(fmt::format("{}-O{}", master_id_, next_offer_++));
  offer.agent = id;
  offer.hostname = agent.info.hostname;
  offer.ip = agent.info.ip;
  offer.agent_port = agent.info.port;
  offer.role = role;
  offer.attributes = agent.info.attributes;
  offer.resources = candidate.allocated_to(role);
  offers_[offer.id] = {*f.info.id, id, role, offer.resources};
  into.push_back(std::move(offer));
}

void MasterCore::allocate() {
  allocate_at_ = kNever;
  const auto order = by_share();
  if (order.empty()) return;
  std::map<FrameworkId, std::vector<mesos::Offer>> made;
  for (const auto& id : order) {
    std::erase_if(frameworks_.at(id).filters,
                  [&](const Filter& filter) { return filter.until <= now_; });
  }
  for (const auto& [agent_id, agent] : agents_) {
    if (agent.link != Link::kConnected) continue;
    Resources free = free_of(agent_id);
    for (const auto& id : order) make_offers(agent_id, free, frameworks_.at(id), made[id]);
  }
  for (const auto& id : order) {
    if (!made[id].empty()) send(frameworks_.at(id), mesos::Offers{std::move(made[id])});
  }
}

void MasterCore::withdraw_offers(const AgentId& agent, bool rescind) {
  for (auto it = offers_.begin(); it != offers_.end();) {
    if (it->second.agent != agent) {
      ++it;
      continue;
    }
    const auto f = frameworks_.find(it->second.framework);
    if (rescind && f != frameworks_.end()) send(f->second, mesos::Rescind{it->first});
    it = offers_.erase(it);
  }
}

}  // namespace mysos::local
