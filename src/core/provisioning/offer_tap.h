// SPDX-License-Identifier: Apache-2.0
#pragma once
// When to ask the master for offers and when to have it stop. What is declined is declined for long, so a new want needs a
// REVIVE (it clears filters and suppression), at most one a second; a want that stays unmet asks again ever more rarely.
// When nothing has been wanted for a while the offers are suppressed, and looked through once in a long while for what may
// have been left behind.
// Source: Mesos scheduler-http-api.md (REVIVE, SUPPRESS); a new subscription starts without filters and unsuppressed.
#include <optional>
#include <set>
#include <string>

#include "base/time.h"
#include "model/mesos.h"

namespace mysos {

inline constexpr Duration kReviveAtMost = std::chrono::seconds(1);
inline constexpr Duration kSuppressAfter = std::chrono::seconds(5);
inline constexpr Duration kReviveBackoffMin = std::chrono::seconds(5);
inline constexpr Duration kReviveBackoffMax = std::chrono::minutes(5);

class OfferTap {
 public:
  explicit OfferTap(Duration survey_every) : survey_every_(survey_every) {}

  void subscribed(Instant now);
  // `wants`: a key for each thing that waits for an offer; a key that was not there before is a new want.
  std::optional<mesos::Call> pace(std::set<std::string> wants, Instant now);
  [[nodiscard]] Instant next() const { return next_; }

 private:
  mesos::Call revive(Instant now);

  Duration survey_every_;
  bool open_ = true;
  bool revive_wanted_ = false;
  std::set<std::string> wants_;
  Instant idle_since_{};
  Instant revived_{};     // or subscribed
  Instant again_ = kNever;  // the unmet wants' next revive
  Duration backoff_ = kReviveBackoffMin;
  Instant next_ = kNever;
};

}  // namespace mysos
