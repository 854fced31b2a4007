// SPDX-License-Identifier: Apache-2.0
#pragma once
// A process that is stopped for a while and goes on: SIGSTOP, or a machine that has no time for it.
// What would have happened meanwhile happens when it goes on, in the same order, so it acts on
// inputs that are old. What is held back must look for itself whether its process still lives.
#include <functional>
#include <utility>
#include <vector>

namespace mysos::sim {

class Freezer {
 public:
  [[nodiscard]] bool frozen() const { return frozen_; }
  void freeze() { frozen_ = true; }
  // Now, or when the process goes on.
  template <class F>
  void run(F&& f) {
    if (!frozen_) return std::forward<F>(f)();
    held_.emplace_back(std::forward<F>(f));
  }
  void thaw() {
    frozen_ = false;
    const auto held = std::exchange(held_, {});
    for (const auto& f : held) f();
  }

 private:
  bool frozen_ = false;
  std::vector<std::function<void()>> held_;
};

}  // namespace mysos::sim
