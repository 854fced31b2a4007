// SPDX-License-Identifier: Apache-2.0
#pragma once
// How long a cluster took no writes, and how that time is divided among the steps of the failover. Volatile: an outage during
// a restart of the scheduler is not measured.
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/epochs/planner.h"

namespace mysos {

struct Outage {
  FailoverCause cause{};
  std::map<std::string, std::int64_t> took_ms;  // "notice", "choose", "open", and "total"
};

std::string describe(const Outage& outage);  // one sentence

class OutageClock {
 public:
  // The planner begins an election, or records a primary. The executor may keep sending reports after `failed_since`, when the
  // primary stopped serving clients.
  void election_began(FailoverCause cause, Instant failed_since, Instant now);
  void primary_chosen(Instant now);
  // Of the recorded primary.
  struct Sight {
    bool serves = false;
    bool open = false;    // it still takes writes during a switchover
    Instant last_seen{};  // when it was last heard of
  };
  // Returns an outage that has ended in another epoch than it began.
  std::optional<Outage> saw(const Sight& primary, Instant now);

 private:
  bool served_ = false;  // it ever did
  std::optional<Instant> down_;
  std::optional<Instant> elected_;
  std::optional<Instant> chosen_;
  FailoverCause cause_{};
};

}  // namespace mysos
