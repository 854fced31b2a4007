// SPDX-License-Identifier: Apache-2.0
// What is done with offers: each is used or declined in the step it came in.
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/assert.h"
#include "core/provisioning/launching.h"
#include "core/provisioning/provisioner.h"
#include "core/state/doubt.h"
#include "core/state/server_ids.h"

namespace mysos {

void Provisioner::on(const mesos::Offers& in, Instant now) {
  if (!ledger_.state().framework) return;
  wake(now);
  mesos::Decline strange{{}, config_.decline_for};
  std::vector<mesos::Offer> ours;
  for (const mesos::Offer& offer : in.offers) {
    if (offer.role.empty() || offer.role == config_.role) {
      ours.push_back(offer);
    } else {
      strange.offers.push_back(offer.id);
    }
  }
  if (!strange.offers.empty()) ledger_.call(std::move(strange));
  std::vector<Use> uses;
  for (AgentOffer& offer : grouped_by_agent(ours)) {
    Use use{std::move(offer), {}, {}, false};
    use.free = use.offer.resources.unreserved();
    look_through(use, now);
    uses.push_back(std::move(use));
  }
  place_wanted(uses, now);
  settle(uses);
}

void Provisioner::on(const mesos::Rescind& in, Instant now) {
  wake(now);
  for (const auto& [task, owner] : placed_.all()) {
    MemberRow& row = row_of(owner);
    if (row.task.accepted != in.offer) continue;
    row.task.accepted.reset();
    reconciler_.ask(task, get(owner).place().agent, now + kReconcileMin);
  }
}

void Provisioner::look_through(Use& use, Instant now) {
  const auto holdings = holdings_in(use.offer.resources, ledger_.state().labels());
  agents_.saw(use.offer, held_beyond(use.offer, holdings));
  for (const FrameworkId& other : other_frameworks_in(use.offer.resources, ledger_.state().labels())) tell_of(other);
  for (const auto& [resource_id, holding] : holdings) {
    if (const auto owner = placed_.by_resource(resource_id)) {
      serve(*owner, holding, use, now);
    } else {
      serve_orphan(resource_id, holding, use, now);
    }
  }
  orphans_absent(use, holdings, now);
  for (const Owner& owner : placed_.on(use.offer.agent)) {
    if (!holdings.contains(get(owner).place().resource_id)) serve_absent(owner, use, now);
  }
}

Needs Provisioner::held_beyond(const AgentOffer& offer, const std::map<std::string, Holding>& offered) const {
  Needs held;
  for (const Owner& owner : placed_.on(offer.agent)) {
    const Member& m = get(owner);
    const bool holds = m.stage == MemberStage::kRunning || m.stage == MemberStage::kKilling;
    if (!holds || offered.contains(m.place().resource_id)) continue;
    const Needs needs = needs_of(m.granted->size);
    held.cpus += needs.cpus;
    held.mem += needs.mem;
    held.disk += needs.disk;
  }
  return held;
}

// What of a member is offered is held by no task: whatever its stage says of one is over.
void Provisioner::serve(const Owner& owner, const Holding& holding, Use& use, Instant now) {
  table_.at(owner.member).offered = now;
  if (get(owner).place().agent != use.offer.agent) {  // the same disks under a new name
    unindex(owner);
    Place& at = edit(owner).place();
    at.agent = use.offer.agent;
    at.hostname = use.offer.hostname;
    at.ip = config_.bind.empty() ? use.offer.ip : config_.bind;
    if (get(owner).stage == MemberStage::kDown) row_of(owner).in<stage::Down>().agent_gone = false;
    index(owner);
    tell(owner, {EventKind::kMemberMoved, "its agent is now known as " + at.agent.value});
  }
  switch (get(owner).stage) {
    case MemberStage::kWanted:
      return;
    case MemberStage::kLaunching:
    case MemberStage::kRunning:
      row_of(owner).task.accepted.reset();
      to_down(owner, "its resources are offered, so it is over or never began", now);
      return;
    case MemberStage::kDown:
      return serve_down(owner, holding, use, now);
    case MemberStage::kKilling:
      to_releasing(owner, now);
      return serve_releasing(owner, holding, use, now);
    case MemberStage::kReleasing:
      return serve_releasing(owner, holding, use, now);
  }
}

void Provisioner::serve_down(const Owner& owner, const Holding& offered, Use& use, Instant now) {
  auto& down = row_of(owner).in<stage::Down>();
  if (now < down.not_before) return;
  Holding holding = offered;
  holding.reserved += lacking_ports(owner, offered, use);
  const Member& m = get(owner);
  const Resources granted = granted_resources(*m.granted)
                               .reserved_as(holding.reservation)
                               .allocated_to(use.offer.allocation_role);
  const bool own_volume = holding.volumes.list().size() == 1 && holding.volumes.list().front().volume->id == m.place().volume;
  const bool complete = (holding.reserved + without_volumes(holding.volumes)).contains(granted) &&
                        (own_volume || holding.volumes.empty());
  if (complete && own_volume) return launch(owner, holding.reserved + holding.volumes, use, now);
  if (m.holds_data) {
    if (down.stuck.empty()) {
      down.stuck = "its reservation on " + m.place().hostname + " came back " +
                  (holding.volumes.empty() ? "without the volume that held its data" : "changed");
      tell(owner, {EventKind::kVolumeMissing, down.stuck + "; offered: " + describe(holding.reserved + holding.volumes)});
    }
    return;
  }
  if (complete && !cluster_of(owner).doubt) {
    const Resources volumes = as_volume(holding.reserved, {m.place().volume, config_.principal, kVolumePath});
    edit(owner).server_id = grant_server_id(ledger_.edit(owner.cluster));  // nobody knows what became of the volume before
    edit(owner).volume_name.clear();
    use.operations.push_back(
        {mesos::Create{volumes}, OperationId("create." + m.place().resource_id + "." + ledger_.prng().name(4))});
    return launch(owner, holding.reserved - without_volumes(volumes) + volumes, use, now);
  }
  abandon_place(owner, "its reservation is incomplete", now);
}

void Provisioner::serve_releasing(const Owner& owner, const Holding& holding, Use& use, Instant now) {
  auto& releasing = row_of(owner).in<stage::Releasing>();
  if (now < releasing.not_before) {
    use.awaited = true;
    return;
  }
  Member& m = edit(owner);
  if (holding.volumes.empty()) m.released_volume = true;
  const std::string tag = m.place().resource_id + "." + ledger_.prng().name(6);
  for (auto& operation : release_operations(holding, tag)) use.operations.push_back(std::move(operation));
  releasing.unreserve = OperationId("unreserve." + tag);
  releasing.answer_by = now + kReleasePatience;
}

// An offer of its agent without anything of it.
void Provisioner::serve_absent(const Owner& owner, Use& use, Instant now) {
  const Member& m = get(owner);
  const MemberRow& row = row_of(owner);
  if (m.stage == MemberStage::kDown) {
    if (!m.holds_data && now >= row.in<stage::Down>().not_before) {
      abandon_place(owner, "nothing was reserved for it there", now);
    } else {
      use.awaited = true;
    }
  } else if (m.stage == MemberStage::kReleasing) {
    // A master offers what it was asked for before the agent has done it: an answer that is still to come may say otherwise.
    const auto& releasing = row.in<stage::Releasing>();
    const Duration patience = releasing.unreserve.empty() ? kProofAfter : kProofUnanswered;
    const bool was_there = row.offered && now < *row.offered + kProofUnanswered;
    if (releasing.answer_by == kNever && !was_there && now >= releasing.since + patience) {
      finish(owner, "nothing of it is left on " + m.place().hostname);
    } else {
      use.awaited = true;
    }
  }
}

// Who asked first is placed first.
void Provisioner::place_wanted(std::vector<Use>& uses, Instant now) {
  std::vector<Owner> wanted = unsettled([](MemberStage stage) { return stage == MemberStage::kWanted; });
  // Where the record may be old, the member may run in a place that the record does not know.
  std::erase_if(wanted, [&](const Owner& owner) {
    const Cluster& cluster = cluster_of(owner);
    return now < row_of(owner).in<stage::Wanted>().not_before || cluster.doubt || !has_server_id_left(cluster);
  });
  if (wanted.empty()) return;
  std::ranges::sort(wanted, {}, [&](const Owner& owner) {
    return std::tuple(cluster_of(owner).created, owner.cluster, get(owner).index);
  });
  const auto space_in = [&](const Use& use) {
    return AgentSpace{use.offer.agent, use.offer.hostname, scalars_of(use.free), port_count(use.free),
                      agents_.total(use.offer.agent)};
  };
  std::vector<AgentSpace> spaces;
  for (const Use& use : uses) spaces.push_back(space_in(use));
  for (const Owner& owner : wanted) {
    const auto chosen = choose_agent(want_of(cluster_of(owner)), spaces);
    if (!chosen) continue;
    place(owner, uses[*chosen], now);
    spaces[*chosen] = space_in(uses[*chosen]);
  }
}

// What is wanted of the cluster's members now is granted to this one.
void Provisioner::place(const Owner& owner, Use& use, Instant now) {
  Member& m = edit(owner);
  const ClusterSpec& wanted = cluster_of(owner).spec;
  m.granted = Granted{.place = {}, .size = wanted.size(), .version = wanted.version, .any_engine = wanted.any_engine};
  Place& at = m.place();
  at.agent = use.offer.agent;
  at.hostname = use.offer.hostname;
  at.ip = config_.bind.empty() ? use.offer.ip : config_.bind;
  const std::vector<std::uint16_t> found = lowest_ports(use.free, kPortsPerMember);
  MYSOS_ASSERT(found.size() == kPortsPerMember, "the chosen agent has ports for a member");
  at.port = found[0];
  at.api_port = found[1];
  at.admin_port = found[2];
  at.resource_id = m.id.value + "-" + std::to_string(m.launches + 1) + "-" + ledger_.prng().name(6);
  at.volume = VolumeId("mysos-" + at.resource_id);
  m.server_id = grant_server_id(ledger_.edit(owner.cluster));
  tell(owner, {EventKind::kMemberPlaced, "on " + at.hostname + ", ports " + std::to_string(at.port) + ", " +
                                    std::to_string(at.api_port) + " and " + std::to_string(at.admin_port)});

  const Resources granted = granted_resources(*m.granted).allocated_to(use.offer.allocation_role);
  use.free -= granted;
  const ReservationOwner by{*ledger_.state().framework, config_.role, config_.principal, config_.key_id};
  const Resources reserved = granted.reserved_as(reservation_of(cluster_of(owner), m, by));
  const Resources volumes = as_volume(reserved, {at.volume, config_.principal, kVolumePath});
  use.operations.push_back({mesos::Reserve{reserved}, OperationId("reserve." + at.resource_id + ".first")});
  use.operations.push_back({mesos::Create{volumes}, OperationId("create." + at.resource_id + ".first")});
  launch(owner, reserved - without_volumes(volumes) + volumes, use, now);
}

void Provisioner::launch(const Owner& owner, const Resources& resources, Use& use, Instant now) {
  unindex(owner);
  Member& m = edit(owner);
  reconciler_.settled(m.task);
  m.launches += cluster_of(owner).doubt ? launches_unseen(ledger_.prng()) : 1;
  m.task = task_id_of(cluster_of(owner), m);
  index(owner);
  table_.forget_task(owner.member);
  to_launching(owner, now);
  row_of(owner).task.accepted = use.offer.offers.front();
  use.operations.push_back({mesos::Launch{{task_of(cluster_of(owner), m, resources, config_)}}, OperationId()});
  tell(owner, {EventKind::kMemberLaunched, "task " + m.task.value + " is launched on " + m.place().hostname});
}

void Provisioner::settle(std::vector<Use>& uses) {
  mesos::Decline unused{{}, config_.decline_for};
  mesos::Decline awaited{{}, kAwaitedRefuse};
  for (Use& use : uses) {
    agents_.set_free(use.offer.agent, use.free);
    if (!use.operations.empty()) {
      ledger_.call(mesos::Accept{use.offer.offers, std::move(use.operations),
                                 use.awaited ? kAwaitedRefuse : config_.decline_for});
      continue;
    }
    auto& into = (use.awaited ? awaited : unused).offers;
    into.insert(into.end(), use.offer.offers.begin(), use.offer.offers.end());
  }
  if (!unused.offers.empty()) ledger_.call(std::move(unused));
  if (!awaited.offers.empty()) ledger_.call(std::move(awaited));
}

}  // namespace mysos
