// SPDX-License-Identifier: Apache-2.0
#pragma once
// A member's way through Mesos, from "wanted" to "running on its own volume" and back to nothing. Level-triggered: each step
// compares the member's recorded stage with what an offer, an update or the time shows, so that a call that was lost or
// half done is made good by the next offer.
//
// Invariants: a launch is recorded before it is sent; a task id is used once; a member that has held data is launched on
// its own volume or not at all; no RESERVE is sent twice under one resource id, so what a lost answer leaves behind is
// an orphan with a name; a volume is destroyed only for a member that is being deleted, or as an orphan that never held data
// or that a user wants destroyed.
// That a volume is offered proves that no task holds it; silence, UNREACHABLE, LOST and UNKNOWN prove nothing.
// Sources: Mesos reservation.md, persistent-volume.md, reconciliation.md; measured on Mesos 1.11.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/provisioning/agent_table.h"
#include "core/provisioning/offer_tap.h"
#include "core/provisioning/orphans.h"
#include "core/provisioning/placed_members.h"
#include "core/provisioning/reconciler.h"
#include "core/state/ledger.h"
#include "core/state/member_table.h"
#include "core/state/scheduler_config.h"
#include "core/state/scheduler_input.h"

namespace mysos {

inline constexpr Duration kLaunchPatience = std::chrono::seconds(30);   // silence after an ACCEPT, then it is asked about
inline constexpr Duration kReleasePatience = std::chrono::seconds(10);  // the same after an UNRESERVE
inline constexpr Duration kAbandonAfter = std::chrono::seconds(10);  // a place that never held data and is not offered
inline constexpr Duration kProofAfter = std::chrono::seconds(3);     // what is not offered by then is not there
inline constexpr Duration kProofUnanswered = std::chrono::minutes(1);  // ... where the answer to a release is still to come
inline constexpr Duration kForgetAfter = std::chrono::seconds(60);   // an agent that offers nothing, and held no data
inline constexpr Duration kAwaitedRefuse = std::chrono::seconds(5);  // an offer of an agent that owes us something
inline constexpr Duration kKillAgainMin = std::chrono::seconds(5);
inline constexpr Duration kKillAgainMax = std::chrono::minutes(1);
inline constexpr std::size_t kMaxOthersTold = 1000;
inline constexpr Duration kShutdownAfter = std::chrono::seconds(10);  // an executor that lets its kill grace pass

class Provisioner {
 public:
  Provisioner(Ledger& ledger, MemberTable& table, const SchedulerConfig& config);

  void subscribed(Instant now);
  void on(const mesos::Offers& in, Instant now);
  void on(const mesos::Rescind& in, Instant now);
  void on(const mesos::Update& in, Instant now);
  void on(const mesos::UpdateOperation& in, Instant now);
  void on(const mesos::Failure& in, Instant now);

  // The executor of its newest task speaks: that task runs.
  void member_spoke(const MemberId& member, Instant now);
  void begin_delete(const ClusterId& cluster, Instant now);

  // A cluster with wanted members was recorded.
  void cluster_added(Instant now) { wake(now); }
  // Does all that is due: to be called whenever next() has come, while subscribed. O(members that do not run).
  void advance(Instant now);
  [[nodiscard]] Instant next() const { return next_; }

  // What the members wait for on the side of Mesos; "" = nothing.
  [[nodiscard]] std::string waiting_for(const Cluster& cluster) const;
  [[nodiscard]] std::vector<AgentSpace> agents() const { return agents_.all(); }

  // A user's word: the volume goes, with all that is on it. Once more is the same.
  Result<ClusterId> destroy_orphan(const std::string& resource_id, Instant now);
  [[nodiscard]] OrphansView orphans() const;
  // A cluster that the state does not know becomes one that it knows, in doubt. Once more is the same. kNotFound: nothing says
  // that it is of such a cluster. kConflict: the name is taken, or means several; or its secrets cannot be read.
  Result<ClusterId> adopt(const command::Adopt& in, Instant now);
  void identified(const scheduler_input::Identified& in, Instant now);

 private:
  // The offers of one agent, and what is to be done with them.
  struct Use {
    AgentOffer offer;
    Resources free;  // unreserved and not yet given to anybody
    std::vector<mesos::Operation> operations;
    bool awaited = false;  // something of ours is missing in it and should come soon
  };
  [[nodiscard]] const Member& get(const Owner& owner) const;
  Member& edit(const Owner& owner);
  [[nodiscard]] MemberRow& row_of(const Owner& owner) { return table_.at(get(owner)); }
  [[nodiscard]] const Cluster& cluster_of(const Owner& owner) const;
  [[nodiscard]] bool in_doubt() const;  // a record may be old
  void tell(const Owner& owner, EventText text);
  // The members that are not running and whose stage is `keep`'s choice; a snapshot, so that they may be changed meanwhile.
  template <class Keep>
  [[nodiscard]] std::vector<Owner> unsettled(Keep keep) const {
    std::vector<Owner> out;
    for (const ClusterId& id : ledger_.unsettled()) {
      for (const Member& m : ledger_.find(id)->members) {
        if (m.stage != MemberStage::kRunning && keep(m.stage)) out.push_back({id, m.id});
      }
    }
    return out;
  }
  [[nodiscard]] std::vector<Owner> all_placed() const;
  // To be called before and after a member's place or task changes.
  void unindex(const Owner& owner);
  void index(const Owner& owner);

