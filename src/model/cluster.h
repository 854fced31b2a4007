// SPDX-License-Identifier: Apache-2.0
#pragma once
// A cluster: what a user wants of it, and what each of its members was granted. Everything here is durable:
// core/state/records.h has the records, and ADR 13 says what a change of a field needs. What the scheduler only observes
// (reports, offers, task states) is in core/: it observes that again after a restart.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/json.h"
#include "model/caller.h"
#include "model/doubt.h"
#include "model/epoch.h"
#include "model/ids.h"

namespace mysos {

inline constexpr std::uint32_t kMaxMembers = 9;
inline constexpr std::size_t kMaxClusterName = 63;  // a DNS label
inline constexpr std::uint64_t kFirstServerId = 10;  // core/state/server_ids.h

enum class Flavour { kMariadb, kMysql };
constexpr auto enum_names(Flavour) {
  return std::to_array<EnumName<Flavour>>({{Flavour::kMariadb, "mariadb"}, {Flavour::kMysql, "mysql"}});
}

// An available server version, and what follows from it.
struct VersionInfo {
  std::string name;  // "mariadb-10.11"
  Flavour flavour = Flavour::kMariadb;
  Bytes min_mem{};
  bool operator==(const VersionInfo&) const = default;
};

// How large a member is.
struct MemberSize {
  std::int64_t cpus_milli = 1000;
  Bytes mem = gib(1);
  Bytes disk = gib(5);
  bool operator==(const MemberSize&) const = default;
};
template <class Io>
void fields(Io& io, MemberSize& s) {
  io.required("cpus_milli", s.cpus_milli);
  io.required("mem", s.mem);
  io.required("disk", s.disk);
}

// What is wanted of a cluster and of each of its members. What a member has is what it was granted (Granted).
struct ClusterSpec {
  std::string name;
  std::uint32_t members = 3;
  std::int64_t cpus_milli = 1000;
  Bytes mem = gib(1);
  Bytes disk = gib(5);
  std::string version;
  Flavour flavour = Flavour::kMariadb;
  std::string user;
  bool any_engine = false;  // also allow storage engines whose tables a crash or replication may damage
  [[nodiscard]] MemberSize size() const { return {cpus_milli, mem, disk}; }
  bool operator==(const ClusterSpec&) const = default;
};
template <class Io>
void fields(Io& io, ClusterSpec& s) {
  io.required("name", s.name);
  io.required("members", s.members);
  io.required("cpus_milli", s.cpus_milli);
  io.required("mem", s.mem);
  io.required("disk", s.disk);
  io.required("version", s.version);
  io.required("flavour", s.flavour);
  io.required("user", s.user);
  io.required("any_engine", s.any_engine);
}

// Where a member is on its way through Mesos.
enum class MemberStage {
  kWanted,     // needs a place; nothing of it exists anywhere
  kLaunching,  // placed: agent, ports, ids are fixed and an ACCEPT has been (or is about to be) sent
  kRunning,    // its task was seen running; it may be unreachable for a while
  kDown,       // its task has ended; the reservation and the volume wait for the next launch on the same agent
  kKilling,    // its task must end: KILL is repeated until the task is terminal
  kReleasing,  // its volume is destroyed and its reservation given back
};
constexpr auto enum_names(MemberStage) {
  using enum MemberStage;
  return std::to_array<EnumName<MemberStage>>({{kWanted, "wanted"}, {kLaunching, "launching"}, {kRunning, "running"},
                                               {kDown, "down"}, {kKilling, "killing"}, {kReleasing, "releasing"}});
}

// Whether an election should choose this member, of several that are complete.
enum class Promotion { kAvoid, kNeutral, kPrefer };
constexpr auto enum_names(Promotion) {
  using enum Promotion;
  return std::to_array<EnumName<Promotion>>({{kAvoid, "avoid"}, {kNeutral, "neutral"}, {kPrefer, "prefer"}});
}
constexpr int promotion_rank(Promotion p) { return static_cast<int>(p); }

// Where a member lives. The agent is fixed for the life of the volume.
struct Place {
  AgentId agent;
  std::string hostname;  // of the agent
  std::string ip;
  std::uint16_t port = 0;        // mysqld
  std::uint16_t api_port = 0;    // member API
  std::uint16_t admin_port = 0;  // mysqld, for Mysos' own connections; 0: the place is older than this port
  std::string resource_id;       // label of its reservation, globally unique
  VolumeId volume;
  // Where other members connect to its server.
  [[nodiscard]] std::uint16_t source_port() const { return admin_port != 0 ? admin_port : port; }
  bool operator==(const Place&) const = default;
};
template <class Io>
void fields(Io& io, Place& p) {
  io.required("agent", p.agent);
  io.required("hostname", p.hostname);
  io.required("ip", p.ip);
  io.required("port", p.port);
  io.required("api_port", p.api_port);
  io.required("admin_port", p.admin_port);
  io.required("resource_id", p.resource_id);
  io.required("volume", p.volume);
}

// What a member has: its place, and the size, version and settings with which its reservation and its server were made. Each
// launch uses these, even if the cluster's spec has changed meanwhile.
struct Granted {
  Place place;
  MemberSize size;
  std::string version;
  bool any_engine = false;  // as in ClusterSpec
  bool operator==(const Granted&) const = default;
};
template <class Io>
void fields(Io& io, Granted& g) {
  io.required("place", g.place);
  io.required("size", g.size);
  io.required("version", g.version);
  io.required("any_engine", g.any_engine);
}

struct Member {
  MemberId id;
  std::uint32_t index = 0;  // unique in its cluster; never used again
  bool leaves = false;      // wanted: remove the member and its volume
  MemberStage stage = MemberStage::kWanted;
  std::optional<Granted> granted;  // none: kWanted
  // The member must have been granted a place (asserted).
  [[nodiscard]] const Place& place() const {
    MYSOS_ASSERT(granted.has_value(), "the member has a place");
    return granted->place;
  }
  [[nodiscard]] Place& place() { return const_cast<Place&>(std::as_const(*this).place()); }
  TaskId task;              // of the newest launch
  std::uint64_t launches = 0;
  bool holds_data = false;       // an executor of it was seen alive: from then on no other volume may be used
  bool released_volume = false;  // kReleasing: DESTROY is known to be done
  std::string volume_name;       // as its executor first reported it; a volume with another name lacks the promise
  bool volume_lost = false;      // its executor reports another volume: the member counts for nothing
  Promotion promotion = Promotion::kNeutral;
  std::uint32_t server_id = 0;  // the last one granted: of its data, or of its next data (core/state/server_ids.h)
  bool operator==(const Member&) const = default;
};
template <class Io>
void fields(Io& io, Member& m) {
  io.required("id", m.id);
  io.required("index", m.index);
  io.required("leaves", m.leaves);
  io.required("stage", m.stage);
  io.required("granted", m.granted);
  io.required("task", m.task);
  io.required("launches", m.launches);
  io.required("holds_data", m.holds_data);
  io.required("released_volume", m.released_volume);
  io.required("volume_name", m.volume_name);
  io.required("volume_lost", m.volume_lost);
  io.required("promotion", m.promotion);
  io.required("server_id", m.server_id);
}

// An operator's command to replace the primary now, without waiting for evidence.
struct FailoverRequest {
  std::optional<MemberId> to;
  bool accept_loss = false;  // allows a primary that is not proven to have everything
  bool operator==(const FailoverRequest&) const = default;
};
template <class Io>
void fields(Io& io, FailoverRequest& f) {
  io.required("to", f.to);
  io.required("accept_loss", f.accept_loss);
}

struct Cluster {
  ClusterId id;
  ClusterSpec spec;
  std::vector<Member> members;
  std::uint32_t next_index = 0;  // of the next new member; no index from here on was ever used
  EpochRecord epoch;
  std::uint64_t next_server_id = kFirstServerId;  // no id from here on was ever granted (core/state/server_ids.h)
  std::optional<RecordDoubt> doubt;  // the record may be old: the scheduler decides nothing from it
  bool deleting = false;
  std::optional<MemberId> switchover_to;  // set while an operator's switchover is under way
  std::optional<FailoverRequest> failover;  // set while an operator's failover is under way
  std::string sealed_secrets;             // accounts and the member token, encrypted by the shell; opaque here
  std::uint64_t credentials = 0;          // how often the user's password was changed
  std::uint64_t credentials_applied = 0;  // ... up to which a primary was seen to have it
  std::string token_hash;                 // of the member token; executors check their callers against it
  WallTime created{};
  bool operator==(const Cluster&) const = default;

