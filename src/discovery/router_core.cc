// SPDX-License-Identifier: Apache-2.0
#include "discovery/router_core.h"

#include <fmt/format.h>

#include <algorithm>

namespace mysos::discovery {
namespace {

const ServerState* find(const Servers& servers, const std::string& backend,
                        const std::string& server) {
  const auto found = servers.find(backend + "/" + server);
  return found == servers.end() ? nullptr : &found->second;
}

// HAProxy has the cluster's ports open.
bool knows(const Servers& servers, const RoutedCluster& cluster) {
  return std::ranges::any_of(cluster.members, [&](const RoutedMember& m) {
    return find(servers, read_write_name(cluster), m.id) != nullptr;
  });
}

bool both_free(PortPair ports, const PortTable::IsFree& is_free) {
  return is_free(ports.read_write) && is_free(ports.read_only);
}

// Every server that HAProxy shall have, and no other: new ones need a new configuration.
std::set<std::string> wanted_servers(const std::vector<RoutedCluster>& clusters) {
  std::set<std::string> out;
  for (const RoutedCluster& c : clusters) {
    if (!listens(c)) continue;
    for (const RoutedMember& m : c.members) {
      out.insert(read_write_name(c) + "/" + m.id);
      out.insert(read_only_name(c) + "/" + m.id);
      out.insert(read_only_name(c) + "/" + backup_name(m));
    }
  }
  return out;
}

// Addresses move without a reload.
void place(const std::string& server, const RoutedMember& member, bool checked,
           const ServerState& state, std::vector<std::string>& commands) {
  if (member.port == 0) return;
  if (state.host != member.host || state.port != member.port) {
    commands.push_back(
        fmt::format("set server {} addr {} port {}", server, member.host, member.port));
  }
  if (checked && state.check_port != member.api_port)
    commands.push_back(fmt::format("set server {} check-port {}", server, member.api_port));
}

}  // namespace

RouterCore::RouterCore(PortTable ports, std::vector<RoutedCluster> kept)
    : ports_(std::move(ports)), clusters_(std::move(kept)) {
  // The range may have changed since.
  for (RoutedCluster& cluster : clusters_) {
    const auto& entries = ports_.entries();
    const bool known = std::ranges::any_of(entries, [&](const PortEntry& e) {
      return e.name == cluster.name && e.in_use && e.ports == cluster.ports;
    });
    if (!known) cluster.ports = {};
  }
}

void RouterCore::clusters_seen(std::vector<RoutedCluster> seen, const PortTable::IsFree& is_free) {
  for (const RoutedCluster& old : clusters_) {
    const auto still = std::ranges::find(seen, old.id, &RoutedCluster::id);
    if (still != seen.end()) {
      still->ports = old.ports;
      still->taken = old.taken;
      // The state of the scheduler was put back, and it has yet to ask the members: what was known here is newer.
      const bool less = still->reign.primary.empty() || still->reign.epoch < old.reign.epoch;
      if (still->in_doubt && !still->reign.electing && less) still->reign = old.reign;
      continue;
    }
    memory_.erase(old.id);
    unopened_.erase(old.id);
    notes_.push_back(fmt::format("{}: is gone, its ports are closed", old.name));
    if (std::ranges::find(seen, old.name, &RoutedCluster::name) == seen.end())
      ports_.give_back(old.name);
  }
  for (RoutedCluster& cluster : seen) {
    if (cluster.ports.read_write != 0) continue;
    const auto ports = ports_.take(cluster.name, is_free);
    if (!ports) {
      notes_.push_back(ports.error().message);
      continue;
    }
    cluster.ports = *ports;
    unopened_.insert(cluster.id);
    notes_.push_back(fmt::format("{}: read-write port {}, read-only port {}", cluster.name,
                                 ports->read_write, ports->read_only));
  }
  clusters_ = std::move(seen);
  fresh_ = true;
}

bool RouterCore::ports_refused(const Servers& held, const PortTable::IsFree& is_free) {
  bool changed = false;
  for (RoutedCluster& cluster : clusters_) {
    if (!listens(cluster) || knows(held, cluster) || both_free(cluster.ports, is_free)) continue;
    changed = true;
    const PortPair lost = cluster.ports;
    const auto other = unopened_.contains(cluster.id) ? std::optional(ports_.replace(cluster.name, is_free)) : std::nullopt;
    if (other && *other) {
      cluster.ports = **other;
      notes_.push_back(fmt::format("{}: another process has taken port {} or {}; read-write port {}, read-only port {}",
                                   cluster.name, lost.read_write, lost.read_only, cluster.ports.read_write,
                                   cluster.ports.read_only));
      continue;
    }
    cluster.taken = true;
    notes_.push_back(fmt::format("{}: another process listens on port {} or {}: clients cannot connect there until it ends",
                                 cluster.name, lost.read_write, lost.read_only));
  }
  return changed;
}

void RouterCore::look_at_taken(const PortTable::IsFree& is_free) {
  for (RoutedCluster& cluster : clusters_) {
    if (!cluster.taken || !both_free(cluster.ports, is_free)) continue;
    cluster.taken = false;
    notes_.push_back(fmt::format("{}: ports {} and {} are free again", cluster.name, cluster.ports.read_write,
                                 cluster.ports.read_only));
  }
}

void RouterCore::claim_seen(const Suspect& suspect, std::optional<std::uint64_t> epoch) {
  const auto cluster = std::ranges::find(clusters_, suspect.cluster, &RoutedCluster::id);
  if (cluster == clusters_.end() || !epoch) return;
  memory_[cluster->id].claims[suspect.member.id] = *epoch;
  Reign& reign = cluster->reign;
  const bool later = *epoch > reign.epoch || (*epoch == reign.epoch && reign.electing);
  if (!later) return;
  reign = {.epoch = *epoch, .electing = false, .primary = suspect.member.id, .serves = true};
  notes_.push_back(fmt::format("{}: the API does not answer; {} serves in epoch {}, so it is the primary",
                               cluster->name, suspect.member.id, *epoch));
}

bool RouterCore::unsettled() const {
  return std::ranges::any_of(
      clusters_, [](const RoutedCluster& c) { return c.reign.electing || !c.reign.serves; });
}

RouterOutput RouterCore::step(const Servers& servers) {
  RouterOutput out;
  out.notes = std::exchange(notes_, {});
  std::set<std::string> present;
  for (const auto& [name, state] : servers) present.insert(name);
  out.reload = present != wanted_servers(clusters_);
  status_.clear();
  for (RoutedCluster& cluster : clusters_) {
    if (cluster.taken) status_.push_back({.name = cluster.name, .ports = cluster.ports, .taken = true});
    if (!listens(cluster)) continue;
    if (knows(servers, cluster)) unopened_.erase(cluster.id);
    step_cluster(cluster, servers, out);
    tell(cluster, servers, out);
  }
  fresh_ = false;
  return out;
}

std::vector<std::string> RouterCore::without_haproxy() {
  status_.clear();
  for (const RoutedCluster& c : clusters_) {
    if (c.ports.read_write != 0) status_.push_back({.name = c.name, .ports = c.ports, .taken = c.taken});
  }
  return std::exchange(notes_, {});
}

void RouterCore::step_cluster(RoutedCluster& cluster, const Servers& servers, RouterOutput& out) {
  const std::string rw = read_write_name(cluster);
  const std::string ro = read_only_name(cluster);
  const std::string chosen = cluster.reign.electing ? "" : cluster.reign.primary;
  // Strangers first: whoever follows must not be tried while they still stand before it.
  for (const RoutedMember& m : cluster.members) {
    const ServerState* server = find(servers, rw, m.id);
    if (server != nullptr) place(rw + "/" + m.id, m, true, *server, out.commands);
    if (const auto* s = find(servers, ro, m.id))
      place(ro + "/" + m.id, m, true, *s, out.commands);
    if (const auto* s = find(servers, ro, backup_name(m)))
      place(ro + "/" + backup_name(m), m, false, *s, out.commands);
    if (server != nullptr && m.id != chosen) step_stranger(cluster, m, *server, out);
  }
  const ServerState* server = find(servers, rw, chosen);
  if (chosen.empty() || server == nullptr) return;
  Memory& memory = memory_[cluster.id];
  if (server->drained)
    out.commands.push_back(fmt::format("set server {}/{} state ready", rw, chosen));
  const bool lifted = memory.lifted.epoch == cluster.reign.epoch && memory.lifted.primary == chosen;
  if (lifted || !(server->up || (fresh_ && cluster.reign.serves))) return;
  // Once a reign: if its check then says otherwise, the check is right.
  memory.lifted = cluster.reign;
  if (!server->up) out.commands.push_back(fmt::format("set server {}/{} health up", rw, chosen));
}

void RouterCore::step_stranger(const RoutedCluster& cluster, const RoutedMember& member,
                               const ServerState& server, RouterOutput& out) {
  const std::string name = read_write_name(cluster) + "/" + member.id;
  auto& claims = memory_[cluster.id].claims;
  if (!server.up) {
    claims.erase(member.id);
    if (server.drained) out.commands.push_back(fmt::format("set server {} state ready", name));
    return;
  }
  // With nobody to ask the check stands until the member itself has said that it is of the past.
  if (!fresh_) out.suspects.push_back({cluster.id, member});
  if (server.drained || (!fresh_ && !claims.contains(member.id))) return;
  out.commands.push_back(fmt::format("set server {} state drain", name));
  out.commands.push_back(fmt::format("shutdown sessions server {}", name));
  out.notes.push_back(fmt::format("{}: {} is not the primary of epoch {}: its sessions are cut",
                                  cluster.name, member.id, cluster.reign.epoch));
}

void RouterCore::tell(const RoutedCluster& cluster, const Servers& servers, RouterOutput& out) {
  Memory& memory = memory_[cluster.id];
  RouteStatus status{.name = cluster.name, .ports = cluster.ports};
  for (const RoutedMember& m : cluster.members) {
    const auto* s = find(servers, read_write_name(cluster), m.id);
    if (s != nullptr && s->takes_sessions()) status.primary = m.id;
    const auto* replica = find(servers, read_only_name(cluster), m.id);
    if (replica != nullptr && replica->takes_sessions()) ++status.replicas;
  }
  if (!status.primary.empty() && status.primary != memory.leads_to) {
    ++memory.switches;
    memory.leads_to = status.primary;
    out.notes.push_back(fmt::format("{}: the read-write port {} leads to {}", cluster.name,
                                    cluster.ports.read_write, status.primary));
  }
  status.switches = memory.switches;
  status_.push_back(std::move(status));
}

}  // namespace mysos::discovery
