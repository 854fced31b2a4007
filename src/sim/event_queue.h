// SPDX-License-Identifier: Apache-2.0
#pragma once
// The virtual clock: events happen in the order of their time, and events of the same time in the
// order in which they were requested. Nothing else changes a simulated world, so the same seed gives
// the same story. One thread.
#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "base/time.h"
#include "sim/task.h"

namespace mysos::sim {

class EventQueue {
 public:
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] Instant next_at() const { return heap_.empty() ? kNever : heap_.front().at; }
  [[nodiscard]] std::uint64_t done() const { return done_; }

  template <class F>
  void after(Duration delay, F&& run) {
    at(now_ + delay, std::forward<F>(run));
  }
  template <class F>
  void at(Instant when, F&& run) {
    std::uint32_t place = 0;
    if (free_.empty()) {
      place = static_cast<std::uint32_t>(tasks_.size());
      tasks_.emplace_back();
    } else {
      place = free_.back();
      free_.pop_back();
    }
    tasks_[place].set(std::forward<F>(run));
    heap_.push_back({std::max(when, now_), next_++, place});
    std::push_heap(heap_.begin(), heap_.end(), Later{});
  }
  // Runs the next event; the queue must not be empty.
  void run_one() {
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    const Entry entry = heap_.back();
    heap_.pop_back();
    now_ = entry.at;
    ++done_;
    Task& task = tasks_[entry.place];  // stays where it is, whatever is asked for meanwhile
    task.run();
    task.clear();
    free_.push_back(entry.place);
  }

 private:
  struct Entry {
    Instant at;
    std::uint64_t order = 0;
    std::uint32_t place = 0;  // in tasks_
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };
  std::vector<Entry> heap_;
  std::deque<Task> tasks_;
  std::vector<std::uint32_t> free_;
  Instant now_{};
  std::uint64_t next_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace mysos::sim
