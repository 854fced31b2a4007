// SPDX-License-Identifier: Apache-2.0
#pragma once
// When a member's server must run its clients' events (CREATE EVENT): only while clients can write there. On a replica the
// events would fail, and a read-only MariaDB server still writes the DROP EVENT of an event that has run for the last time.
// Pure: it compares the state of the server with the wanted state, so the history of the server does not matter. One act is
// under way at a time.
#include <algorithm>

#include "base/time.h"

namespace mysos {

class EventDuty {
 public:
  static constexpr Duration kRecordEvery = std::chrono::seconds(1);
  static constexpr Duration kRetryMin = std::chrono::milliseconds(200);
  static constexpr Duration kRetryMax = std::chrono::seconds(30);

  enum class Act {
    kNothing,
    kStart,   // enable the events that replication disabled, then switch the scheduler on
    kStop,    // switch the scheduler off
    kRecord,  // record which events their owners have disabled, because a replica cannot tell
  };

  // The observed state of the server. The caller must follow each returned act with done().
  Act look(bool writable, bool scheduler_on, Instant now) {
    if (!writable) started_ = false;
    if (busy_ || now < not_before_) return Act::kNothing;
    if (!writable) return begin(scheduler_on ? Act::kStop : Act::kNothing);
    if (!started_ || !scheduler_on) return begin(Act::kStart);
    return begin(now >= record_at_ ? Act::kRecord : Act::kNothing);
  }

  void done(bool well, Instant now) {
    const Act act = act_;
    busy_ = false;
    if (!well) {
      not_before_ = now + backoff_;
      backoff_ = std::min(backoff_ * 2, kRetryMax);
      return;
    }
    backoff_ = kRetryMin;
    if (act == Act::kStart) started_ = true;
    record_at_ = act == Act::kRecord ? now + kRecordEvery : now;
  }

 private:
  Act begin(Act act) {
    act_ = act;
    busy_ = act != Act::kNothing;
    return act;
  }

  bool busy_ = false;
  bool started_ = false;  // since the server became writable
  Act act_ = Act::kNothing;
  Instant not_before_{};
  Instant record_at_{};
  Duration backoff_ = kRetryMin;
};

}  // namespace mysos
