// SPDX-License-Identifier: Apache-2.0
#pragma once
// The end of a member's life (stage releasing): no task holds its volume any more; the volume is destroyed and the reservation
// given back, and it is proved that nothing is left. A master offers what is to be released before its agent has done it, so an
// offer without it proves that only after a while.
#include "core/provisioning/life_part.h"
#include "core/provisioning/stage_changes.h"

namespace mysos {

inline constexpr Duration kReleasePatience = std::chrono::seconds(10);  // silence after an UNRESERVE, then it is asked about
inline constexpr Duration kProofAfter = std::chrono::seconds(3);        // what is not offered by then is not there
inline constexpr Duration kProofUnanswered = std::chrono::minutes(1);   // ... where the answer to a release is still to come
inline constexpr Duration kForgetAfter = std::chrono::seconds(60);      // an agent that offers nothing, and held no data

class Release : public LifePart {
 public:
  Release(Ledger& ledger, Members& members, StageChanges& stages, OrphanHandling& orphans);

  void subscribed(const Owner& owner, Instant now) override;
  void offered(const Owner& owner, const Holding& holding, AgentUse& use, Instant now) override;
  void absent(const Owner& owner, AgentUse& use, Instant now) override;
  void alive(const Owner& owner, mesos::TaskState state, Instant now) override;
  void ended(const Owner& owner, mesos::TaskState state, Instant now) override;
  void answered(const Owner& owner, const OperationName& name, const mesos::UpdateOperation& in, Instant now) override;
  bool overdue(const Owner& owner, Instant now) override;
  void await(const Owner& owner, Wants& wants) override;
  [[nodiscard]] std::string waiting_for(const Member& m, const MemberRow& row) const override;

 private:
  void unreserve_answered(const Owner& owner, const mesos::UpdateOperation& in, Instant now);

  Ledger& ledger_;
  Members& members_;
  StageChanges& stages_;
  OrphanHandling& orphans_;
};

}  // namespace mysos