  [[nodiscard]] const Member* find(const MemberId& id_) const {
    for (const Member& m : members) {
      if (m.id == id_) return &m;
    }
    return nullptr;
  }
  Member* find(const MemberId& id_) { return const_cast<Member*>(std::as_const(*this).find(id_)); }
};

// What the API shows.
enum class ClusterState { kCreating, kHealthy, kDegraded, kFailingOver, kUnavailable, kInDoubt, kDeleting };
constexpr auto enum_names(ClusterState) {
  using enum ClusterState;
  return std::to_array<EnumName<ClusterState>>({{kCreating, "creating"}, {kHealthy, "healthy"}, {kDegraded, "degraded"},
                                                {kFailingOver, "failing_over"}, {kUnavailable, "unavailable"},
                                                {kInDoubt, "in_doubt"},
                                                {kDeleting, "deleting"}});
}

// If another process has a port of the member, the executor ends its task with this message, and the member gets other ports.
inline constexpr std::string_view kPortTaken = "is taken by another process";

// What the executor is launched with (TaskInfo.data, JSON), without secrets. It describes the cluster and the member's place
// completely enough to rebuild the cluster's record (core/provisioning/adoption.h).
struct MemberSpec {
  ClusterId cluster;
  std::string cluster_name;
  MemberId member;
  TaskId task;
  std::uint32_t index = 0;
  std::string version;
  Flavour flavour = Flavour::kMariadb;
  std::int64_t cpus_milli = 1000;
  Bytes mem{};
  Bytes disk{};
  std::string bind;  // address to listen on and to be reached at
  std::uint16_t port = 0;
  std::uint16_t api_port = 0;
  std::uint16_t admin_port = 0;  // 0: none
  std::string token_hash;
  bool any_engine = false;  // as in ClusterSpec
  std::uint32_t members = 0;  // of the cluster
  std::string user;
  WallTime created{};
  std::string hostname;     // of the agent
  std::string resource_id;  // as in Place
  VolumeId volume;
  std::string volume_name;  // as in Member; "" = the scheduler has not heard it yet
  std::string key_id;  // which secret.key the cluster's secrets are encrypted with; "" = a version that did not say it
  std::uint32_t server_id = 0;  // for the first data on its volume; 0 = a version that did not grant any
  bool operator==(const MemberSpec&) const = default;
};
template <class Io>
void fields(Io& io, MemberSpec& s) {
  io.required("cluster", s.cluster);
  io("cluster_name", s.cluster_name);
  io.required("member", s.member);
  io.required("task", s.task);
  io("index", s.index);
  io.required("version", s.version);
  io("flavour", s.flavour);
  io("cpus_milli", s.cpus_milli);
  io.required("mem", s.mem);
  io.required("disk", s.disk);
  io.required("bind", s.bind);
  io.required("port", s.port);
  io.required("api_port", s.api_port);
  io("admin_port", s.admin_port);
  io.required("token_hash", s.token_hash);
  io("any_engine", s.any_engine);
  io("members", s.members);
  io("user", s.user);
  io("created", s.created);
  io("hostname", s.hostname);
  io("resource_id", s.resource_id);
  io("volume", s.volume);
  io("volume_name", s.volume_name);
  io("key_id", s.key_id);
  io("server_id", s.server_id);
}

// The message that the scheduler sends through Mesos to an executor whose cluster it does not know, and the executor's answer.
// The secrets are those of the cluster's record, encrypted. The member keeps them and cannot read them.
inline constexpr std::string_view kIdentify = "identify";
inline constexpr std::string_view kSealedKey = "sealed";  // their key among the secrets of a Setup
struct MemberIdentity {
  MemberSpec spec;
  std::string sealed_secrets;  // "": the member was never set up
  bool operator==(const MemberIdentity&) const = default;
};
template <class Io>
void fields(Io& io, MemberIdentity& i) {
  io.required("spec", i.spec);
  io("sealed_secrets", i.sealed_secrets);
}

}  // namespace mysos
