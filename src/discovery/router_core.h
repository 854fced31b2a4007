// SPDX-License-Identifier: Apache-2.0
#pragma once
// The router's brain. Pure. Its inputs are the API's answers (or that there is none), the state of
// HAProxy's servers, and what members claim. step() returns what must be done to
// HAProxy now. It compares the observed state with the record of epochs, so it repeats a command
// that was lost.
//
// The rule: the read-write port of a cluster leads to the recorded primary, while its GET /primary
// says that it serves. HAProxy's checks ensure the second condition, the router the first: it drains a
// member that serves without being the recorded primary (which may not know that yet, if it is cut
// off from the scheduler), and ends its sessions. While the API does not answer, the router asks a
// member that begins to serve for its epoch: a later epoch than the known one is a failover that the
// router missed, and an earlier epoch belongs to a former primary.
//
// Order matters: the router reads HAProxy first and asks the API then. A record is written before its
// primary opens, so what the API says is never older than what a check saw.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "discovery/haproxy_text.h"
#include "discovery/port_table.h"

namespace mysos::discovery {

// A member that serves, and should not as far as is known: GET /primary tells its epoch.
struct Suspect {
  std::string cluster;  // id
  RoutedMember member;
};

struct RouterOutput {
  bool reload = false;                // clusters, members or ports differ from what HAProxy knows
  std::vector<std::string> commands;  // to HAProxy's present worker, in this order
  std::vector<Suspect> suspects;
  std::vector<std::string> notes;  // for the log
};

// What the ports of a cluster lead to now.
struct RouteStatus {
  std::string name;
  PortPair ports;
  std::string primary;       // the member behind the read-write port, "" = new connections wait
  std::size_t replicas = 0;  // behind the read-only port
  std::uint64_t switches = 0;
  bool taken = false;  // nothing: another process listens on the ports
  bool operator==(const RouteStatus&) const = default;
};

class RouterCore {
 public:
  RouterCore(PortTable ports, std::vector<RoutedCluster> kept);

  // The API's answer. Clusters that are not in it are gone. kConflict (a cluster without ports) is
  // in the notes of the next step.
  void clusters_seen(std::vector<RoutedCluster> seen, const PortTable::IsFree& is_free);
  void api_silent() { fresh_ = false; }
  // HAProxy did not start, or did not reload, with the present clusters; `held` are the servers of the HAProxy that runs. Finds
  // the clusters whose ports another process has taken. One whose ports were never open gets other ports. Clients know the
  // ports of the others: these clusters wait until their ports are free again, and HAProxy serves the rest. True: something
  // has changed, so another try may succeed.
  bool ports_refused(const Servers& held, const PortTable::IsFree& is_free);
  // Gives HAProxy the ports again that are no longer taken.
  void look_at_taken(const PortTable::IsFree& is_free);
  // What a suspect said; nullopt: it does not serve, or did not answer.
  void claim_seen(const Suspect& suspect, std::optional<std::uint64_t> epoch);

  RouterOutput step(const Servers& servers);
  // HAProxy does not run, so all ports are closed. Returns notes for the log.
  std::vector<std::string> without_haproxy();

  [[nodiscard]] const std::vector<RoutedCluster>& clusters() const { return clusters_; }
  [[nodiscard]] const PortTable& ports() const { return ports_; }
  [[nodiscard]] const std::vector<RouteStatus>& status() const { return status_; }
  // A primary is being chosen: poll often.
  [[nodiscard]] bool unsettled() const;

 private:
  struct Memory {  // of a cluster, from step to step
    Reign lifted;  // whose server was raised without waiting for its check
    std::string leads_to;
    std::uint64_t switches = 0;
    std::map<std::string, std::uint64_t> claims;  // epochs of members that serve, as they told
  };
  void step_cluster(RoutedCluster& cluster, const Servers& servers, RouterOutput& out);
  // A member that is not the primary: to be kept from clients if it serves.
  void step_stranger(const RoutedCluster& cluster, const RoutedMember& member,
                     const ServerState& server, RouterOutput& out);
  void tell(const RoutedCluster& cluster, const Servers& servers, RouterOutput& out);

  PortTable ports_;
  std::vector<RoutedCluster> clusters_;  // by name
  std::map<std::string, Memory> memory_;  // by id
  std::vector<RouteStatus> status_;
  std::vector<std::string> notes_;
  std::set<std::string> unopened_;  // ids of clusters whose ports HAProxy has not opened since they were chosen
  bool fresh_ = false;  // the API answered since the last step
};

}  // namespace mysos::discovery
