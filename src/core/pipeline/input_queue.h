// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inputs that wait for the scheduler's core, in the order in which they came. The queue is bounded: of a member's reports
// only the newest waits, and when kMaxQueuedInputs inputs wait (the store has failed for long), push() refuses. Three kinds
// are always taken, since nobody would say them again, and each of them is bounded by itself: the end of an order, the end of
// a member's stream, the end of the subscription to Mesos.
#include <deque>
#include <optional>
#include <variant>

#include "core/state/scheduler_input.h"
#include "model/event.h"

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
  // False: the queue is full, and this input is not in it.
  bool push(LoopInput input);
  // False: the queue is full. What waited from Mesos is dropped too, and a Disconnected waits in its place: the caller
  // subscribes anew, and Mesos says everything again.
  bool push_mesos(mesos::Event event);
  std::optional<LoopInput> pop();
  // A request that nobody waits for any more; false: it has been taken already.
  bool withdraw(const RequestId& request);
  [[nodiscard]] bool empty() const { return inputs_.empty(); }
  [[nodiscard]] std::size_t size() const { return inputs_.size(); }

 private:
  std::deque<LoopInput> inputs_;
};

}  // namespace mysos
