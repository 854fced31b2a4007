// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the scheduler's shell decides beside the core: which inputs the core gets next and how many of them make one commit;
// when the core waits for a commit and when it goes on without it; what may leave; when a refused commit is tried again. It is
// pure. Two users do its input and output: the shell (scheduler/scheduler_loop.h) and the simulator (sim/sim_scheduler.h).
//
//   push() -> inputs -> decide() -> decided() -> the commit under way, and what gathers behind it -> durable() -> carried out
//
// Invariant: nothing of an output leaves before its records are durable, and outputs leave in the order in which they were
// decided. As a rule the core waits for a commit, so that what it decides next rests on what is durable. It does not wait for a
// commit that the store refuses, nor for one that takes longer than kCommitPatience: it goes on hearing of members and Mesos,
// and what it decides gathers behind that commit, up to kMaxUndone.
#include <optional>
#include <string>

#include "base/backoff.h"
#include "base/time.h"
#include "core/pipeline/input_queue.h"
#include "core/scheduler_core.h"

namespace mysos {

inline constexpr std::size_t kMaxInputsPerCommit = 64;
inline constexpr std::size_t kMaxUndone = 20'000;  // records, calls, orders, events, replies that wait for a commit
inline constexpr Duration kCommitPatience = std::chrono::milliseconds(500);  // then the core goes on without it
// Between tries while the disk of the state directory refuses.
inline constexpr Backoff kDiskPauses{std::chrono::milliseconds(100), std::chrono::seconds(5)};

class SchedulerPipeline {
 public:
  // The core outlives it.
  explicit SchedulerPipeline(SchedulerCore& core) : core_(core) {}

  // ---- inputs (input_queue.h) ----
  bool push(LoopInput input) { return inputs_.push(std::move(input)); }
  bool push_mesos(mesos::Event event) { return inputs_.push_mesos(std::move(event)); }
  bool withdraw(const RequestId& request) { return inputs_.withdraw(request); }
  [[nodiscard]] std::size_t inputs() const { return inputs_.size(); }

  // ---- decisions ----
  // When the core is to be given its next batch: not after `now` = at once. Before that nothing changes it but an input, or the
  // commit under way.
  [[nodiscard]] Instant due() const;
  // Gives the core what waits, at most kMaxInputsPerCommit inputs, or a Tick where nothing waits and the core wanted to be
  // woken. What the core says goes to decided(), whole.
  [[nodiscard]] SchedulerOutput decide(Instant now);
  void decided(SchedulerOutput output, Instant now);

  // ---- commits ----
  struct Commit {
    SchedulerOutput output;  // its records are stored in one transaction; where there are none it is durable at once
    Instant since{};         // when it was first tried
    std::string problem{};   // why the store refused the last try; "" = it did not
    Backoff pauses = kDiskPauses;
  };
  // The one under way; null = none. It is the caller's to store it, and to say how that ended.
  [[nodiscard]] const Commit* commit() const { return commit_ ? &*commit_ : nullptr; }
  // The store refused it: the pause before the next try.
  [[nodiscard]] Duration refused(std::string why);
  // It is durable, and may now be carried out. What gathered behind it is the next commit.
  [[nodiscard]] SchedulerOutput durable(Instant now);

  [[nodiscard]] Duration commit_age(Instant now) const;
  // Why nothing can be stored, for people; "" = commits are stored.
  [[nodiscard]] std::string store_trouble(Instant now) const;
  // Why the store refused the last try of the commit under way; "" = it did not.
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
