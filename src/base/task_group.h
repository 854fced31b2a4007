// SPDX-License-Identifier: Apache-2.0
#pragma once
// The owner of coroutines. It cancels and joins them before the objects to which they refer are
// destroyed. A task ends by returning, or by the exception with which Asio unwinds a cancelled
// coroutine; any other exception is logged with the task's name. Belongs to the thread that runs
// the executor. Invariant: no task outlives its group, except that of an io_context that was
// stopped and will never run again.
#include <list>
#include <memory>
#include <string>

#include "base/asio.h"

namespace mysos {

class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();  // asserts that it is empty, or that its io_context is stopped
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts the task, now or at the next turn of the loop. A cancelled group starts nothing more.
  void spawn(std::string name, asio::awaitable<void> task);
  // Tells every task to stop: what it awaits ends with operation_aborted, and so does each later
  // await.
  void cancel();
  // Ends when the last task has ended; cancel() or not. Not to be called from a task of this group.
  asio::awaitable<void> join();
  asio::awaitable<void> cancel_and_join();

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool cancelled() const;
  [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }

 private:
  struct State;
  class Ending;
  asio::any_io_executor executor_;
  std::shared_ptr<State>
      state_;  // shared with the completion handlers, which a dying io_context destroys late
};

}  // namespace mysos
