// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the scheduler must still know after a restart. It is the fold of the records in the store (core/state/records.h).
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "model/cluster.h"

namespace mysos {

// A durable change: put (json text) or erase, by kind and key (core/state/records.h).
struct Record {
  std::string kind;
  std::string key;
  std::optional<std::string> json;  // none: erase
  bool operator==(const Record&) const = default;
};

// What the store knows of a reservation with our label that no member owns, and what is therefore done with it. Of which it
// knows nothing is kept: it may hold data.
enum class OrphanFate {
  kKept,     // not stored: nothing is known of it
  kUnused,   // no server ever ran on it: given back
  kDestroy,  // a user wants it destroyed
};
constexpr auto enum_names(OrphanFate) {
  return std::to_array<EnumName<OrphanFate>>(
      {{OrphanFate::kKept, "kept"}, {OrphanFate::kUnused, "unused"}, {OrphanFate::kDestroy, "destroying"}});
}
struct OrphanWord {
  OrphanFate fate = OrphanFate::kKept;
  AgentId agent;
  bool operator==(const OrphanWord&) const = default;
};
template <class Io>
void fields(Io& io, OrphanWord& w) {
  io.required("fate", w.fate);
  io.required("agent", w.agent);
}

// Everything that must survive a restart.
struct SchedulerState {
  std::optional<FrameworkId> framework;
  // The ids of before: Mesos removed these frameworks. Reservations and volumes keep the label they were made with.
  std::set<FrameworkId> former;
  std::map<ClusterId, Cluster> clusters;
  std::map<std::string, OrphanWord> orphans;  // by resource id
  bool operator==(const SchedulerState&) const = default;

  static Result<SchedulerState> recover(const std::map<std::string, std::map<std::string, std::string>>& records);
  // One record more; recover() is nothing but all of them, and a check that none is missing.
  Status fold(const Record& record);
  [[nodiscard]] const Cluster* find_by_name(const std::string& name) const;
  // The frameworks whose label marks a reservation as ours.
  [[nodiscard]] std::set<FrameworkId> labels() const;
};

}  // namespace mysos
