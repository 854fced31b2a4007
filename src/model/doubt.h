// SPDX-License-Identifier: Apache-2.0
#pragma once
// Why the record of a cluster may be older than what the members did (docs/adr/0009-old-record.md). The doubt is part of the
// durable state. While it lasts, the scheduler decides nothing from the record. It ends with an election that asks every
// member.
#include <cstdint>
#include <string>

#include "base/json.h"

namespace mysos {

struct RecordDoubt {
  std::string why;           // a sentence
  std::uint64_t asking = 0;  // the epoch of the election that asks every member; 0: not begun
  bool operator==(const RecordDoubt&) const = default;
};
template <class Io>
void fields(Io& io, RecordDoubt& d) {
  io.required("why", d.why);
  io.required("asking", d.asking);
}

}  // namespace mysos
