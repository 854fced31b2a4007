// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small seeded generator (SplitMix64, Steele et al. 2014) for the brains and the simulator: the same seed gives the
// same bytes on every machine. Not for secrets: those come from libsodium (base/secret.h).
#include <cstdint>
#include <string>

namespace mysos {

class Prng {
 public:
  explicit Prng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // A number below `bound`; bound > 0. The tiny modulo bias is irrelevant for jitter and simulation.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  // True in `per_mille` of 1000 calls.
  bool chance(std::uint64_t per_mille) { return below(1000) < per_mille; }
  // `length` characters of a-z2-7: names for people and for labels.
  std::string name(std::size_t length) {
    static constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    std::string out(length, 'a');
    for (char& c : out) c = kAlphabet[below(32)];
    return out;
  }
  // A generator of its own, so that adding a call in one place does not shift every other.
  Prng fork() { return Prng(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace mysos
