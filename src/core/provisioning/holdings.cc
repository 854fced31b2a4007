// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/holdings.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace mysos {

std::map<std::string, Holding> holdings_in(const Resources& offered, const std::set<FrameworkId>& frameworks) {
  std::map<std::string, Holding> out;
  for (const Resource& r : offered.list()) {
    if (r.reservations.empty()) continue;
    const Labels& labels = r.reservations.back().labels;
    const auto owner = labels.find(kFrameworkLabel);
    const auto id = labels.find(kResourceLabel);
    if (owner == labels.end() || id == labels.end()) continue;
    const FrameworkId framework(owner->second);
    if (!frameworks.contains(framework)) continue;
    Holding& holding = out[id->second];
    holding.reservation = r.reservations.back();
    (r.volume ? holding.volumes : holding.reserved) += Resources{r};
  }
  return out;
}

std::set<FrameworkId> other_frameworks_in(const Resources& offered, const std::set<FrameworkId>& frameworks) {
  std::set<FrameworkId> out;
  for (const Resource& r : offered.list()) {
    if (r.reservations.empty()) continue;
    const Labels& labels = r.reservations.back().labels;
    const auto owner = labels.find(kFrameworkLabel);
    if (owner == labels.end() || !labels.contains(kResourceLabel)) continue;
    if (!frameworks.contains(FrameworkId(owner->second))) out.insert(FrameworkId(owner->second));
  }
  return out;
}

std::optional<MemberSpec> spec_in(const Holding& holding) {
  const auto text = [&](const char* key) {
    const auto found = holding.reservation.labels.find(key);
    return found == holding.reservation.labels.end() ? std::string() : found->second;
  };
  const auto number = [&](const char* key) {
    const std::string digits = text(key);
    std::int64_t value = -1;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return ec == std::errc() && end == digits.data() + digits.size() ? value : -1;
  };
  const auto flavour = enum_value<Flavour>(text(kFlavourLabel));
  const std::int64_t index = number(kIndexLabel);
  const std::int64_t members = number(kMembersLabel);
  const bool counted = members > 0 && members <= kMaxMembers && index >= 0 && index < members;
  if (!flavour || !counted || text(kVersionLabel).empty() || text(kTokenHashLabel).empty()) return std::nullopt;
  MemberSpec spec;
  spec.cluster = ClusterId(text(kClusterLabel));
  spec.cluster_name = text(kNameLabel);
  spec.member = MemberId(text(kMemberLabel));
  spec.index = static_cast<std::uint32_t>(index);
  spec.version = text(kVersionLabel);
  spec.flavour = *flavour;
  spec.cpus_milli = holding.reserved.milli("cpus");
  spec.mem = mib(static_cast<std::uint64_t>(holding.reserved.milli("mem") / 1000));
  spec.disk = mib(static_cast<std::uint64_t>((holding.reserved + holding.volumes).milli("disk") / 1000));
  std::vector<std::uint16_t> found = lowest_ports(holding.reserved, kPortsPerMember);
  found.resize(kPortsPerMember);
  spec.port = found[0];
  spec.api_port = found[1];
  spec.admin_port = found[2];
  spec.token_hash = text(kTokenHashLabel);
  spec.any_engine = text(kAnyEngineLabel) == "1";
  spec.members = static_cast<std::uint32_t>(members);
  spec.user = text(kUserLabel);
  spec.created = WallTime{number(kCreatedLabel)};
  spec.resource_id = text(kResourceLabel);
  if (!holding.volumes.empty()) spec.volume = holding.volumes.list().front().volume->id;
  spec.key_id = text(kKeyLabel);
  spec.server_id = static_cast<std::uint32_t>(std::clamp<std::int64_t>(number(kServerIdLabel), 0, UINT32_MAX));
  return spec;
}

std::vector<std::uint16_t> lowest_ports(const Resources& free, std::size_t count) {
  std::vector<std::uint16_t> found;
  for (const Resource& r : free.list()) {
    if (r.name != "ports") continue;
    for (const Range& range : r.ranges) {
      for (std::uint64_t p = range.begin; p <= range.end && found.size() < count; ++p) {
        found.push_back(static_cast<std::uint16_t>(p));
      }
    }
  }
  return found;
}

Needs needs_of(const MemberSize& size) {
  return {size.cpus_milli, static_cast<std::int64_t>(size.mem.mib()) * 1000,
          static_cast<std::int64_t>(size.disk.mib()) * 1000};
}

Resources granted_resources(const Granted& granted) {
  const Needs needs = needs_of(granted.size);
  const Place& at = granted.place;
  std::vector<Range> taken = {{at.port, at.port}, {at.api_port, at.api_port}};
  if (at.admin_port != 0) taken.push_back({at.admin_port, at.admin_port});
  return Resources{scalar("cpus", needs.cpus), scalar("mem", needs.mem), scalar("disk", needs.disk),
                   ports(std::move(taken))};
}

Reservation reservation_of(const Cluster& cluster, const Member& member, const ReservationOwner& owner) {
  return {owner.role,
          owner.principal,
          {{kFrameworkLabel, owner.framework.value},
           {kClusterLabel, cluster.id.value},
           {kMemberLabel, member.id.value},
           {kResourceLabel, member.place().resource_id},
           {kNameLabel, cluster.spec.name},
           {kIndexLabel, std::to_string(member.index)},
           {kMembersLabel, std::to_string(cluster.spec.members)},
           {kVersionLabel, member.granted->version},
           {kFlavourLabel, std::string(enum_text(cluster.spec.flavour))},
           {kUserLabel, cluster.spec.user},
           {kTokenHashLabel, cluster.token_hash},
           {kCreatedLabel, std::to_string(cluster.created.ms)},
           {kAnyEngineLabel, member.granted->any_engine ? "1" : "0"},
           {kKeyLabel, owner.key_id},
           {kServerIdLabel, std::to_string(member.server_id)}}};
}

Resources as_volume(const Resources& reserved, const Volume& volume) {
  Resources out;
  for (Resource r : reserved.list()) {
    if (r.name != "disk") continue;
    r.volume = volume;
    out += Resources{r};
  }
  return out;
}

Resources without_volumes(const Resources& volumes) {
  Resources out;
  for (Resource r : volumes.list()) {
    r.volume.reset();
    out += Resources{r};
  }
  return out;
}

std::vector<mesos::Operation> release_operations(const Holding& holding, const std::string& tag) {
  std::vector<mesos::Operation> out;
  if (!holding.volumes.empty()) out.push_back({mesos::Destroy{holding.volumes}, OperationId("destroy." + tag)});
  out.push_back({mesos::Unreserve{holding.reserved + without_volumes(holding.volumes)}, OperationId("unreserve." + tag)});
  return out;
}

}  // namespace mysos
