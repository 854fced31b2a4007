// SPDX-License-Identifier: Apache-2.0
#pragma once
// The orders that an executor takes (POST /v1/...). Every order but Setup and Meet carries the pair under which it was decided.
// The answer to an order is a report (model/member_report.h).
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "model/member_report.h"

namespace mysos {

namespace order {
// The accounts' secrets. The sending shell fills them in, because the brains never hold a secret.
struct Setup {
  bool operator==(const Setup&) const = default;
};
// The other members and their addresses. No role follows from this order, so it carries no pair.
struct Meet {
  std::vector<Peer> peers;
  bool operator==(const Meet&) const = default;
};
struct Fence {
  Pair pair;
  // In a switchover. What the old primary held when it was quiet: the member tries to receive that before it stops its
  // receiver. And the address of the wanted primary: after the fence, the receiver is pointed there without being started.
  GtidSet receive{};
  std::string next_host{};
  std::uint16_t next_port = 0;
  bool operator==(const Fence&) const = default;
};
struct Promote {
  Pair pair;
  std::uint32_t d = 0;          // 0 = solo
  GtidSet floor;                // must be executed before the primary opens
  std::set<MemberId> replicas;  // every other member of the cluster
  std::set<MemberId> shut_out;  // those of them that may not connect
  // As in EpochRecord, if set: the reset before this pair is known, and the primary's GTIDs count again.
  std::optional<Pair> names_from{};
  bool operator==(const Promote&) const = default;
};
struct Follow {
  Pair pair;
  MemberId source;
  std::string host;
  std::uint16_t port = 0;
  bool acking = false;
  GtidSet source_executed;  // a read of the source's binlog: it must contain everything that this member holds
  bool operator==(const Follow&) const = default;
};
// Ends amnesia: the member contains `executed`, a read of the primary that was taken after the
// member's restart `incarnation`.
struct Certify {
  Pair pair;
  std::string incarnation;
  GtidSet executed;
  bool operator==(const Certify&) const = default;
};
// Throws the data away and makes new data, silently: a copy of the donor's data or, without a donor, an empty data directory
// that replays everything. Never sent to a primary, an acker, a leaving or a joining member. `generation` names the data to
// throw away, so a late copy of the order throws no new data away.
struct Rebuild {
  Pair pair;
  std::uint64_t generation = 0;
  std::optional<Donor> donor = std::nullopt;
  GtidSet errant = {};  // what only this member holds; the binlogs with it are kept aside
  std::uint32_t server_id = 0;  // of the new data; 0: the scheduler is of version 0.1, which granted none
  GtidSet holds = {};  // what the donor had executed before. If the copy lacks it, the donor's binary logs were reset since
  bool operator==(const Rebuild&) const = default;
};
template <class Io>
void fields(Io&, Setup&) {}
template <class Io>
void fields(Io& io, Meet& o) {
  io.required("peers", o.peers);
}
template <class Io>
void fields(Io& io, Fence& o) {
  io.required("pair", o.pair);
  io("receive", o.receive);
  io("next_host", o.next_host);
  io("next_port", o.next_port);
}
template <class Io>
void fields(Io& io, Promote& o) {
  io.required("pair", o.pair);
  io.required("d", o.d);
  io("floor", o.floor);
  io("replicas", o.replicas);
  io("shut_out", o.shut_out);
  io("names_from", o.names_from);
}
template <class Io>
void fields(Io& io, Follow& o) {
  io.required("pair", o.pair);
  io.required("source", o.source);
  io.required("host", o.host);
  io.required("port", o.port);
  io.required("acking", o.acking);
  io("source_executed", o.source_executed);
}
template <class Io>
void fields(Io& io, Certify& o) {
  io.required("pair", o.pair);
  io.required("incarnation", o.incarnation);
  io("executed", o.executed);
}
template <class Io>
void fields(Io& io, Rebuild& o) {
  io.required("pair", o.pair);
  io("generation", o.generation);
  io("donor", o.donor);
  io("errant", o.errant);
  io("server_id", o.server_id);
  io("holds", o.holds);
}
}  // namespace order
using Order = std::variant<order::Setup, order::Meet, order::Fence, order::Promote, order::Follow,
                           order::Certify, order::Rebuild>;
std::string_view order_name(const Order& order);  // "fence", ...: the last part of its path
// Equal except for the age of the read that a Follow carries. Of two such orders, the second
// need not be sent or carried out.
bool same_intent(const Order& a, const Order& b);

}  // namespace mysos
