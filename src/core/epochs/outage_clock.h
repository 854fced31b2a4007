// SPDX-License-Identifier: Apache-2.0
#pragma once
// How long a cluster's writes were away, and in which step of the failover the time went. Volatile: an outage that a
// restart of the scheduler falls into is not measured.
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
  // An election begins, a primary is recorded: as the planner decides. Reports may go on of a primary that is of no use to
  // anybody since `failed_since`.
  void election_began(FailoverCause cause, Instant failed_since, Instant now);
  void primary_chosen(Instant now);
  // Of the recorded primary.
  struct Sight {
    bool serves = false;
    bool open = false;    // it takes writes still, though a switchover is under way
    Instant last_seen{};  // when it was last heard of
  };
  // An outage that has ended with another epoch than it began in.
  std::optional<Outage> saw(const Sight& primary, Instant now);

 private:
  bool served_ = false;  // it ever did
  std::optional<Instant> down_;
  std::optional<Instant> elected_;
  std::optional<Instant> chosen_;
  FailoverCause cause_{};
};

}  // namespace mysos
