// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/offer_tap.h"

#include <algorithm>

namespace mysos {

void OfferTap::subscribed(Instant now) {
  open_ = true;
  revive_wanted_ = false;
  idle_since_ = now;
  revived_ = now;
  backoff_ = kReviveBackoffMin;
  again_ = now + backoff_;
}

mesos::Call OfferTap::revive(Instant now) {
  open_ = true;
  revive_wanted_ = false;
  revived_ = now;
  idle_since_ = now;
  again_ = now + backoff_;
  return mesos::Revive{};
}

std::optional<mesos::Call> OfferTap::pace(std::set<std::string> wants, Instant now) {
  const bool new_want = !std::ranges::includes(wants_, wants);
  if (wants_.empty() && !wants.empty()) again_ = now + backoff_;
  if (!wants_.empty() && wants.empty()) idle_since_ = now;
  wants_ = std::move(wants);
  if (new_want) {
    revive_wanted_ = true;
    backoff_ = kReviveBackoffMin;
  }

  if (wants_.empty()) {
    revive_wanted_ = false;
    if (!open_) {
      next_ = revived_ + survey_every_;
      if (now < next_) return std::nullopt;
      backoff_ = kReviveBackoffMin;
      const mesos::Call call = revive(now);
      next_ = now + kSuppressAfter;
      return call;
    }
    next_ = idle_since_ + kSuppressAfter;
    if (now < next_) return std::nullopt;
    open_ = false;
    next_ = revived_ + survey_every_;
    return mesos::Suppress{};
  }
  if (!open_) revive_wanted_ = true;
  if (!revive_wanted_ && now >= again_) {
    revive_wanted_ = true;
    backoff_ = std::min(backoff_ * 2, kReviveBackoffMax);
  }
  next_ = revive_wanted_ ? revived_ + kReviveAtMost : again_;
  if (now < next_) return std::nullopt;
  const mesos::Call call = revive(now);
  next_ = again_;
  return call;
}

}  // namespace mysos
