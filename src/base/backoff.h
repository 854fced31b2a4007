// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pauses between tries that grow: each is twice as long as the one before, up to a bound.
#include <algorithm>
#include <utility>

#include "base/time.h"

namespace mysos {

class Backoff {
 public:
  constexpr Backoff(Duration first, Duration most) : first_(first), most_(most), next_(first) {}
  // The pause before the next try.
  Duration next() { return std::exchange(next_, std::min(next_ * 2, most_)); }
  void reset() { next_ = first_; }  // it went well

 private:
  Duration first_;
  Duration most_;
  Duration next_;
};

}  // namespace mysos
