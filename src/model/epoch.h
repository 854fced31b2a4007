// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who is primary (docs/architecture.md, "Epochs"; the rules were model-checked). Only the EpochRecord in the store says so.
// Each change of the record is one durable step of the leading scheduler, with a new Pair. A Pair is never used twice with
// different content. A member obeys an order only if the order's pair is not below the highest pair that the member has
// promised.
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/json.h"
#include "model/gtid.h"
#include "model/ids.h"

namespace mysos {

// (epoch, config), compared in that order. Config 0 is the election of that epoch: only fences carry it.
struct Pair {
  std::uint64_t epoch = 0;
  std::uint64_t config = 0;
  auto operator<=>(const Pair&) const = default;
};
template <class Io>
void fields(Io& io, Pair& p) {
  io.required("epoch", p.epoch);
  io.required("config", p.config);
}
inline std::string to_string(const Pair& p) {
  return std::to_string(p.epoch) + "." + std::to_string(p.config);
}

enum class EpochMode {
  kVirgin,  // there never was a primary: nothing was ever acknowledged
  kNormal,  // a commit is acknowledged once d ackers have it
  kSolo,    // the primary acknowledges without ackers, and only its own log proves what
};
constexpr auto enum_names(EpochMode) {
  return std::to_array<EnumName<EpochMode>>(
      {{EpochMode::kVirgin, "virgin"}, {EpochMode::kNormal, "normal"}, {EpochMode::kSolo, "solo"}});
}

// While electing, all fields but epoch, config and electing describe the previous epoch, so an election that is broken off
// changes only a number.
struct EpochRecord {
  Pair pair;
  bool electing = false;
  EpochMode mode = EpochMode::kVirgin;
  std::optional<MemberId> primary;
  std::set<MemberId> ackers;    // all members that may have been ordered to acknowledge in this epoch
  std::uint32_t d = 1;          // acknowledgements a commit waits for in normal mode
  std::uint32_t raising_to = 0; // above d: the primary must wait for so many; d follows when so many have everything
  std::set<MemberId> leaving;   // subset of ackers: ordered to be silent, still counts for a failover
  std::set<MemberId> joining;   // solo only: ordered to acknowledge, does not count yet
  std::set<MemberId> shut_out;  // the primary refuses them as replicas
  std::optional<MemberId> rebuilding;  // the one replica whose data may be thrown away and rebuilt
  GtidSet floor;                // what the primary had executed when it was chosen; every later primary must have it
  // Somebody reset the binary logs of a primary that had the only complete data, so its transactions have new GTIDs from this
  // pair on. GTID sets of data that were made before this pair cannot be compared with the new ones.
  Pair names_from;
  bool operator==(const EpochRecord&) const = default;
};
template <class Io>
void fields(Io& io, EpochRecord& r) {
  io.required("pair", r.pair);
  io.required("electing", r.electing);
  io.required("mode", r.mode);
  io.required("primary", r.primary);
  io.required("ackers", r.ackers);
  io.required("d", r.d);
  io.required("raising_to", r.raising_to);
  io.required("leaving", r.leaving);
  io.required("joining", r.joining);
  io.required("shut_out", r.shut_out);
  io.required("rebuilding", r.rebuilding);
  io.required("floor", r.floor);
  io.required("names_from", r.names_from);
}

}  // namespace mysos
