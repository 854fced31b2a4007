// SPDX-License-Identifier: Apache-2.0
#include "core/orders.h"

#include <algorithm>

#include "base/overloaded.h"

namespace mysos {
namespace {

// Equal but for the reads of other members they stand on, which move with every write.
bool same_aim(Order a, Order b) {
  const auto blank = [](Order& o) {
    if (auto* follow = std::get_if<order::Follow>(&o)) follow->source_executed = {};
    if (auto* certify = std::get_if<order::Certify>(&o)) certify->executed = {};
    if (auto* rebuild = std::get_if<order::Rebuild>(&o)) rebuild->holds = {};
  };
  blank(a);
  blank(b);
  return a == b;
}

// A fence carries the first pair of its epoch, so it overtakes whatever belongs to an epoch before.
bool overtakes(const Order& next, const Order& sent) { return pair_of(next) > pair_of(sent); }

}  // namespace

std::optional<Pair> pair_of(const Order& order) {
  return std::visit(Overloaded{[](const order::Setup&) -> std::optional<Pair> { return std::nullopt; },
                               [](const order::Meet&) -> std::optional<Pair> { return std::nullopt; },
                               [](const auto& o) -> std::optional<Pair> { return o.pair; }},
                    order);
}

Instant OrderDesk::want(const MemberId& member, bool setup, const std::optional<Order>& order, Instant now) {
  auto found = lanes_.find(member);
  if (found == lanes_.end()) {
    if (!setup && !order) return kNever;
    found = lanes_.try_emplace(member).first;
  }
  Lanes& lanes = found->second;
  setup ? want_in(lanes.setup, member, order::Setup{}, now) : unwanted(lanes.setup, now);
  order ? want_in(lanes.epoch, member, *order, now) : unwanted(lanes.epoch, now);
  return std::min(lanes.setup.next(), lanes.epoch.next());
}

// Nothing is to be sent there now. An answer that is overdue is not waited for any longer: next() must not stay behind.
void OrderDesk::unwanted(Lane& lane, Instant now) {
  lane.held_back = false;
  if (lane.in_flight != 0 && now >= lane.until) give_up(lane, now);
}

void OrderDesk::give_up(Lane& lane, Instant now) {
  Duration wait = kOrderBackoffMin;
  for (std::uint32_t i = 1; i < lane.tries && wait < kOrderBackoffMax; ++i) wait *= 2;
  lane.not_before = now + std::min(wait, kOrderBackoffMax);
  lane.in_flight = 0;
  lane.until = kNever;
}

void OrderDesk::want_in(Lane& lane, const MemberId& member, const Order& order, Instant now) {
  if (lane.in_flight != 0 && now >= lane.until) give_up(lane, now);
  lane.held_back = true;
  const bool again = lane.order && same_aim(*lane.order, order);
  if (lane.in_flight != 0 && (again || !overtakes(order, *lane.order))) return;
  if (again && now < lane.not_before) return;
  if (!again || now >= lane.not_before + kOrderCalmAfter) lane.tries = 0;
  ++lane.tries;
  lane.order = order;
  lane.in_flight = next_id_++;
  lane.until = now + deadline_;
  lane.held_back = false;
  ledger_.order({lane.in_flight, member, order, deadline_});
}

bool OrderDesk::done(const MemberId& member, std::uint64_t id, Instant now) {
  const auto it = lanes_.find(member);
  if (it == lanes_.end()) return false;
  for (Lane* lane : {&it->second.epoch, &it->second.setup}) {
    if (lane->in_flight != id) continue;
    give_up(*lane, now);
    return true;
  }
  return false;
}

Instant OrderDesk::Lane::next() const {
  if (in_flight != 0) return until;
  return held_back ? not_before : kNever;
}

}  // namespace mysos
