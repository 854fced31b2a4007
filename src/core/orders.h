// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which orders are on their way to members. The planner says anew each time what every member shall be told; this decides
// what is really sent: an order that is in flight isn't sent again before its answer or its deadline, one that was answered
// and is still wanted waits a little longer each time, a changed one goes at once. A fence, and whatever is of a higher
// pair, never waits behind an older order: the executor tells them apart by their pairs. Volatile.
#include <map>
#include <optional>
#include <vector>

#include "core/state/ledger.h"

namespace mysos {

inline constexpr Duration kOrderBackoffMin = std::chrono::milliseconds(50);
inline constexpr Duration kOrderBackoffMax = std::chrono::seconds(2);
inline constexpr Duration kOrderCalmAfter = std::chrono::seconds(10);  // then old failures are forgotten

// The pair an order carries; none for Setup.
std::optional<Pair> pair_of(const Order& order);

class OrderDesk {
 public:
  // `first_id`: above every id that an earlier process may have used, or random.
  OrderDesk(Ledger& ledger, Duration deadline, std::uint64_t first_id)
      : ledger_(ledger), deadline_(deadline), next_id_(first_id) {}

  // What `member` shall be told now, if anything. Setup has a lane of its own beside the orders of the epoch. Gives
  // when it should be called again for this member, at the latest.
  Instant want(const MemberId& member, bool setup, const std::optional<Order>& order, Instant now);
  // The answer to an order; false if nobody waits for it any more.
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
    std::uint32_t tries = 0;      // of the same aim
    Instant not_before{};
    bool held_back = false;       // something is wanted, and waits for not_before or until
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
