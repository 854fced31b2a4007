// SPDX-License-Identifier: Apache-2.0
#pragma once
// The orders that an executor takes (POST /v1/...). Every order but Setup and Meet carries the pair it was decided under; the
// answer to an order is a report (model/member_report.h).
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "model/member_report.h"

namespace mysos {

namespace order {
// The accounts' secrets, filled in by the shell that sends it: the brains never hold one.
struct Setup {
  bool operator==(const Setup&) const = default;
};
// Who the other members are and where. No role follows from it, so it carries no pair.
struct Meet {
  std::vector<Peer> peers;
  bool operator==(const Meet&) const = default;
};
struct Fence {
  Pair pair;
  // In a switchover. What the old primary held when it was quiet: it is received before the receiver is stopped, as far as it
  // comes. And where the primary that is wanted is: once it is fenced, the receiver is pointed there and not started.
  GtidSet receive{};
  std::string next_host{};
  std::uint16_t next_port = 0;
  bool operator==(const Fence&) const = default;
};
struct Promote {
  Pair pair;
  std::uint32_t d = 0;          // 0 = solo
  GtidSet floor;                // must be executed before it opens
  std::set<MemberId> replicas;  // every other member of the cluster
  std::set<MemberId> shut_out;  // those of them that may not connect
  // As in EpochRecord, where that has one: a reset of its binary logs before it is known, and its names count again.
  std::optional<Pair> names_from{};
  bool operator==(const Promote&) const = default;
};
struct Follow {
  Pair pair;
  MemberId source;
  std::string host;
  std::uint16_t port = 0;
  bool acking = false;
  GtidSet source_executed;  // a read of the source, of all in its binlog: what this member holds must be contained in it
  bool operator==(const Follow&) const = default;
};
// "You contain `executed`, a read of the primary taken after your restart `incarnation`": ends
// amnesia.
struct Certify {
  Pair pair;
  std::string incarnation;
  GtidSet executed;
  bool operator==(const Certify&) const = default;
};
// Throw the data away and begin again, silent: with a copy of the donor's, or without one empty, to replay everything. Never
// for a primary, an acker, a leaving or a joining one. `generation` is of the data that are meant: a copy of the order that
// comes late throws no new ones away.
struct Rebuild {
  Pair pair;
  std::uint64_t generation = 0;
  std::optional<Donor> donor = std::nullopt;
  GtidSet errant = {};  // what only this member holds: the binlogs with it are kept aside
  std::uint32_t server_id = 0;  // of the new data; 0: by a scheduler of version 0.1, which granted none
  GtidSet holds = {};  // what the donor had executed before: a copy without it is of a donor whose binary logs were reset since
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
// Equal but for how new a read of the source a Follow carries: one need not be sent, or begun,
// after the other.
bool same_intent(const Order& a, const Order& b);

}  // namespace mysos
