// SPDX-License-Identifier: Apache-2.0
#pragma once
// The durable state of the scheduler: the fold of the records in the store (core/state/records.h).
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

// What the store says about a reservation with our label that no member owns, which decides what happens to the reservation. If
// the store says nothing, the reservation is kept, because it may hold data.
enum class OrphanFate {
  kKept,     // not stored: kept
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
  // Earlier ids, of frameworks that Mesos removed. Reservations and volumes keep their original label.
  std::set<FrameworkId> former;
  std::map<ClusterId, Cluster> clusters;
  std::map<std::string, OrphanWord> orphans;  // by resource id
  bool operator==(const SchedulerState&) const = default;

  static Result<SchedulerState> recover(const std::map<std::string, std::map<std::string, std::string>>& records);
  // Applies one more record. recover() applies all records and checks that none is missing.
  Status fold(const Record& record);
  [[nodiscard]] const Cluster* find_by_name(const std::string& name) const;
  // The frameworks whose labels mark a reservation as ours.
  [[nodiscard]] std::set<FrameworkId> labels() const;
};

}  // namespace mysos
