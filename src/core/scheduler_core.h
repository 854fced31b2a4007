// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scheduler's brain. It takes one input at a time (a Mesos event, a user's command, a member's report, time) and returns
// what must be done now. It has no I/O, clock, thread or randomness, so the simulator can run it through any faults.
//
// The contract of SchedulerOutput, in this order: `records` are durable, in one transaction, BEFORE anything else is sent;
// then `calls` to Mesos and `orders` to members; then `events` are logged, and `replies` go to waiting callers. State is the
// fold of the records: SchedulerState::recover(all records) == state(), always.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "core/cluster_view.h"
#include "core/provisioning/orphans_view.h"
#include "core/state/scheduler_config.h"
#include "core/state/scheduler_input.h"
#include "core/state/scheduler_output.h"
#include "core/state/scheduler_state.h"

namespace mysos {

class SchedulerCore {
 public:
  SchedulerCore(SchedulerState recovered, SchedulerConfig config, Prng prng, Instant now);
  ~SchedulerCore();
  SchedulerCore(const SchedulerCore&) = delete;
  SchedulerCore& operator=(const SchedulerCore&) = delete;

  void step(const SchedulerInput& input, Instant now);
  SchedulerOutput take_output();
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] const SchedulerState& state() const;
  [[nodiscard]] mesos::FrameworkInfo framework_info() const;  // what to subscribe with
  [[nodiscard]] std::vector<WatchTarget> watch_targets() const;
  [[nodiscard]] std::vector<ClusterView> views(Instant now) const;
  [[nodiscard]] std::optional<ClusterView> view(const std::string& name, Instant now) const;
  [[nodiscard]] OrphansView orphans() const;
  [[nodiscard]] bool connected() const;  // subscribed to a Mesos master
  // Mesos has removed this framework. Until a Register command, only reads are possible.
  [[nodiscard]] bool removed() const;
  // Why there is no subscription, in the master's words; "" = subscribed, or no reason known.
  [[nodiscard]] const std::string& mesos_problem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mysos
