// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is merely seen of the members: what Mesos last said of their tasks, what their executors report. All of it is seen
// again after a restart. Invariants: there is a row for each member in the ledger and for no other (sync() keeps it so), and a
// row is in the stage that the member's record says (enter() changes both).
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/epochs/planner.h"
#include "core/state/ledger.h"
#include "core/state/member_stage.h"

namespace mysos {

struct MemberRow {
  ClusterId cluster;

  // Mesos' side.
  [[nodiscard]] const stage::Any& stage() const { return stage_; }
  // The timers and words of the stage that it is in (asserted); MemberTable::enter() leads to another one.
  template <class Stage>
  [[nodiscard]] Stage& in() {
    MYSOS_ASSERT(std::holds_alternative<Stage>(stage_), "the member is in this stage");
    return *std::get_if<Stage>(&stage_);
  }
  template <class Stage>
  [[nodiscard]] const Stage& in() const {
    return const_cast<MemberRow&>(*this).in<Stage>();
  }
  // What Mesos said of its newest task; another launch begins anew.
  struct NewestTask {
    std::optional<mesos::TaskState> told;  // the last word
    std::string why;
    bool ended = false;  // an executor's or agent's word that it is over: nothing revives it
    std::optional<OfferId> accepted;  // the offer its launch was sent on, until something is heard of it
  };
  NewestTask task;
  std::uint32_t failures = 0;  // launches in a row that did not last
  std::string failed_why;      // ... the last of them
  // When its resources were last offered. Calls wait for the store: that offer may still be open at the master, which then
  // offers what is left.
  std::optional<Instant> offered;

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

 private:
  friend class MemberTable;
  stage::Any stage_;
};

class MemberTable {
 public:
  // A new row begins at `now`.
  void sync(const SchedulerState& state, Instant now);
  void add(const Cluster& cluster, const Member& member, Instant now);
  void remove(const MemberId& member);

  [[nodiscard]] MemberRow* find(const MemberId& member);
  [[nodiscard]] const MemberRow* find(const MemberId& member) const;
  [[nodiscard]] MemberRow& at(const MemberId& member);
  [[nodiscard]] const MemberRow& at(const MemberId& member) const;
  // The row of a member whose record is at hand: both say the same stage (asserted).
  [[nodiscard]] MemberRow& at(const Member& member);
  [[nodiscard]] const MemberRow& at(const Member& member) const;
  [[nodiscard]] std::map<MemberId, MemberRow>& rows() { return rows_; }

  // The member's next stage, in its record and here.
  void enter(Member& member, stage::Any next);
  // It has another newest task, or none: what was seen is of the task before.
  void forget_task(const MemberId& member);

 private:
  std::map<MemberId, MemberRow> rows_;
};

// What the planner and the API see of the members, in the cluster's order.
std::vector<MemberView> views_of(const Cluster& cluster, const MemberTable& table);

}  // namespace mysos
