// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/placing.h"

#include <algorithm>
#include <tuple>

#include "base/assert.h"
#include "core/provisioning/launch_ports.h"
#include "core/state/server_ids.h"

namespace mysos {

Placing::Placing(Ledger& ledger, Members& members, Launcher& launcher, const AgentTable& agents, const SchedulerConfig& config)
    : ledger_(ledger), members_(members), launcher_(launcher), agents_(agents), config_(config) {}

void Placing::await(const Owner& owner, Wants& wants) {
  wants.add("place:" + owner.member.value, members_.in<stage::Wanted>(owner).not_before);
}

// Those that may be placed now.
std::vector<Owner> Placing::in_line(Instant now) {
  std::vector<Owner> line = members_.unsettled();
  // Where the record may be old, the member may run in a place that the record does not know.
  std::erase_if(line, [&](const Owner& owner) {
    if (members_.get(owner).stage != MemberStage::kWanted) return true;
    const Cluster& cluster = members_.cluster_of(owner);
    return now < members_.in<stage::Wanted>(owner).not_before || cluster.doubt || !has_server_id_left(cluster);
  });
  std::ranges::sort(line, {}, [&](const Owner& owner) {
    return std::tuple(members_.cluster_of(owner).created, owner.cluster, members_.get(owner).index);
  });
  return line;
}

void Placing::place_all(std::vector<AgentUse>& uses, Instant now) {
  const std::vector<Owner> line = in_line(now);
  if (line.empty()) return;
  const auto space_in = [&](const AgentUse& use) {
    return AgentSpace{use.offer.agent, use.offer.hostname, scalars_of(use.free), port_count(use.free),
                      agents_.total(use.offer.agent)};
  };
  std::vector<AgentSpace> spaces;
  for (const AgentUse& use : uses) spaces.push_back(space_in(use));
  for (const Owner& owner : line) {
    const auto chosen = choose_agent(want_of(members_.cluster_of(owner)), spaces);
    if (!chosen) continue;
    place(owner, uses[*chosen], now);
    spaces[*chosen] = space_in(uses[*chosen]);
  }
}

// What is wanted of the cluster's members now is granted to this one, on this agent.
void Placing::grant(const Owner& owner, const AgentUse& use) {
  const ClusterSpec& wanted = members_.cluster_of(owner).spec;
  const std::vector<std::uint16_t> found = lowest_ports(use.free, kPortsPerMember);
  MYSOS_ASSERT(found.size() == kPortsPerMember, "the chosen agent has ports for a member");
  members_.change_place(owner, [&](Member& m) {
    m.granted = Granted{.place = {}, .size = wanted.size(), .version = wanted.version, .any_engine = wanted.any_engine};
    Place& at = m.place();
    put_on(at, use.offer, config_);
    take_ports(at, found);
    at.resource_id = m.id.value + "-" + std::to_string(m.launches + 1) + "-" + ledger_.prng().name(6);
    at.volume = VolumeId("mysos-" + at.resource_id);
    m.server_id = grant_server_id(ledger_.edit(owner.cluster));
  });
}

void Placing::place(const Owner& owner, AgentUse& use, Instant now) {
  grant(owner, use);
  const Member& m = members_.get(owner);
  const Place& at = m.place();
  members_.tell(owner, {EventKind::kMemberPlaced, "on " + at.hostname + ", " + ports_text(at)});

  const Resources granted = granted_resources(*m.granted).allocated_to(use.offer.allocation_role);
  use.free -= granted;
  const ReservationOwner by{*ledger_.state().framework, config_.role, config_.principal, config_.key_id};
  const Resources reserved = granted.reserved_as(reservation_of(members_.cluster_of(owner), m, by));
  const Resources volumes = as_volume(reserved, {at.volume, config_.principal, kVolumePath});
  use.operations.push_back({mesos::Reserve{reserved}, OperationId("reserve." + at.resource_id + ".first")});
  use.operations.push_back({mesos::Create{volumes}, OperationId("create." + at.resource_id + ".first")});
  launcher_.launch(owner, reserved - without_volumes(volumes) + volumes, use, now);
}

}  // namespace mysos
