// SPDX-License-Identifier: Apache-2.0
#pragma once
// The router's knowledge of clusters: addresses of the members, the primary, the ports. Values
// only. The router's file stores them, so that it can serve while the scheduler does not answer.
// They contain no secret.
#include <cstdint>
#include <string>
#include <vector>

#include "base/http/message.h"
#include "base/json.h"

namespace mysos::discovery {

struct PortPair {
  std::uint16_t read_write = 0;
  std::uint16_t read_only = 0;
  auto operator<=>(const PortPair&) const = default;
};
template <class Io>
void fields(Io& io, PortPair& p) {
  io("read_write", p.read_write);
  io("read_only", p.read_only);
}

struct RoutedMember {
  std::string id;
  std::string host;  // an IP address; "" and port 0 while it has no place
  std::uint16_t port = 0;
  std::uint16_t api_port = 0;  // of /primary and /replica
  bool operator==(const RoutedMember&) const = default;
};
template <class Io>
void fields(Io& io, RoutedMember& m) {
  io("id", m.id);
  io("host", m.host);
  io("port", m.port);
  io("api_port", m.api_port);
}

// The primary by the record (docs/architecture.md#epochs).
struct Reign {
  std::uint64_t epoch = 0;
  bool electing = true;  // the epoch has no primary yet
  std::string primary;   // "" = none
  bool serves = false;   // its executor says that clients can write there
  bool operator==(const Reign&) const = default;
};
template <class Io>
void fields(Io& io, Reign& r) {
  io("epoch", r.epoch);
  io("electing", r.electing);
  io("primary", r.primary);
}

struct RoutedCluster {
  std::string id;
  std::string name;
  std::vector<RoutedMember> members;
  Reign reign;
  PortPair ports;  // 0 = none yet
  bool taken = false;  // another process listens on one of the ports: HAProxy cannot open them
  bool in_doubt = false;  // the scheduler does not know for certain who is the primary
  bool operator==(const RoutedCluster&) const = default;
};
template <class Io>
void fields(Io& io, RoutedCluster& c) {
  io("id", c.id);
  io("name", c.name);
  io("members", c.members);
  io("reign", c.reign);
  io("ports", c.ports);
  io("taken", c.taken);
}
// Whether HAProxy should listen on the ports of this cluster.
inline bool listens(const RoutedCluster& c) { return c.ports.read_write != 0 && !c.taken; }

// Parses the answer of GET /v1/clusters. kInvalid: it does not match openapi.json; names and
// addresses that could mean something else in HAProxy's language are refused.
Result<std::vector<RoutedCluster>> parse_clusters(const json::value& answer);

}  // namespace mysos::discovery
