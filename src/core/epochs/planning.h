// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the parts of the epoch planner share during one call: the observed state, in the terms of the rules, and the decision
// under way. The parts: relapse.cc (whose server starts again and again?), evidence.cc (has the primary failed?), election.cc
// (who comes next?), fences.cc (who is fenced when?), names.cc (what do sets say after a reset?), changes.cc (the record of a
// living primary, one careful step at a time), rebuild.cc (whose data are rebuilt, and from whom), switchover.cc (when a
// planned change may begin); planner.cc puts them in order.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/epochs/planner.h"

namespace mysos {

// Why a replica must be rebuilt.
struct Need {
  std::string why;
  GtidSet errant{};   // what only the replica holds
  bool copy = false;  // what it holds is a copy of all that was acknowledged
};

struct EpochPlanning {
  const Cluster& cluster;
  const EpochRecord& record;
  const std::vector<MemberView>& members;
  const EpochTimes& times;
  EpochMemory& memory;
  const Instant now;
  EpochDecision out;
  std::map<MemberId, std::optional<Need>> needs{};  // as far as they were worked out in this call

  // ---- what is seen ----
  [[nodiscard]] const MemberView* view(const MemberId& id) const;
  static bool in_sight(const MemberView& v) { return v.in_sight(); }
  static bool server_up(const MemberView& v) { return in_sight(v) && v.report->server == ServerState::kRunning; }
  static bool can_write(const MemberView& v) { return v.can_write(); }
  // The member has promised this election, its receiver has stopped after that, and it has reported what it holds. The report
  // stays valid if the member falls silent, because what it holds is durable, or its loss is reported as amnesia.
  [[nodiscard]] bool fenced(const MemberView& v) const;
  // Its data are from before the record's names_from (epochs/names.cc), so its GTID set proves nothing.
  [[nodiscard]] bool outdated(const MemberView& v) const;
  // Its binary logs were reset, so no GTID set will ever show what it acknowledges (epochs/names.cc).
  [[nodiscard]] bool nameless(const MemberView& v) const;
  // What this member wrote itself while it was no primary, and no other member holds. Acknowledged writes are in the floor, or
  // were written by the primary of the record, so none of them is in this set.
  [[nodiscard]] GtidSet written_on(const MemberView& v) const;
  // How long the election lasts.
  [[nodiscard]] Duration electing_for() const { return now - *memory.election_since; }
  // It has promised the present record, and its order is in force.
  [[nodiscard]] bool settled(const MemberView& v) const;
  [[nodiscard]] bool follows(const MemberView& v) const;
  [[nodiscard]] bool silent(const MemberView& v) const { return settled(v) && !v.report->acking; }
  [[nodiscard]] bool is_primary(const MemberView& v) const { return is_primary(v.id); }
  [[nodiscard]] bool is_primary(const MemberId& m) const { return record.primary == m; }
  [[nodiscard]] bool primary_in_place(const MemberView& p) const;
  // It acknowledges now, and has lost nothing that it acknowledged.
  [[nodiscard]] bool acknowledges(const MemberView& v) const;
  // Its server answers its executor, so the report is recent.
  [[nodiscard]] bool answers(const MemberView& v) const;
  // It has received from its source, the recorded primary, within `patience`: an event or a heartbeat.
  [[nodiscard]] bool receives(const MemberView& v, Duration patience) const;
  [[nodiscard]] bool caught_up(const MemberView& p, const MemberView& v) const;
  // Follows silently at the present record, so it may be named; what it holds came from this primary in this epoch.
  [[nodiscard]] bool nameable(const MemberView& v) const;

  // It follows but could not become the primary: its applier stopped or stalled, or somebody wrote on it (soundness.h).
  [[nodiscard]] bool unsound(const MemberView& v) const;
  // Its server starts again and again, so for a while it acknowledges only if no other member can (epochs/relapse.cc).
  [[nodiscard]] bool held_back(const MemberId& m) const;

  // ---- what the record asks for ----
  [[nodiscard]] bool should_acknowledge(const MemberId& m) const;
  [[nodiscard]] std::uint32_t d_in_force() const;  // acknowledgements that the primary must wait for; 0 in solo
  // Too few ackers are connected, can write what they receive, and can show later what they have.
  [[nodiscard]] bool too_few_acknowledge(const MemberView& primary) const;
  [[nodiscard]] std::size_t needed() const { return record.ackers.size() - record.d + 1; }  // reports, for a quorum
  [[nodiscard]] std::size_t most_ackers() const { return mysos::most_ackers(cluster.spec.flavour, members.size()); }
  // It holds everything that was in the primary's binlog at its last report, visible or not (R-read of docs/model).
  [[nodiscard]] static bool has_all_of(const MemberView& v, const MemberView& primary);
  // What is in the primary's binlog. MySQL executes a commit only once it was acknowledged.
  [[nodiscard]] static GtidSet written_by(const MemberView& primary);
  // How many ackers of the record have all of the primary.
  [[nodiscard]] std::size_t containing(const MemberView& p) const;

