// SPDX-License-Identifier: Apache-2.0
#pragma once
// Executors are asked who they are: those of tasks that the state does not know, and those of members whose cluster has no
// secrets in the state, or older ones than the member keeps. Owns the questions that are open. It takes the secrets from the
// answers; which place a member has is for ClusterAdoption.
#include "core/provisioning/adoption.h"
#include "core/provisioning/alarm.h"
#include "core/provisioning/members.h"
#include "core/provisioning/questions.h"

namespace mysos {

class Introductions {
 public:
  Introductions(Ledger& ledger, Members& members, Alarm& alarm);

  void ask(const TaskId& task, const AgentId& agent, Instant now);
  // It has answered, or nobody needs the answer any more.
  void settled(const TaskId& task) { open_.settled(task); }
  // Asks this member, if it runs and the state lacks its cluster's secrets.
  void ask_for_secrets(const Owner& owner, Instant now);
  // Those that the member keeps, where the state has none or older ones.
  void take_secrets(const Owner& owner, const MemberFound& found);
  // This member has answered: it is asked no more, if nothing is missing.
  void answered(const Owner& owner, const MemberFound& found);

  // The messages that are due.
  std::vector<mesos::Call> due(Instant now);
  [[nodiscard]] Instant next() const { return open_.next(); }

 private:
  [[nodiscard]] bool lacks_secrets(const Owner& owner);

  Ledger& ledger_;
  Members& members_;
  Alarm& alarm_;
  Questions open_;
};

}  // namespace mysos
