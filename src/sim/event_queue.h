// SPDX-License-Identifier: Apache-2.0
#pragma once
// The virtual clock: things happen in the order of their time, and things of one time in the order
// they were asked for. Nothing else moves a simulated world, so the same seed gives the same story.
// One thread.
#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace mysos::sim {

class EventQueue {
 public:
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] Instant next_at() const { return heap_.empty() ? kNever : heap_.front().at; }
  [[nodiscard]] std::uint64_t done() const { return done_; }

  void after(Duration delay, std::function<void()> run) { at(now_ + delay, std::move(run)); }
  void at(Instant when, std::function<void()> run) {
    heap_.push_back({std::max(when, now_), next_++, std::move(run)});
    std::ranges::push_heap(heap_, Later{});
  }
  // Runs the next event; the queue must not be empty.
  void run_one() {
    std::ranges::pop_heap(heap_, Later{});
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.at;
    ++done_;
    entry.run();
  }

 private:
  struct Entry {
    Instant at;
    std::uint64_t order = 0;
    std::function<void()> run;
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };
  std::vector<Entry> heap_;
  Instant now_{};
  std::uint64_t next_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace mysos::sim
