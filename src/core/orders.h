// SPDX-License-Identifier: Apache-2.0
#pragma once
// The orders to members that are under way. At each call the planner says which order every member should have. OrderDesk
// decides what to send: it does not repeat an order before its answer or its deadline; it repeats an answered order that is
// still wanted after a growing pause; it sends a changed order at once. A fence, or an order with a higher pair, never waits
// for an older order, because the executor distinguishes orders by their pairs. Volatile.
#include <map>
#include <optional>
#include <vector>

#include "core/state/ledger.h"

namespace mysos {

inline constexpr Duration kOrderBackoffMin = std::chrono::milliseconds(50);
inline constexpr Duration kOrderBackoffMax = std::chrono::seconds(2);
inline constexpr Duration kOrderCalmAfter = std::chrono::seconds(10);  // after which old failures do not count

// The pair an order carries; none for Setup.
std::optional<Pair> pair_of(const Order& order);

class OrderDesk {
 public:
  // `first_id`: above every id that an earlier process may have used, or random.
  OrderDesk(Ledger& ledger, Duration deadline, std::uint64_t first_id)
      : ledger_(ledger), deadline_(deadline), next_id_(first_id) {}

  // The order to send to `member` now, if any. Setup orders do not wait for the orders of the epoch. Also returns
  // when it must be called again for this member, at the latest.
  Instant want(const MemberId& member, bool setup, const std::optional<Order>& order, Instant now);
  // The answer to an order; false: no caller waits for it any more.
  bool done(const MemberId& member, std::uint64_t id, Instant now);

  template <class Keep>
  void retain(Keep keep) {
    std::erase_if(lanes_, [&](const auto& entry) { return !keep(entry.first); });
  }
  [[nodiscard]] std::size_t size() const { return lanes_.size(); }

 private:
  struct Lane {
    // When want() should be called again for it, at the latest.
    [[nodiscard]] Instant next() const;

    std::optional<Order> order;   // the last one sent
    std::uint64_t in_flight = 0;  // its id, 0 = answered or lost
    Instant until = kNever;       // its deadline
    std::uint32_t tries = 0;      // for the same intent
    Instant not_before{};
    bool held_back = false;       // a wanted order waits for not_before or until
  };
  void want_in(Lane& lane, const MemberId& member, const Order& order, Instant now);
  static void unwanted(Lane& lane, Instant now);
  static void give_up(Lane& lane, Instant now);

  Ledger& ledger_;
  Duration deadline_;
  std::uint64_t next_id_;
  struct Lanes {
    Lane epoch;
    Lane setup;
  };
  std::map<MemberId, Lanes> lanes_;
};

}  // namespace mysos
