// SPDX-License-Identifier: Apache-2.0
#pragma once
// When the provisioner must look at the time again. Each part of it may ask to be woken; the earliest time counts.
#include <algorithm>

#include "base/time.h"

namespace mysos {

class Alarm {
 public:
  void wake(Instant at) { at_ = std::min(at_, at); }
  // Everything that was asked for is being looked at now.
  void clear() { at_ = kNever; }
  [[nodiscard]] Instant next() const { return at_; }

 private:
  Instant at_ = kNever;
};

}  // namespace mysos
