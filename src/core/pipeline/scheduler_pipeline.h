// SPDX-License-Identifier: Apache-2.0
#pragma once
// The decisions of the scheduler's shell: which inputs the core gets next, and how many of them make one commit; when the core
// waits for a commit, and when it continues without it; what may be sent; when a refused commit is tried again. Pure. Two users
// do the I/O for it: the shell (scheduler/scheduler_loop.h) and the simulator (sim/sim_scheduler.h).
//
//   push() -> inputs -> decide() -> decided() -> the commit under way, and what gathers behind it -> durable() -> carried out
//
// Invariant: nothing of an output is sent before its records are durable, and outputs are sent in the order in which they were
// decided. Normally the core waits for a commit, so its next decisions rely on durable state only. It does not wait for a
// commit that the store refuses, nor for a commit that takes longer than kCommitPatience. Then it takes further inputs, and its
// output waits behind that commit, up to kMaxUndone.
#include <optional>
#include <string>

#include "base/backoff.h"
#include "base/time.h"
#include "core/pipeline/input_queue.h"
#include "core/scheduler_core.h"

namespace mysos {

inline constexpr std::size_t kMaxInputsPerCommit = 64;
inline constexpr std::size_t kMaxUndone = 20'000;  // records, calls, orders, events, replies that wait for a commit
inline constexpr Duration kCommitPatience = std::chrono::milliseconds(500);  // after which the core continues without it
// The pauses between tries while the store refuses.
inline constexpr Backoff kDiskPauses{std::chrono::milliseconds(100), std::chrono::seconds(5)};

class SchedulerPipeline {
 public:
  // The core must outlive the pipeline.
  explicit SchedulerPipeline(SchedulerCore& core) : core_(core) {}

  // ---- inputs (input_queue.h) ----
  bool push(LoopInput input) { return inputs_.push(std::move(input)); }
  bool push_mesos(mesos::Event event) { return inputs_.push_mesos(std::move(event)); }
  bool withdraw(const RequestId& request) { return inputs_.withdraw(request); }
  [[nodiscard]] std::size_t inputs() const { return inputs_.size(); }

  // ---- decisions ----
  // When the core must get its next batch; a time that is not after `now` means at once. Only an input or the end of the commit
  // changes this time.
  [[nodiscard]] Instant due() const;
  // Gives the core at most kMaxInputsPerCommit waiting inputs, or a Tick if none waits and the core's deadline has come. The
  // caller must pass the whole output to decided().
  [[nodiscard]] SchedulerOutput decide(Instant now);
  void decided(SchedulerOutput output, Instant now);

  // ---- commits ----
  struct Commit {
    SchedulerOutput output;  // its records are stored in one transaction; without records it is durable at once
    Instant since{};         // when it was first tried
    std::string problem{};   // why the store refused the last try; "" = it did not
    Backoff pauses = kDiskPauses;
  };
  // The commit under way; null = none. The caller stores it and reports the result.
  [[nodiscard]] const Commit* commit() const { return commit_ ? &*commit_ : nullptr; }
  // The store refused the commit. Returns the pause before the next try.
  [[nodiscard]] Duration refused(std::string why);
  // The commit is durable: returns what may be carried out. The output that waited behind it is the next commit.
  [[nodiscard]] SchedulerOutput durable(Instant now);

  [[nodiscard]] Duration commit_age(Instant now) const;
  // Why nothing can be stored, as a sentence; "" = commits are stored.
  [[nodiscard]] std::string store_trouble(Instant now) const;
  // Why the store refused the last try of the commit under way; "" = it did not refuse.
  [[nodiscard]] std::string store_refusal() const { return commit_ ? commit_->problem : ""; }

 private:
  void begin(SchedulerOutput output, Instant now);
  [[nodiscard]] bool full() const;

  SchedulerCore& core_;
  InputQueue inputs_;
  std::optional<Commit> commit_;
  SchedulerOutput gathered_;  // decided since
};

}  // namespace mysos
