// SPDX-License-Identifier: Apache-2.0
#pragma once
// The beginning of a member's life (stage wanted): it has no place, and gets one from the offers, with a reservation, a volume
// and its first launch. Which agent is chosen is in placement.h.
#include <vector>

#include "core/provisioning/launcher.h"
#include "core/provisioning/life_part.h"

namespace mysos {

class Placing : public LifePart {
 public:
  Placing(Ledger& ledger, Members& members, Launcher& launcher, const AgentTable& agents, const SchedulerConfig& config);

  // Places whoever fits on these agents. Who asked first is placed first.
  void place_all(std::vector<AgentUse>& uses, Instant now);

  void await(const Owner& owner, Wants& wants) override;

 private:
  [[nodiscard]] std::vector<Owner> in_line(Instant now);
  void grant(const Owner& owner, const AgentUse& use);
  void place(const Owner& owner, AgentUse& use, Instant now);

  Ledger& ledger_;
  Members& members_;
  Launcher& launcher_;
  const AgentTable& agents_;
  const SchedulerConfig& config_;
};

}  // namespace mysos
