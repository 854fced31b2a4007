// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who owns what in an offer. Each member has one reservation, told by its labels, and one volume made of its disk. What
// carries our framework's label (that of now, or of a framework of before that Mesos removed) and a resource id that no
// member has is an orphan; what carries no such label is a stranger's and is not even looked at. Pure.
#include <map>
#include <optional>
#include <set>
#include <string>

#include "model/cluster.h"
#include "model/mesos.h"
#include "model/resources.h"

namespace mysos {

inline constexpr char kFrameworkLabel[] = "mysos_framework";
inline constexpr char kClusterLabel[] = "mysos_cluster";
inline constexpr char kMemberLabel[] = "mysos_member";
inline constexpr char kResourceLabel[] = "mysos_resource";
// What the record of its cluster would say, for whoever finds it without one. No secret: the hash of the members' token.
inline constexpr char kNameLabel[] = "mysos_name";
inline constexpr char kIndexLabel[] = "mysos_index";
inline constexpr char kMembersLabel[] = "mysos_members";
inline constexpr char kVersionLabel[] = "mysos_version";
inline constexpr char kFlavourLabel[] = "mysos_flavour";
inline constexpr char kUserLabel[] = "mysos_user";
inline constexpr char kTokenHashLabel[] = "mysos_token_hash";
inline constexpr char kCreatedLabel[] = "mysos_created_ms";
inline constexpr char kAnyEngineLabel[] = "mysos_any_engine";
inline constexpr char kKeyLabel[] = "mysos_key";
inline constexpr char kServerIdLabel[] = "mysos_server_id";
inline constexpr char kVolumePath[] = "data";  // in the sandbox

// What one resource id holds in the offers of one agent.
struct Holding {
  Reservation reservation;  // as it was made: with the labels of that time
  Resources reserved;  // without volumes
  Resources volumes;
};
// What the label and the size of a holding say of its member; hostname and address are not in it. nullopt: the label does not
// say enough.
std::optional<MemberSpec> spec_in(const Holding& holding);
// The frameworks whose label what is offered carries, besides these.
std::set<FrameworkId> other_frameworks_in(const Resources& offered, const std::set<FrameworkId>& frameworks);
// By resource id.
std::map<std::string, Holding> holdings_in(const Resources& offered, const std::set<FrameworkId>& frameworks);

// What a member of this size needs, in Mesos' thousandths of cpus and MiB.
struct Needs {
  std::int64_t cpus = 0;
  std::int64_t mem = 0;
  std::int64_t disk = 0;
};
inline constexpr std::uint64_t kPortsPerMember = 3;
// The `count` lowest, or as many as there are.
std::vector<std::uint16_t> lowest_ports(const Resources& free, std::size_t count);

Needs needs_of(const MemberSize& size);

// The reservation of a placed member: of what it was granted.
struct ReservationOwner {
  FrameworkId framework;
  std::string role;
  std::string principal;
  std::string key_id;
};
Resources granted_resources(const Granted& granted);  // unreserved form
Reservation reservation_of(const Cluster& cluster, const Member& member, const ReservationOwner& owner);  // a new one

// The disk entries of `reserved` as one persistent volume each, and back.
Resources as_volume(const Resources& reserved, const Volume& volume);
Resources without_volumes(const Resources& volumes);

// DESTROY what is a volume, then UNRESERVE all of it, with operation ids that end in `tag`.
std::vector<mesos::Operation> release_operations(const Holding& holding, const std::string& tag);

}  // namespace mysos
