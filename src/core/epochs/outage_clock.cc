// SPDX-License-Identifier: Apache-2.0
#include "core/epochs/outage_clock.h"

#include <algorithm>

namespace mysos {

std::string describe(const Outage& outage) {
  const auto ms = [&](const char* step) { return std::to_string(outage.took_ms.at(step)) + " ms"; };
  return "no writes for " + ms("total") + ": " + ms("notice") + " to notice it, " + ms("choose") +
         " to fence and choose, " + ms("open") + " to open";
}

void OutageClock::election_began(FailoverCause cause, Instant failed_since, Instant now) {
  if (!elected_) cause_ = cause;  // what an outage began with, though more elections follow
  const bool closes_later = cause == FailoverCause::kSwitchover;  // and is seen to
  if (served_ && !closes_later && !elected_) down_ = std::min({down_.value_or(now), failed_since, now});
  elected_ = elected_.value_or(now);
  chosen_.reset();
}

void OutageClock::primary_chosen(Instant now) { chosen_ = now; }

std::optional<Outage> OutageClock::saw(const Sight& primary, Instant now) {
  if (!primary.serves) {
    const bool open = primary.open && elected_ && cause_ == FailoverCause::kSwitchover;
    if (served_ && !down_ && !open) down_ = std::min(now, primary.last_seen);
    return std::nullopt;
  }
  served_ = true;
  std::optional<Outage> ended;
  if (down_ && elected_ && chosen_) {
    ended = Outage{cause_,
                   {{"notice", to_ms(std::max(Duration{}, *elected_ - *down_))},
                    {"choose", to_ms(*chosen_ - std::max(*elected_, *down_))},
                    {"open", to_ms(now - *chosen_)},
                    {"total", to_ms(now - *down_)}}};
  }
  // An election under way is not over because the old primary is still seen serving.
  if (elected_ && !chosen_) return std::nullopt;
  down_.reset();
  elected_.reset();
  chosen_.reset();
  return ended;
}

}  // namespace mysos
