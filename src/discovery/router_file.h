// SPDX-License-Identifier: Apache-2.0
#pragma once
// The router's file, routes.json in its folder. The router needs it after a restart while the
// scheduler does not answer, and other programs find the ports of a cluster in it. Only the router
// writes it; every program that can read the state directory may read it.
#include <optional>
#include <string>
#include <vector>

#include "discovery/port_table.h"
#include "discovery/routes.h"

namespace mysos::discovery {

struct RouterFile {
  bool active = false;  // the ports are served; a router that was killed leaves HAProxy serving
  std::string listen;   // their address
  std::vector<PortEntry> ports;
  std::vector<RoutedCluster> clusters;
  bool operator==(const RouterFile&) const = default;
};
template <class Io>
void fields(Io& io, RouterFile& f) {
  io("active", f.active);
  io("listen", f.listen);
  io("ports", f.ports);
  io("clusters", f.clusters);
}

std::string router_dir(const std::string& state_dir);  // the router's folder in a state directory
// A missing file counts as empty.
Result<RouterFile> read_router_file(const std::string& router_dir);
Status write_router_file(const std::string& router_dir, const RouterFile& content);

// The stable addresses of clusters, for the API; the file is read again when it has changed.
class RouterAddresses {
 public:
  explicit RouterAddresses(std::string router_dir) : dir_(std::move(router_dir)) {}
  struct Pair {
    Endpoint read_write;
    Endpoint read_only;
  };
  std::optional<Pair> of(const std::string& cluster_id);

 private:
  std::string dir_;
  std::int64_t seen_ns_ = 0;  // when the file was written that is in file_
  RouterFile file_;
};

}  // namespace mysos::discovery
