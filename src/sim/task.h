// SPDX-License-Identifier: Apache-2.0
#pragma once
// Something to be done once, later: what std::move_only_function is in libraries newer than ours, with room inside for what
// most parts of a world capture, because a simulated second is some hundred of these.
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace mysos::sim {

class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { clear(); }

  template <class F>
  void set(F&& f) {
    using Kept = std::remove_cvref_t<F>;
    clear();
    if constexpr (sizeof(Kept) <= kRoom && alignof(Kept) <= alignof(std::max_align_t)) {
      kept_ = ::new (static_cast<void*>(room_)) Kept(std::forward<F>(f));
      end_ = [](void* kept) { std::destroy_at(static_cast<Kept*>(kept)); };
    } else {
      kept_ = new Kept(std::forward<F>(f));
      end_ = [](void* kept) { delete static_cast<Kept*>(kept); };
    }
    run_ = [](void* kept) { (*static_cast<Kept*>(kept))(); };
  }
  void run() { run_(kept_); }
  void clear() {
    if (kept_ != nullptr) end_(std::exchange(kept_, nullptr));
  }

 private:
  static constexpr std::size_t kRoom = 152;
  void* kept_ = nullptr;
  void (*run_)(void*) = nullptr;
  void (*end_)(void*) = nullptr;
  alignas(std::max_align_t) std::byte room_[kRoom];
};

}  // namespace mysos::sim