  // ---- the decision ----
  [[nodiscard]] EpochRecord next_config() const;
  void revisit(Instant at) { out.revisit = std::min(out.revisit, at); }
  void wait(std::string what);
  void persist(EpochRecord next, EventKind kind, std::string why);
  // A condition that has held for `long_enough`; `since` remembers its begin.
  bool lasted(std::optional<Instant>& since, bool holds, Duration long_enough);
};

// Begins an election if the primary has failed. Wrong evidence costs an unneeded failover, never a write.
bool act_on_evidence(EpochPlanning& p, const MemberView& primary);

// The primary's binary logs were reset and no member can replace it: the record notes new names (GTIDs) from now on.
bool renew_names(EpochPlanning& p, const MemberView& primary);
// The names_from of a record that chooses this member. It is new if the member's binary logs were reset.
Pair names_under(const EpochPlanning& p, const MemberView& chosen, const Pair& pair);
// The pair from which the present names count. A record in doubt may be older than a reset; then the reports decide.
[[nodiscard]] Pair names_heard_of(const EpochPlanning& p);
// The record is older than a reset of binary logs that members report.
[[nodiscard]] bool renamed_since(const EpochPlanning& p);
// Like outdated(), by the names that members report too. The member must have reported.
[[nodiscard]] bool made_before_names(const EpochPlanning& p, const MemberView& v);
// Other members hold what this one wrote and does not know, so its binary logs were reset unnoticed.
[[nodiscard]] bool forgot_its_writes(const EpochPlanning& p, const MemberView& v);
// The old primary, if it is fenced and somebody reset its binary logs. Its data are complete, although its GTID set does not
// show that. nullptr: none.
[[nodiscard]] const MemberView* complete_without_names(const EpochPlanning& p);

void start_election(EpochPlanning& p, EventKind kind, std::string why);
// Orders the fences of the election under way to the members that are due.
void order_fences(EpochPlanning& p);
// Carries an election on, from its fences to the record that ends it.
void elect(EpochPlanning& p);

// Begins a requested switchover once its target is near, so that clients hardly wait. True: it has begun.
bool begin_switchover(EpochPlanning& p, const MemberView& primary);
// In a switchover's election: the target holds transactions that it cannot execute soon.
bool target_is_stuck(const EpochPlanning& p, const MemberView& target);
// ... and why it was not chosen.
std::string why_not_chosen(const EpochPlanning& p, const MemberId& target);

// ---- a record that may be old: cluster.doubt is set (epochs/doubt.cc) ----
// Orders nothing until every member can be asked, or an operator has given up the others. Then begins an election.
void leave_alone(EpochPlanning& p);
// Whether the election under way is the one that asks every member.
[[nodiscard]] bool asks_all(const EpochPlanning& p);
// A member has promised a higher pair meanwhile, by an order that was under way for long.
[[nodiscard]] bool promised_above(const EpochPlanning& p);
void ask_all_again(EpochPlanning& p);
// The members that are proven to have everything acknowledged. None: not known yet, and p names what the election waits for.
[[nodiscard]] std::vector<const MemberView*> complete_in_doubt(EpochPlanning& p);
// The epoch in which this member was primary, if it still has those data; 0 if the cluster is not in doubt.
[[nodiscard]] std::uint64_t proven_reign(const EpochPlanning& p, const MemberView& v);
// For the event: which members were not asked; "" = all were asked.
[[nodiscard]] std::string not_asked(const EpochPlanning& p);

// Notes restarts of servers, and holds back the members whose servers start again and again.
void note_relapses(EpochPlanning& p);

// The next change that the record needs, if any. Called only while the primary serves at the record that is.
bool change_record(EpochPlanning& p, const MemberView& primary);

// Makes `next` a solo record: no ackers.
void go_solo(EpochRecord& next);

// Names the replica whose data may be thrown away, or removes the name. One replica at a time, and never the last other copy,
// except the only replica of a cluster.
bool change_rebuilding(EpochPlanning& p, const MemberView& primary);
// It reports that it has no data, or is copying them now.
[[nodiscard]] bool bare(const MemberView& v);
// Whether this replica is being rebuilt, or must be. Then it gets no other order.
bool handle_rebuild(EpochPlanning& p, const MemberView& primary, const MemberView& v);

}  // namespace mysos
