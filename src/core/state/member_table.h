// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the scheduler has observed of the members: Mesos' last word about their tasks, and their executors' reports. After a
// restart it observes all of it again. Invariants: each member in the ledger has a row, and no other member has (sync() ensures
// this); a row is in the stage of the member's record (enter() changes both).
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
  // The content of the member's present stage (asserted). MemberTable::enter() changes the stage.
  template <class Stage>
  [[nodiscard]] Stage& in() {
    MYSOS_ASSERT(std::holds_alternative<Stage>(stage_), "the member is in this stage");
    return *std::get_if<Stage>(&stage_);
  }
  template <class Stage>
  [[nodiscard]] const Stage& in() const {
    return const_cast<MemberRow&>(*this).in<Stage>();
  }
  // What Mesos said about its newest task. A new launch clears it.
  struct NewestTask {
    std::optional<mesos::TaskState> told;  // the last word
    std::string why;
    bool ended = false;  // its executor or agent said that it has ended, which is final
    std::optional<OfferId> accepted;  // the offer of its launch, until the first news of the task
  };
  NewestTask task;
  std::uint32_t failures = 0;  // launches in a row that did not last
  std::string failed_why;      // ... the last of them
  // When its resources were last offered. Because calls wait for the store, that offer may still be open at the master, which
  // then offers only the rest.
  std::optional<Instant> offered;

  // The executor's side.
  bool connected = false;
  Instant last_seen{};
  SharedValue<MemberReport> report;
  std::string applier_told;                     // why its applier stopped, by the last event; "" = it runs
  struct Stall {
    GtidSet executed;
    std::string waits_for;  // "" = it works
  };
  std::optional<Stall> stall_told;    // where its applier was stalled, by the last event
  std::string receiver_told;                    // ... and why its receiver fails
  std::optional<Instant> receiver_fails_since;
  GtidSet errant_told;                          // what somebody wrote on it while it followed, by the last event
  bool volume_trouble_told = false;  // its volume takes no writes, by the last event
  std::optional<Instant> volume_told;  // ... and when
  std::string secrets_problem;     // why the encrypted secrets that its executor keeps do not open
  std::string repaired;            // the last repair of its server that an event reported, and when
  Instant repair_told{};
  std::optional<Seeding> seeding;  // by the last event; it outlives the task that made the copy

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
  // The row of a member. Its stage must equal the record's (asserted).
  [[nodiscard]] MemberRow& at(const Member& member);
  [[nodiscard]] const MemberRow& at(const Member& member) const;
  [[nodiscard]] std::map<MemberId, MemberRow>& rows() { return rows_; }

  // Enters the member's next stage, in its record and in the row.
  void enter(Member& member, stage::Any next);
  // The member has another newest task, or none. Clears what was observed of the former task.
  void forget_task(const MemberId& member);

 private:
  std::map<MemberId, MemberRow> rows_;
};

// What the planner and the API see of the members, in the cluster's order.
std::vector<MemberView> views_of(const Cluster& cluster, const MemberTable& table);

}  // namespace mysos
