// SPDX-License-Identifier: Apache-2.0
#include "sim/one_dies.h"

#include <fmt/format.h>

#include <algorithm>

namespace mysos::sim {
namespace {

constexpr Duration kSaysSo = milliseconds(1500);  // what a view shows may be a second old
constexpr Duration kForGood = std::chrono::hours(1);
constexpr Duration kWritesReturnWithin = seconds(15);

}  // namespace

OneDies::OneDies(Sim& sim, Truth& truth, SimMaster& master, SimLeadership& schedulers, std::uint64_t seed)
    : sim_(sim), truth_(truth), master_(master), schedulers_(schedulers), prng_(seed ^ 0x01D1E5), early_(prng_.chance(500)) {}

std::vector<const ClusterTruth*> OneDies::healthy() const {
  std::vector<const ClusterTruth*> out;
  if (!schedulers_.leader().awake_now()) return out;
  for (const auto& [id, c] : truth_.clusters) {
    if (c.gone || c.deleting || c.forgotten || c.cluster.members.size() < 2) continue;
    const auto view = schedulers_.leader().core()->view(c.cluster.spec.name, sim_.now());
    if (view && view->state == ClusterState::kHealthy) out.push_back(&c);
  }
  return out;
}

bool OneDies::ready() {
  if (healthy().empty()) {
    healthy_since_.reset();
    return false;
  }
  if (!healthy_since_) healthy_since_ = sim_.now();
  return sim_.now() >= *healthy_since_ + kSaysSo;
}

bool OneDies::strike() {
  promised_ = healthy();
  if (promised_.empty()) return false;
  const ClusterTruth& c = *promised_[prng_.below(promised_.size())];
  std::vector<SimExecutor*> primary, replicas;
  for (SimExecutor* e : truth_.containers()) {
    if (e->spec().cluster != c.id) continue;
    (c.cluster.epoch.primary == e->spec().member ? primary : replicas).push_back(e);
  }
  const bool the_primary = prng_.chance(500);
  const auto& among = the_primary ? primary : replicas;
  if (among.empty()) return false;
  sim_.coverage.hit(the_primary ? Mark::kPrimaryDied : Mark::kReplicaDied);
  struck_ = sim_.now();
  kill(*among[prng_.below(among.size())]);
  return true;
}

void OneDies::kill(SimExecutor& victim) {
  static constexpr Way kWays[] = {Way::kMachine, Way::kFrozen, Way::kAlone};
  const Way way = kWays[prng_.below(std::size(kWays))];
  sim_.tell([&] { return fmt::format("--- {} dies for good, and nobody helps ---", victim.spec().member.str()); });
  if (way == Way::kMachine) {
    down_ = master_.agents()[victim.machine()].get();
    down_->crash(prng_.chance(500));
  } else if (way == Way::kFrozen) {
    frozen_ = &victim;
    victim.server().freeze(kForGood);
  } else {
    const Node first = executor_node(victim.machine());
    for (Node a = first; a < first + 3; ++a) {
      for (Node b = 0; b < executor_node(static_cast<std::uint32_t>(master_.agents().size())); ++b) {
        if (b < first || b >= first + 3) sim_.network.cut(a, b), sim_.network.cut(b, a);
      }
    }
  }
}

std::optional<std::string> OneDies::stuck() const {
  for (const ClusterTruth* c : promised_) {
    if (c->deleting || c->gone || c->last_begun_acked >= struck_) continue;
    return fmt::format("healthy: a member of {} died, and {} s later no write is acknowledged", c->cluster.spec.name,
                       since() / seconds(1));
  }
  return std::nullopt;
}

bool OneDies::too_late() const { return since() >= kWritesReturnWithin; }

void OneDies::bring_back() {
  promised_.clear();
  sim_.network.heal_all();
  if (down_ != nullptr && !down_->up()) down_->start();
  if (frozen_ != nullptr) frozen_->crash_server("killed at last");
  down_ = nullptr;
  frozen_ = nullptr;
}

}  // namespace mysos::sim