  // Stages (provisioning/provisioner_stages.cc).
  void enter(const Owner& owner, stage::Any next);
  void to_launching(const Owner& owner, Instant now);
  void to_running(const Owner& owner, Instant now);
  void to_down(const Owner& owner, const std::string& why, Instant now);
  void to_killing(const Owner& owner, Instant now);
  void to_releasing(const Owner& owner, Instant now);
  void abandon_place(const Owner& owner, const std::string& why, Instant now);
  void finish(const Owner& owner, const std::string& why);
  void send_away(const Owner& owner, Instant now);
  Duration backoff(std::uint32_t failures);

  // Time (provisioning/provisioner_time.cc).
  void wake(Instant at) { next_ = std::min(next_, at); }
  bool overdue(const Owner& owner, Instant now);
  void launch_overdue(const Owner& owner, stage::Launching& launching, Instant now);
  void await(const Owner& owner, std::set<std::string>& wants, Instant now);
  void await_volume(const Owner& owner, const stage::Down& down, std::set<std::string>& wants, Instant now);
  void await_release(const Owner& owner, stage::Releasing& releasing, std::set<std::string>& wants, Instant now);
  void want(std::set<std::string>& wants, std::string what, Instant not_before, Instant now);
  void kill(const Owner& owner, stage::Killing& killing, Instant now);

  // Offers (provisioning/provisioner_offers.cc).
  void look_through(Use& use, Instant now);
  void serve(const Owner& owner, const Holding& holding, Use& use, Instant now);
  void serve_down(const Owner& owner, const Holding& holding, Use& use, Instant now);
  void serve_releasing(const Owner& owner, const Holding& holding, Use& use, Instant now);
  void serve_absent(const Owner& owner, Use& use, Instant now);
  Resources lacking_ports(const Owner& owner, const Holding& holding, Use& use);
  void choose_ports(const Owner& owner, const Use& use);
  void place_wanted(std::vector<Use>& uses, Instant now);
  void place(const Owner& owner, Use& use, Instant now);
  void launch(const Owner& owner, const Resources& resources, Use& use, Instant now);
  void settle(std::vector<Use>& uses);
  [[nodiscard]] Needs held_beyond(const AgentOffer& offer, const std::map<std::string, Holding>& offered) const;

  // Updates (provisioning/provisioner_updates.cc).
  void alive(const Owner& owner, const mesos::Update& in, Instant now);
  void ended(const Owner& owner, const mesos::Update& in, Instant now);
  void unreserve_answered(const Owner& owner, const mesos::UpdateOperation& in, bool failed, Instant now);
  void doubtful(const Owner& owner, const mesos::Update& in, Instant now);
  // Of a launch that this state does not know, so it is old (core/state/doubt.h). False: it is not such a task.
  bool later_launch(const mesos::Update& in, Instant now);
  void take_over(const Owner& owner, const TaskId& task, std::uint64_t launches);

  // Orphans (provisioning/provisioner_orphans.cc).
  void add_orphans_wanted(std::set<std::string>& wants, Instant now) const;
  void serve_orphan(const std::string& resource_id, const Holding& holding, Use& use, Instant now);
  void tell_of(const FrameworkId& other);
  void orphans_absent(const Use& use, const std::map<std::string, Holding>& offered, Instant now);
  void orphan_gone(const std::string& resource_id, const std::string& why);
  void orphan_operation(const std::string& kind, const std::string& resource_id, const mesos::UpdateOperation& in);
  void orphan_unused(const Member& member, Instant now);
  [[nodiscard]] bool given_up(const TaskName& name) const;
  void stray(const mesos::Update& in, Instant now);

  // Adoption (provisioning/provisioner_adoption.cc).
  bool left_alone(const mesos::Update& in, const TaskName& name, Instant now);
  [[nodiscard]] std::vector<MemberFound> claimable() const;
  [[nodiscard]] Result<std::vector<MemberFound>> unknown_cluster(const command::Adopt& in) const;
  std::size_t take_places(const ClusterId& cluster, Instant now);
  void take_secrets(const Owner& owner, const MemberFound& found);
  [[nodiscard]] bool lacks_secrets(const Owner& owner) const;
  void ask_for_secrets(const Owner& owner, Instant now);

  Ledger& ledger_;
  MemberTable& table_;
  const SchedulerConfig& config_;
  AgentTable agents_;
  OfferTap tap_;
  Reconciler reconciler_;
  Orphans orphans_;
  std::set<FrameworkId> others_told_;  // frameworks of Mysos whose reservations are not ours
  Questions introductions_{kReconcileMin, kReconcileMax};  // executors that are asked who they are
  PlacedMembers placed_;
  Instant next_ = kNever;
};

}  // namespace mysos
