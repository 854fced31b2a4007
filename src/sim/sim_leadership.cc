// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_leadership.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mysos::sim {

SimLeadership::SimLeadership(Sim& sim, SchedulerWorld& world, SimMaster& master)
    : sim_(sim), world_(world), master_(master) {
  all_.push_back(std::make_unique<SimScheduler>(sim_, world_, master_, store_));
}

void SimLeadership::depose() {
  if (!leader().alive()) return;
  sim_.tell([] { return std::string("another scheduler takes the lead"); });
  // The master tells it, unless its stream is broken at that moment.
  if (sim_.prng.chance(700)) leader().go_deaf();
  all_.push_back(std::make_unique<SimScheduler>(sim_, world_, master_, store_));
  leader().start();
}

namespace {

bool same_places(const Cluster& a, const Cluster& b) {
  return a.deleting == b.deleting && std::ranges::equal(a.members, b.members, [](const Member& x, const Member& y) {
    if (!x.granted || !y.granted) return false;
    return x.id == y.id && x.place().resource_id == y.place().resource_id && x.place().agent == y.place().agent &&
           x.holds_data && !x.volume_name.empty();
  });
}

bool can_be_put_back(const SchedulerState& then, const SchedulerState& now) {
  return then.framework == now.framework && std::ranges::all_of(then.clusters, [&](const auto& entry) {
    const auto found = now.clusters.find(entry.first);
    return found != now.clusters.end() && same_places(entry.second, found->second);
  });
}

}  // namespace

void SimLeadership::put_back() {
  if (!store_.kept) {
    store_.kept = store_.records;
    return;
  }
  const auto then = SchedulerState::recover(*store_.kept);
  const auto now = SchedulerState::recover(store_.records);
  if (!then || !now || !can_be_put_back(*then, *now)) return store_.kept.reset();
  sim_.tell([] { return std::string("the state is put back to an earlier one"); });
  for (const auto& scheduler : all_) scheduler->retire();
  store_.records = *std::exchange(store_.kept, std::nullopt);
  store_.put_back = true;
  world_.put_back(*then);
  all_.push_back(std::make_unique<SimScheduler>(sim_, world_, master_, store_));
  leader().start();
}

void SimLeadership::fill_disk(Duration pause) {
  sim_.tell([&] { return fmt::format("the disk of the state is full for {} ms", to_ms(pause)); });
  store_.refuses_until = std::max(store_.refuses_until, sim_.now() + pause);
}

void SimLeadership::retire_others() {
  for (std::size_t i = 0; i + 1 < all_.size(); ++i) all_[i]->retire();
}

}  // namespace mysos::sim
