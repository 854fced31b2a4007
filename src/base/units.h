// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sizes, and the text people write for them ("1GB", "512MB", "1.5 GiB").
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mysos {

struct Bytes {
  std::uint64_t value = 0;
  auto operator<=>(const Bytes&) const = default;
  [[nodiscard]] std::uint64_t mib() const { return value >> 20; }
};
constexpr Bytes mib(std::uint64_t n) { return Bytes{n << 20}; }
constexpr Bytes gib(std::uint64_t n) { return Bytes{n << 30}; }

// KB, MB, GB, TB mean powers of 1024, as they do to MySQL and to Mesos; KiB, MiB... and a bare K, M, G, T are the same.
// A number without a unit is refused: nobody agrees what it would mean.
Result<Bytes> parse_bytes(std::string_view text);
// The shortest exact form: "1GB", "1536MB".
std::string to_string(Bytes bytes);

}  // namespace mysos
