// SPDX-License-Identifier: Apache-2.0
#pragma once
// The decisions of the executor's shell: which input the core gets next; which inputs replace waiting ones; what may be sent
// and what waits for the promise; when a refused promise is tried again; what is reported meanwhile. Pure. Two users do the I/O
// for it: the shell (executor/member_loop.h) and the simulator (sim/sim_executor.h).
//
// Invariant: nothing that follows from a promise happens (no server action, answer or report) before the promise is durable.
// Until then the core gets no input, and report() returns the last durable state.
//
// The waiting inputs are bounded, however long a volume refuses: the newest reading of the server and of the surroundings; the
// newest kMaxWaitingNotices notices; the orders whose callers wait, because withdraw() removes the others. All other inputs
// follow from the core's own actions, and there are none meanwhile.
#include <deque>
#include <optional>
#include <string>

#include "base/backoff.h"
#include "base/shared_value.h"
#include "core/member/member_core.h"

namespace mysos {

inline constexpr std::size_t kMaxWaitingNotices = 100;
// The pauses between tries while the volume refuses a promise.
inline constexpr Backoff kPromisePauses{std::chrono::milliseconds(100), std::chrono::seconds(5)};

class MemberPipeline {
 public:
  explicit MemberPipeline(MemberCore core) : core_(std::move(core)) {}

  // ---- inputs ----
  void push(MemberInput input);
  // Removes an order whose caller no longer waits. False: it is not among the waiting inputs.
  bool withdraw(std::uint64_t order);
  // The next input for step(); null = none waits, or a promise has to be durable first.
  [[nodiscard]] const MemberInput* next() const { return held_ || inputs_.empty() ? nullptr : &inputs_.front(); }
  // When the core wants a Tick.
  [[nodiscard]] Instant due() const { return held_ ? kNever : core_.next_deadline(); }

  // ---- steps ----
  // Gives next() to the core. Returns what may be carried out now; none: promise() must be durable first.
  [[nodiscard]] std::optional<MemberOutput> step(Instant now);
  [[nodiscard]] const MemberPromise* promise() const { return held_ ? &*held_->promise : nullptr; }
  // The volume refused the promise. Returns the pause before the next try.
  [[nodiscard]] Duration refused(std::string why);
  // The promise is durable. Returns what may be carried out now.
  [[nodiscard]] MemberOutput durable();

  // ---- what is known ----
  // While a promise is not durable: the former report, busy, with the reason as its problem. The caller gives `server_alive`,
  // because the end of the server may be a waiting input that the core has not seen.
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
