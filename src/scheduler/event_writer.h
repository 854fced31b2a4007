// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes events into the log. Holds replies back until the events before them are logged, so that no caller learns of a
// change that is not in the audit trail. If the log refuses (a full disk), it tries again with back-off, and decisions continue
// meanwhile. At most kMaxUnloggedEvents wait; older ones are dropped, and the next logged event says how many were lost.
// Belongs to the thread of the io_context.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/task_group.h"
#include "core/scheduler_core.h"
#include "scheduler/store_worker.h"

namespace mysos {

inline constexpr std::size_t kMaxUnloggedEvents = 20'000;

class EventWriter {
 public:
  using Answer = std::function<void(Reply)>;
  EventWriter(asio::any_io_executor executor, std::unique_ptr<EventLog> log, Answer answer, std::function<void()> changed);

  // Reads where the log ends (blocking).
  Status start();
  asio::awaitable<void> run();
  void add(const std::vector<Event>& events, std::vector<Reply> replies);

  [[nodiscard]] std::uint64_t last_seq() const { return last_seq_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }  // why the last try failed; "" = it succeeded
  [[nodiscard]] std::uint64_t lost() const { return lost_; }             // since the start
  LogWorker& log() { return log_; }

 private:
  struct Batch {
    std::vector<NewEvent> events;
    std::vector<Reply> replies;
  };
  asio::awaitable<void> write(std::vector<NewEvent> events);

  LogWorker log_;
  Answer answer_;
  std::function<void()> changed_;
  Signal added_;
  Batch waiting_;
  std::uint64_t last_seq_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_told_ = 0;
  std::string problem_;
};

}  // namespace mysos
