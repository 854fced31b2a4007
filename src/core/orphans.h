// SPDX-License-Identifier: Apache-2.0
#pragma once
// What carries our framework's label but belongs to no member any more: given back after a grace period, so that a
// scheduler that is about to learn of its owner (a record on its way, a newer leader) is not overtaken. Volatile: the grace
// begins anew after a restart.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"

namespace mysos {

inline constexpr Duration kForgetOrphanAfter = std::chrono::minutes(10);  // due, and never offered again

class Orphans {
 public:
  explicit Orphans(Duration grace) : grace_(grace) {}

  // True if it is new.
  bool found(const std::string& resource_id, Instant now);
  [[nodiscard]] bool due(const std::string& resource_id, Instant now) const;
  void released(const std::string& resource_id) { since_.erase(resource_id); }
  void forget_old(Instant now);

  [[nodiscard]] std::vector<std::string> all_due(Instant now) const;
  [[nodiscard]] Instant next(Instant now) const;

 private:
  Duration grace_;
  std::map<std::string, Instant> since_;
};

}  // namespace mysos
