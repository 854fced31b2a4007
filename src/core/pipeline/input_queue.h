// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inputs that wait for the scheduler's core, in order of arrival. The queue is bounded. It keeps only the newest report of
// each member. When kMaxQueuedInputs inputs wait (because the store has failed for long), push() refuses. Three kinds are
// always accepted, because no sender would repeat them, and each has a bound of its own: the end of an order, the end of a
// member's stream, and the end of the subscription to Mesos.
#include <deque>
#include <optional>
#include <variant>

#include "core/state/scheduler_input.h"
#include "model/event.h"

namespace mysos {

inline constexpr std::size_t kMaxQueuedInputs = 10'000;

// An event that the shell itself makes. It is durable before the caller gets an answer.
struct AuditInput {
  RequestId request;
  Event event;
};
using LoopInput = std::variant<SchedulerInput, AuditInput>;

class InputQueue {
 public:
  // False: the queue is full, and this input is not in it.
  bool push(LoopInput input);
  // False: the queue is full. The waiting inputs from Mesos are dropped too, and a Disconnected replaces them. The caller
  // subscribes again, and Mesos repeats everything.
  bool push_mesos(mesos::Event event);
  std::optional<LoopInput> pop();
  // Removes a request whose caller no longer waits; false: the core has already taken it.
  bool withdraw(const RequestId& request);
  [[nodiscard]] bool empty() const { return inputs_.empty(); }
  [[nodiscard]] std::size_t size() const { return inputs_.size(); }

 private:
  std::deque<LoopInput> inputs_;
};

}  // namespace mysos
