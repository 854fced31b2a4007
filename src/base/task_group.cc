// SPDX-License-Identifier: Apache-2.0
#include "base/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "base/assert.h"
#include "base/log.h"

namespace mysos {
namespace {
constexpr Logger kLog{"tasks"};

void report(const std::string& name, const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    if (e.code() != asio::error::operation_aborted)
      kLog.error("task {} failed: {}", name, e.what());
  } catch (const std::exception& e) {
    kLog.error("task {} failed: {}", name, e.what());
  }
}
}  // namespace

struct TaskGroup::State {
  struct Task {
    explicit Task(std::string n) : name(std::move(n)) {}
    std::string name;
    asio::cancellation_signal signal;
  };
  explicit State(const asio::any_io_executor& executor) : ended(executor) {}
  std::list<Task> tasks;
  Signal ended;
  bool cancelled = false;
};

// What a task's end sets off. A handler that is destroyed without being called ends its task as
// well.
class TaskGroup::Ending {
 public:
  Ending(std::shared_ptr<State> state, std::list<State::Task>::iterator task)
      : state_(std::move(state)), task_(task) {}
  Ending(Ending&& other) noexcept = default;
  ~Ending() {
    if (!state_) return;
    state_->tasks.erase(task_);
    if (state_->tasks.empty()) state_->ended.notify_all();
  }
  void operator()(const std::exception_ptr& failure) { report(task_->name, failure); }

 private:
  std::shared_ptr<State> state_;  // see task_group.h
  std::list<State::Task>::iterator task_;
};

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(std::move(executor)), state_(std::make_shared<State>(executor_)) {}

TaskGroup::~TaskGroup() {
  if (state_->tasks.empty()) return;
  const auto* io = executor_.target<asio::io_context::executor_type>();
  MYSOS_ASSERT(io != nullptr && io->context().stopped(),
               "a task group is joined before it is destroyed");
}

void TaskGroup::spawn(std::string name, asio::awaitable<void> task) {
  if (state_->cancelled) return;
  state_->tasks.emplace_back(std::move(name));
  const auto entry = std::prev(state_->tasks.end());
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(entry->signal.slot(), Ending(state_, entry)));
}

void TaskGroup::cancel() {
  state_->cancelled = true;
  for (auto& task : state_->tasks) task.signal.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> TaskGroup::join() {
  const auto state = state_;
  while (!state->tasks.empty()) co_await state->ended.wait();
}

asio::awaitable<void> TaskGroup::cancel_and_join() {
  cancel();
  co_await join();
}

std::size_t TaskGroup::size() const { return state_->tasks.size(); }
bool TaskGroup::cancelled() const { return state_->cancelled; }

}  // namespace mysos
