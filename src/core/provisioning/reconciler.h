// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which tasks to ask the master about, and when: all known ones after each (re)subscription, any one in doubt, each with
// backoff until it is answered; and all that the master knows, then once in a while (an empty list). Answers come as updates.
// Source: Mesos reconciliation.md.
#include <algorithm>
#include <vector>

#include "base/time.h"
#include "core/provisioning/questions.h"
#include "model/mesos.h"

namespace mysos {

inline constexpr Duration kReconcileMin = std::chrono::seconds(1);
// Where a record may be old, there may be tasks that it does not know.
inline constexpr Duration kReconcileInDoubt = std::chrono::seconds(5);
inline constexpr Duration kReconcileMax = std::chrono::minutes(1);

class Reconciler {
 public:
  explicit Reconciler(Duration implicit_every) : implicit_every_(implicit_every) {}

  // All that the master knows is asked for at once: what the state does not know is found by that.
  void subscribed(Instant now) { implicit_at_ = now; }
  // The master is asked for all that it knows at `at` at the latest.
  void ask_for_all(Instant at) { implicit_at_ = std::min(implicit_at_, at); }
  // Ask from `at` on; one that is asked for already is asked at the earlier of both times.
  void ask(const TaskId& task, const AgentId& agent, Instant at) { open_.ask(task, agent, at); }
  // Goes on asking with backoff; begins at `at` if nobody asked yet.
  void keep_asking(const TaskId& task, const AgentId& agent, Instant at) { open_.keep_asking(task, agent, at); }
  // A clear answer came, or nobody needs one any more.
  void settled(const TaskId& task) { open_.settled(task); }

  std::vector<mesos::Call> due(Instant now);
  [[nodiscard]] Instant next() const;

 private:
  Duration implicit_every_;
  Instant implicit_at_ = kNever;
  Questions open_{kReconcileMin, kReconcileMax};
};

}  // namespace mysos
