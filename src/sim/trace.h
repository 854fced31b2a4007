// SPDX-License-Identifier: Apache-2.0
#pragma once
// The story of one seed: every noteworthy thing as a line, and a hash of all of it that two runs of
// a seed must share. Lines are made only when somebody listens; the hash is taken always, of
// numbers that differ wherever a story would.
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "base/time.h"

namespace mysos::sim {

class Trace {
 public:
  using Listener = std::function<void(Instant at, const std::string& line)>;
  explicit Trace(Listener listener) : listener_(std::move(listener)) {}

  void mix(std::uint64_t value) {
    hash_ ^= value + 0x9E3779B97F4A7C15ULL + (hash_ << 6) + (hash_ >> 2);
    hash_ *= 0x100000001B3ULL;
  }
  void mix(const std::string& text) {
    std::uint64_t h = 0xCBF29CE484222325ULL;  // FNV-1a
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    mix(h);
  }
  // `line` is called only when the story is wanted.
  template <class Line>
  void tell(Instant at, Line line) {
    if (listener_) listener_(at, line());
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  Listener listener_;
  std::uint64_t hash_ = 0x2545F4914F6CDD1DULL;
};

}  // namespace mysos::sim
