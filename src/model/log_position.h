// SPDX-License-Identifier: Apache-2.0
#pragma once
// A position in one server's binlog. Positions of different servers are not comparable.
#include <compare>
#include <cstdint>

#include "base/json.h"

namespace mysos {

struct LogPosition {
  std::uint64_t file = 0;  // the number in its name; 0 = not known
  std::uint64_t offset = 0;
  auto operator<=>(const LogPosition&) const = default;
};
template <class Io>
void fields(Io& io, LogPosition& p) {
  io("file", p.file);
  io("offset", p.offset);
}

}  // namespace mysos
