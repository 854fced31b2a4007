// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is merely seen of the members: what Mesos last said of their tasks, what their executors report. All of it is seen
// again after a restart. Invariant: there is a row for each member in the ledger and for no other (sync() keeps it so).
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/epochs/planner.h"
#include "core/state/ledger.h"

namespace mysos {

struct MemberRow {
  ClusterId cluster;

  // Mesos' side.
  std::optional<mesos::TaskState> told;  // the last word about its newest task
  std::string told_why;
  bool agent_gone = false;      // marked gone by an operator: its volume will not return
  std::string stuck;            // kDown: why the next launch cannot be, in words; "" = it can
  bool ended = false;           // an executor's or agent's word that the newest task is over: nothing revives it
  std::uint32_t failures = 0;   // launches in a row that did not last
  std::string failed_why;       // ... the last of them
  bool port_taken = false;      // ... because another process has a port of it: the next one gets others
  Instant running_since = kNever;
  Instant launch_by = kNever;   // kLaunching: silence beyond this is asked about
  Instant not_before{};         // the next try of a placement, a relaunch, a release
  Instant killing_since{};      // kKilling
  Instant kill_at{};            // when to (re)send the kill
  Duration kill_backoff{};
  Instant release_since{};      // kReleasing: since when its resources should be on their way back
  Instant release_by = kNever;  // kReleasing: an UNRESERVE is on its way; silence beyond this is asked about
  OperationId unreserve;        // ... and its id
  // When its resources were last offered. Calls wait for the store: that offer may still be open at the master, which then
  // offers what is left.
  std::optional<Instant> offered;
  std::optional<OfferId> accepted;  // the offer its launch was sent on, until something is heard of it

  // The executor's side.
  bool connected = false;
  Instant last_seen{};
  SharedValue<MemberReport> report;
  std::string applier_told;                     // why its applier stopped, as the last event said; "" = it runs
  struct Standstill {
    GtidSet executed;
    std::string waits_for;  // "" = it works
  };
  std::optional<Standstill> standstill_told;    // its applier stood still there
  std::string receiver_told;                    // ... and why its receiver fails
  std::optional<Instant> receiver_fails_since;
  GtidSet errant_told;                          // written on it while it followed
  bool volume_trouble_told = false;  // its volume takes no writes, as the last event said
  std::optional<Instant> volume_told;  // ... and when
  std::string secrets_problem;     // why the encrypted secrets that its executor keeps do not open
  std::string repaired;            // as last told of its server, and when
  Instant repair_told{};
  std::optional<Seeding> seeding;  // as last told; it outlives the task that made the copy
};

class MemberTable {
 public:
  // A new row begins at `now`.
  void sync(const SchedulerState& state, Instant now);
  void add(const Cluster& cluster, const MemberId& member, Instant now);
  void remove(const MemberId& member);

  [[nodiscard]] MemberRow* find(const MemberId& member);
  [[nodiscard]] const MemberRow* find(const MemberId& member) const;
  [[nodiscard]] MemberRow& at(const MemberId& member);
  [[nodiscard]] const MemberRow& at(const MemberId& member) const;
  [[nodiscard]] std::map<MemberId, MemberRow>& rows() { return rows_; }

  // A new launch: what was seen belongs to the task before.
  void begin_launch(const MemberId& member);

 private:
  std::map<MemberId, MemberRow> rows_;
};

// What the planner and the API see of the members, in the cluster's order.
std::vector<MemberView> views_of(const Cluster& cluster, const MemberTable& table);

}  // namespace mysos
