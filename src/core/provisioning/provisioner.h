// SPDX-License-Identifier: Apache-2.0
#pragma once
// A member's way through Mesos, from "wanted" to "running on its own volume" and back to nothing. Level-triggered: each step
// compares the member's recorded stage with what an offer, an update or the time shows, so that a call that was lost or
// half done is made good by the next offer. This class puts the parts together and leads each input to them:
//
//   OfferDesk, UpdateDesk   what of an offer or an update is whose
//   Placing                 a member without a place gets one               stage wanted
//   Upkeep                  a member that has a place is launched on it     stages launching, running, down
//   Stopping                the task of a member is ended                   stage killing
//   Release                 its volume and reservation are given back       stage releasing
//   StageChanges            all the ways from one stage to another
//   OrphanHandling          what is ours and no member's
//   ClusterAdoption         a cluster that the state does not know
//
// Invariants: a launch is recorded before it is sent; a task id is used once; a member that has held data is launched on
// its own volume or not at all; no RESERVE is sent twice under one resource id, so what a lost answer leaves behind is
// an orphan with a name; a volume is destroyed only for a member that is being deleted, or as an orphan that never held data
// or that a user wants destroyed.
// That a volume is offered proves that no task holds it; silence, UNREACHABLE, LOST and UNKNOWN prove nothing.
// Sources: Mesos reservation.md, persistent-volume.md, reconciliation.md; measured on Mesos 1.11.
#include <string>
#include <vector>

#include "core/provisioning/cluster_adoption.h"
#include "core/provisioning/offer_desk.h"
#include "core/provisioning/offer_tap.h"
#include "core/provisioning/placing.h"
#include "core/provisioning/release.h"
#include "core/provisioning/stopping.h"
#include "core/provisioning/update_desk.h"
#include "core/provisioning/upkeep.h"

namespace mysos {

class Provisioner {
 public:
  Provisioner(Ledger& ledger, MemberTable& table, const SchedulerConfig& config);

  void subscribed(Instant now);
  void on(const mesos::Offers& in, Instant now);
  void on(const mesos::Rescind& in, Instant now) { updates_.take(in, now); }
  void on(const mesos::Update& in, Instant now) { updates_.take(in, now); }
  void on(const mesos::UpdateOperation& in, Instant now) { updates_.take(in, now); }
  void on(const mesos::Failure& in, Instant now) { updates_.take(in, now); }

  // The executor of its newest task speaks: that task runs.
  void member_spoke(const MemberId& member, Instant now);
  void begin_delete(const ClusterId& cluster, Instant now);

  // A cluster with wanted members was recorded.
  void cluster_added(Instant now) { alarm_.wake(now); }
  // Does all that is due: to be called whenever next() has come, while subscribed. O(members that do not run).
  void advance(Instant now);
  [[nodiscard]] Instant next() const { return alarm_.next(); }

  // What the members wait for on the side of Mesos; "" = nothing.
  [[nodiscard]] std::string waiting_for(const Cluster& cluster) const;
  [[nodiscard]] std::vector<AgentSpace> agents() const { return agents_.all(); }

  // A user's word: the volume goes, with all that is on it. Once more is the same.
  Result<ClusterId> destroy_orphan(const std::string& resource_id, Instant now) {
    return orphan_handling_.destroy(resource_id, now);
  }
  [[nodiscard]] OrphansView orphans() const { return orphan_handling_.view(); }
  // A cluster that the state does not know becomes one that it knows, in doubt. Once more is the same. kNotFound: nothing says
  // that it is of such a cluster. kConflict: the name is taken, or means several; or its secrets cannot be read.
  Result<ClusterId> adopt(const command::Adopt& in, Instant now) { return adoption_.adopt(in, now); }
  void identified(const scheduler_input::Identified& in, Instant now) { adoption_.identified(in, now); }

 private:
  Ledger& ledger_;
  MemberTable& table_;
  // What is known of all of them.
  Alarm alarm_;
  AgentTable agents_;
  Orphans orphans_;
  Members members_;
  // What is asked of Mesos and of executors.
  OfferTap tap_;
  Reconciler reconciler_;
  Introductions introductions_;
  // The parts of a member's life, and what belongs to no member.
  OrphanHandling orphan_handling_;
  StageChanges stages_;
  Launcher launcher_;
  Placing placing_;
  Upkeep upkeep_;
  Release release_;
  Stopping stopping_;
  ClusterAdoption adoption_;
  LifeParts life_{.placing = placing_, .upkeep = upkeep_, .stopping = stopping_, .release = release_};
  OfferDesk offers_;
  UpdateDesk updates_;
};

}  // namespace mysos
