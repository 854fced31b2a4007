// SPDX-License-Identifier: Apache-2.0
#pragma once
// What waits to be given to the core, in the order it came. Bounded: of a member's reports only the
// newest waits, and when kMaxQueuedInputs others do (the store has been failing for long), push()
// says no; only the end of an order is always taken: the core has bounded those. Belongs to one
// thread.
#include <deque>
#include <optional>
#include <variant>

#include "core/scheduler_core.h"

namespace mysos {

inline constexpr std::size_t kMaxQueuedInputs = 10'000;

// An event that the shell itself has to tell: durable before the caller is answered.
struct AuditInput {
  RequestId request;
  Event event;
};
using LoopInput = std::variant<SchedulerInput, AuditInput>;

class InputQueue {
 public:
  // False: it is full, and this is not in it.
  bool push(LoopInput input);
  std::optional<LoopInput> pop();
  // A request that nobody waits for any more; false: it has been taken already.
  bool withdraw(const RequestId& request);
  // Everything from Mesos: after a break all of that is asked anew.
  void drop_mesos();
  [[nodiscard]] bool empty() const { return inputs_.empty(); }
  [[nodiscard]] std::size_t size() const { return inputs_.size(); }

 private:
  std::deque<LoopInput> inputs_;
};

}  // namespace mysos
