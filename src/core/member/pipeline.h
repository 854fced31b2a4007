// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an executor's shell decides beside the core: which input the core gets next, which inputs replace those that wait, what
// may leave and what waits for the promise, when a promise that the volume refused is tried again, what is reported meanwhile.
// It is pure. Two users do its input and output: the shell (executor/member_loop.h) and the simulator (sim/sim_executor.h).
//
// Invariant: nothing that follows from a promise leaves (no server action, answer or report) before the promise is durable.
// Until then the core gets no input, and report() says what was last durable.
//
// What waits is bounded, however long a volume refuses: of what the server and the surroundings are only the newest word
// waits; of notices the newest kMaxWaitingNotices; of orders those whose callers wait, since withdraw() takes out the others.
// What is left follows from the core's own actions, of which there are none meanwhile.
#include <deque>
#include <optional>
#include <string>

#include "base/backoff.h"
#include "base/shared_value.h"
#include "core/member/member_core.h"

namespace mysos {

inline constexpr std::size_t kMaxWaitingNotices = 100;
// Between tries while the volume refuses a promise.
inline constexpr Backoff kPromisePauses{std::chrono::milliseconds(100), std::chrono::seconds(5)};

class MemberPipeline {
 public:
  explicit MemberPipeline(MemberCore core) : core_(std::move(core)) {}

  // ---- inputs ----
  void push(MemberInput input);
  // An order that nobody waits for any more. False: it is not among the inputs that wait.
  bool withdraw(std::uint64_t order);
  // What step() takes next; null = nothing waits, or a promise has to be durable first.
  [[nodiscard]] const MemberInput* next() const { return held_ || inputs_.empty() ? nullptr : &inputs_.front(); }
  // When the core wants a Tick.
  [[nodiscard]] Instant due() const { return held_ ? kNever : core_.next_deadline(); }

  // ---- steps ----
  // Gives next() to the core. What may be carried out now; none: promise() has to be durable before that.
  [[nodiscard]] std::optional<MemberOutput> step(Instant now);
  [[nodiscard]] const MemberPromise* promise() const { return held_ ? &*held_->promise : nullptr; }
  // The volume refused it: the pause before the next try.
  [[nodiscard]] Duration refused(std::string why);
  // It is durable: what may be carried out now.
  [[nodiscard]] MemberOutput durable();

  // ---- what is known ----
  // While a promise is not durable: as it was before, busy, with the reason as its problem. `server_alive` says what the core
  // may not know then: the end of the server is an input that waits.
  [[nodiscard]] SharedValue<MemberReport> report(bool server_alive);
  [[nodiscard]] const std::string& problem() const { return problem_; }  // why a promise was refused; "" = it was not
  [[nodiscard]] const MemberCore& core() const { return core_; }

 private:
  MemberCore core_;
  std::deque<MemberInput> inputs_;
  std::optional<MemberOutput> held_;  // its promise is not durable yet
  std::string problem_;
  Backoff pauses_ = kPromisePauses;
  SharedValue<MemberReport> last_;  // the last report that was made
  bool stale_ = true;               // something of that has changed since
};

}  // namespace mysos
