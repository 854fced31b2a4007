// SPDX-License-Identifier: Apache-2.0
#pragma once
// All the ways from one stage of a member to another, for whichever reason a part of its life takes them. Invariant: only the
// task of a member that leaves is ended, only its volume is given back; a member that has held data keeps its place.
#include <string>

#include "core/provisioning/introductions.h"
#include "core/provisioning/members.h"
#include "core/provisioning/orphan_handling.h"
#include "core/provisioning/reconciler.h"

namespace mysos {

inline constexpr Duration kLaunchPatience = std::chrono::seconds(30);  // silence after an ACCEPT, then it is asked about
inline constexpr Duration kKillAgainMin = std::chrono::seconds(5);

inline constexpr char kAllGone[] = "its agent is gone for good, and all of it with it";

class StageChanges {
 public:
  StageChanges(Ledger& ledger, MemberTable& table, Members& members, Reconciler& reconciler, Introductions& introductions,
               OrphanHandling& orphans, const SchedulerConfig& config);

  void to_launching(const Owner& owner, Instant now);
  void to_running(const Owner& owner, Instant now);
  // Its task is over. The next launch is due after a pause that grows.
  void to_down(const Owner& owner, const std::string& why, Instant now);
  // No task of it was found, but its volume: it is launched as soon as that is offered.
  void to_down_as_found(const Owner& owner, Instant now);
  void to_killing(const Owner& owner, Instant now);
  void to_releasing(const Owner& owner, Instant now);
  // A member that is down. Nothing of it holds data, so it may live anywhere. What was reserved for it, if anything, is an
  // orphan from now on. Not where the record may be old: that does not know who holds data.
  void abandon_place(const Owner& owner, const std::string& why, Instant now);
  // Nothing of it is left: it goes from its cluster, and the cluster with the last of its members.
  void finish(const Owner& owner, const std::string& why);
  // It leaves, from whatever stage it is in.
  void send_away(const Owner& owner, Instant now);

  // It is about to get another newest task, or none: nobody is asked about the one that it has.
  void leave_task(const Owner& owner);
  // How long to wait after so many failures in a row.
  Duration backoff(std::uint32_t failures);

 private:
  void enter(const Owner& owner, stage::Any next);

  Ledger& ledger_;
  MemberTable& table_;
  Members& members_;
  Reconciler& reconciler_;
  Introductions& introductions_;
  OrphanHandling& orphans_;
  const SchedulerConfig& config_;
};

}  // namespace mysos
