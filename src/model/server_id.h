// SPDX-License-Identifier: Apache-2.0
#pragma once
// The server ids of version 0.1. The scheduler grants all others (core/state/server_ids.h).
#include <cstdint>

namespace mysos {

// Version 0.1 had no counter. It computed an id from the member's index, which was below 9, and from how often the member's
// data had been made. The lowest byte of such an id is between 1 and 9. The counter never grants these ids.
constexpr bool is_server_id_of_0_1(std::uint64_t id) { return (id & 0xff) >= 1 && (id & 0xff) <= 9; }
// 0: there is none.
constexpr std::uint32_t server_id_of_0_1(std::uint32_t index, std::uint64_t generation) {
  if (index >= 9 || generation >= std::uint64_t{1} << 24) return 0;
  return static_cast<std::uint32_t>(generation << 8 | (index + 1));
}

}  // namespace mysos
