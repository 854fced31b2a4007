// SPDX-License-Identifier: Apache-2.0
#include "core/orders.h"

#include <algorithm>

namespace mysos {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

// Equal but for the reads of the primary they stand on, which move with every write.
bool same_aim(Order a, Order b) {
  const auto blank = [](Order& o) {
    if (auto* follow = std::get_if<order::Follow>(&o)) follow->source_executed = {};
    if (auto* certify = std::get_if<order::Certify>(&o)) certify->executed = {};
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

void OrderDesk::want(const MemberId& member, const std::optional<Order>& order, Instant now) {
  if (!order) return unwanted(member, 0, now);
  want_in(lanes_[member][0], member, *order, now);
}

void OrderDesk::want_setup(const MemberId& member, bool wanted, Instant now) {
  if (!wanted) return unwanted(member, 1, now);
  want_in(lanes_[member][1], member, order::Setup{}, now);
}

// Nothing is to be sent there now. An answer that is overdue is not waited for any longer: next() must not stay behind.
void OrderDesk::unwanted(const MemberId& member, std::size_t lane, Instant now) {
  const auto it = lanes_.find(member);
  if (it == lanes_.end()) return;
  Lane& found = it->second[lane];
  found.held_back = false;
  if (found.in_flight != 0 && now >= found.until) give_up(found, now);
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
  for (Lane& lane : it->second) {
    if (lane.in_flight != id) continue;
    give_up(lane, now);
    return true;
  }
  return false;
}

Instant OrderDesk::next(const MemberId& member) const {
  const auto it = lanes_.find(member);
  if (it == lanes_.end()) return kNever;
  Instant at = kNever;
  for (const Lane& lane : it->second) {
    if (lane.in_flight != 0) {
      at = std::min(at, lane.until);
    } else if (lane.held_back) {
      at = std::min(at, lane.not_before);
    }
  }
  return at;
}

}  // namespace mysos
