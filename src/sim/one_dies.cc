// SPDX-License-Identifier: Apache-2.0
#include "sim/one_dies.h"

#include <fmt/format.h>

#include <algorithm>

namespace mysos::sim {
namespace {

constexpr Duration kSaysSo = milliseconds(1500);  // what a view shows may be a second old
constexpr Duration kForGood = std::chrono::hours(1);
constexpr Duration kWritesReturnWithin = seconds(15);
constexpr Duration kLongTransaction = seconds(1);
constexpr std::uint64_t kProbe = 1;

}  // namespace

OneDies::OneDies(Sim& sim, Truth& truth, SimMaster& master, SimLeadership& schedulers, std::uint64_t seed)
    : sim_(sim), truth_(truth), master_(master), schedulers_(schedulers), prng_(seed ^ 0x01D1E5), early_(prng_.chance(500)) {}

std::vector<const ClusterTruth*> OneDies::healthy() const {
  std::vector<const ClusterTruth*> out;
  if (!schedulers_.leader().awake_now()) return out;
  for (const auto& [id, c] : truth_.clusters) {
    if (c.gone || c.deleting || c.forgotten || c.cluster.members.size() < 2) continue;
    // A transaction that was long on the primary is as long on a replica: nobody can tell before how long.
    const bool long_one = std::ranges::any_of(truth_.containers(), [&](SimExecutor* e) {
      return e->spec().cluster == id && e->server().applies_for() > kLongTransaction;
    });
    // So does nobody know that an applier will stop at a transaction that it has not come to yet.
    const bool will_stop = std::ranges::any_of(truth_.containers(), [&](SimExecutor* e) {
      const auto& data = e->volume().data;
      return e->spec().cluster == id && data && data->broken && e->server().applier_running();
    });
    if (long_one || will_stop) continue;
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
  late_at_ = struck_ + kWritesReturnWithin;
  kill(*among[prng_.below(among.size())]);
  return true;
}

// Applications that look for the primary at random would only add to the time.
void OneDies::probe() {
  for (SimExecutor* e : truth_.containers()) {
    const bool meant = std::ranges::any_of(promised_, [&](const ClusterTruth* c) { return c->id == e->spec().cluster; });
    if (meant && e->server().answering()) e->server().write(kProbe, [](bool) {});
  }
}

void OneDies::kill(SimExecutor& victim) {
  for (SimExecutor* e : truth_.containers()) e->crash_at_next_promise(false);  // one dies, no other
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

// Where primaries did not last, several in a row, the next one is given time: that is said, and counts for nothing here.
bool OneDies::too_late() {
  const SchedulerCore* core = schedulers_.leader().core();
  for (const ClusterTruth* c : promised_) {
    const auto view = core == nullptr ? std::nullopt : core->view(c->cluster.spec.name, sim_.now());
    if (view && view->waiting_for.starts_with("a pause")) late_at_ = sim_.now() + kWritesReturnWithin;
  }
  return sim_.now() >= late_at_;
}

void OneDies::bring_back() {
  promised_.clear();
  sim_.network.heal_all();
  if (down_ != nullptr && !down_->up()) down_->start();
  if (frozen_ != nullptr) frozen_->crash_server("killed at last");
  down_ = nullptr;
  frozen_ = nullptr;
}

}  // namespace mysos::sim
