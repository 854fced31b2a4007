// SPDX-License-Identifier: Apache-2.0
#pragma once
// A process that is stopped for a while and continues: SIGSTOP, or a busy machine. Its events of that
// time happen when it continues, in the same order, so it acts on old inputs. A held event must
// check itself whether its process is still alive.
#include <functional>
#include <utility>
#include <vector>

namespace mysos::sim {

class Freezer {
 public:
  [[nodiscard]] bool frozen() const { return frozen_; }
  void freeze() { frozen_ = true; }
  // Runs it now, or when the process continues.
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
