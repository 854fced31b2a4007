// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an executor has promised, and the other state that must survive it. See docs/architecture.md, "The pair".
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/member_report.h"
#include "model/order.h"

namespace mysos {

// The executor's durable memory, one small file on the member's volume.
struct MemberPromise {
  Pair pair;
  std::optional<std::uint64_t> led;  // as in MemberReport; read it with led_by()
  bool led_kept = true;
  MemberRole role = MemberRole::kIdle;  // with kPrimary or kReplica, an adopted mysqld may keep that role
  std::optional<MemberId> source;
  bool acking = false;
  bool amnesiac = false;
  std::optional<GtidSet> known;  // amnesiac: all it had received before its restarts since it was certified; none: unknown
  bool seeded = false;      // the datadir is made (from the template or a copy)
  bool rebuilding = false;  // the datadir is being thrown away: finish that before anything else
  bool copies = false;      // ... and replaced by a copy of a donor's; each attempt needs an order that names the donor
  GtidSet copy_holds;       // ... what that copy must hold; until its server was read
  GtidSet errant;           // in the data that are thrown away; the binlogs with it are kept aside first
  std::uint64_t errant_generation = 0;  // ... of those data
  std::uint64_t generation = 0;  // of the datadir: rises each time it is rebuilt
  std::uint32_t server_id = 0;   // ... unique in its cluster for ever (model/server_id.h); 0: chosen by version 0.1
  Pair made_at;                  // as in MemberReport
  Pair names_from;               // as in MemberReport
  bool logs_reset = false;       // as in MemberReport
  bool renamed = false;          // its transactions have new GTIDs since a reset; its binary logs lack the older transactions
  std::string incarnation;       // of the mysqld for which this was last true
  std::string volume;            // the volume's own name; a volume that comes back empty gets another one
  std::vector<Peer> peers;       // the other members, used only for watching them
  bool operator==(const MemberPromise&) const = default;
};
template <class Io>
void fields(Io& io, MemberPromise& p) {
  io("pair", p.pair);
  io("led", p.led);
  io("led_kept", p.led_kept);
  io("role", p.role);
  io("source", p.source);
  io("acking", p.acking);
  io("amnesiac", p.amnesiac);
  io("known", p.known);
  io("seeded", p.seeded);
  io("rebuilding", p.rebuilding);
  io("copies", p.copies);
  io("copy_holds", p.copy_holds);
  io("errant", p.errant);
  io("errant_generation", p.errant_generation);
  io("generation", p.generation);
  io("server_id", p.server_id);
  io("made_at", p.made_at);
  io("names_from", p.names_from);
  io("logs_reset", p.logs_reset);
  io("renamed", p.renamed);
  io("incarnation", p.incarnation);
  io("volume", p.volume);
  io("peers", p.peers);
}

// The last epoch in which it was ordered to be the primary. A promise of version 0.1 contains it only while the member still
// has that role, or if nothing was promised yet.
std::optional<std::uint64_t> led_by(const MemberPromise& promise);

}  // namespace mysos
