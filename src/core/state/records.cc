// SPDX-License-Identifier: Apache-2.0
#include "core/state/records.h"

#include <algorithm>
#include <set>
#include <utility>

namespace mysos {
namespace {

struct FrameworkPart {
  std::optional<FrameworkId> id;
  std::set<FrameworkId> former;
};
template <class Io>
void fields(Io& io, FrameworkPart& p) {
  io.required("id", p.id);
  io.required("former", p.former);
}

struct SpecPart {
  ClusterSpec spec;
  WallTime created{};
  bool deleting = false;
  std::uint32_t next_index = 0;
  bool operator==(const SpecPart&) const = default;
};
template <class Io>
void fields(Io& io, SpecPart& p) {
  io.required("spec", p.spec);
  io.required("created", p.created);
  io.required("deleting", p.deleting);
  io.required("next_index", p.next_index);
}

struct EpochPart {
  EpochRecord epoch;
  std::uint64_t next_server_id = 0;
  std::optional<RecordDoubt> doubt;
  std::optional<MemberId> switchover_to;
  std::optional<FailoverRequest> failover;
  bool operator==(const EpochPart&) const = default;
};
template <class Io>
void fields(Io& io, EpochPart& p) {
  io.required("epoch", p.epoch);
  io.required("next_server_id", p.next_server_id);
  io.required("doubt", p.doubt);
  io.required("switchover_to", p.switchover_to);
  io.required("failover", p.failover);
}

struct SecretsPart {
  std::string sealed;
  std::string token_hash;
  std::uint64_t credentials = 0;
  std::uint64_t credentials_applied = 0;
  bool operator==(const SecretsPart&) const = default;
};
template <class Io>
void fields(Io& io, SecretsPart& p) {
  io.required("sealed", p.sealed);
  io.required("token_hash", p.token_hash);
  io.required("credentials", p.credentials);
  io.required("credentials_applied", p.credentials_applied);
}

struct MemberPart {
  ClusterId cluster;
  Member member;
  bool operator==(const MemberPart&) const = default;
};
template <class Io>
void fields(Io& io, MemberPart& p) {
  io.required("cluster", p.cluster);
  io.required("member", p.member);
}

SpecPart spec_part(const Cluster& c) { return {c.spec, c.created, c.deleting, c.next_index}; }
EpochPart epoch_part(const Cluster& c) { return {c.epoch, c.next_server_id, c.doubt, c.switchover_to, c.failover}; }
SecretsPart secrets_part(const Cluster& c) {
  return {c.sealed_secrets, c.token_hash, c.credentials, c.credentials_applied};
}

// The version that the records of each part are written with.
template <class T>
constexpr std::uint32_t kVersion = 1;
template <>
constexpr std::uint32_t kVersion<SpecPart> = 2;  // 1: records_since_1.cc
template <>
constexpr std::uint32_t kVersion<MemberPart> = 2;

template <class T>
struct Versioned {
  std::uint32_t version = kVersion<T>;
  T part;
};
template <class Io, class T>
void fields(Io& io, Versioned<T>& r) {
  io.required("v", r.version);
  fields(io, r.part);
}

template <class T>
std::string text_of(T part) {
  return to_json_text(Versioned<T>{kVersion<T>, std::move(part)});
}

std::string name_of(const Record& record) { return record.kind + "/" + record.key; }

std::unexpected<Error> damaged(const Record& record, const std::string& why) {
  return fail(Errc::kInvalid, "the record " + name_of(record) + " is damaged: " + why);
}

// A newer version may have changed anything but "v".
template <class T>
Result<T> part_of(const Record& record) {
  const auto document = parse_json(*record.json);
  if (!document) return damaged(record, document.error().message);
  const auto* object = document->if_object();
  const auto* version = object != nullptr ? object->if_contains("v") : nullptr;
  if (version != nullptr && version->is_number() && version->to_number<double>() > kVersion<T>) {
    return fail(Errc::kConflict, "the record " + name_of(record) + " has version " + json::serialize(*version) +
                                     ", written by a newer Mysos; this one knows up to " +
                                     std::to_string(kVersion<T>) + ": start the newer one again");
  }
  auto read = from_json<Versioned<T>>(*document);
  if (!read) return damaged(record, read.error().message);
  if (read->version != kVersion<T>) return damaged(record, "v must be " + std::to_string(kVersion<T>));
  return std::move(read->part);
}

// The cluster of this id, which another part may have brought already.
Cluster& cluster_of(SchedulerState& state, const ClusterId& id) {
  Cluster& cluster = state.clusters[id];
  cluster.id = id;
  return cluster;
}

template <class T>
Status fold_part(SchedulerState& state, const Record& record, auto put) {
  const ClusterId id(record.key);
  if (!record.json) {
    state.clusters.erase(id);
    return {};
  }
  MYSOS_TRY(T part, part_of<T>(record));
  put(cluster_of(state, id), std::move(part));
  return {};
}

Status fold_member(SchedulerState& state, const Record& record) {
  const MemberId id(record.key);
  if (!record.json) {
    for (auto& [cluster_id, cluster] : state.clusters) {
      std::erase_if(cluster.members, [&](const Member& m) { return m.id == id; });
    }
    return {};
  }
  MYSOS_TRY(MemberPart part, part_of<MemberPart>(record));
  if (part.member.id != id) {
    return damaged(record, "it is that of " + part.member.id.value);
  }
  if (part.member.granted.has_value() == (part.member.stage == MemberStage::kWanted)) {
    return damaged(record, "what was granted does not fit the stage " + std::string(enum_text(part.member.stage)));
  }
  std::vector<Member>& members = cluster_of(state, part.cluster).members;
  std::erase_if(members, [&](const Member& m) { return m.id == id; });
  const auto place = std::ranges::upper_bound(members, part.member.index, {}, &Member::index);
  members.insert(place, std::move(part.member));
  return {};
}

Status fold_framework(SchedulerState& state, const Record& record) {
  FrameworkPart part;
  if (record.json) {
    MYSOS_TRY(part, part_of<FrameworkPart>(record));
  }
  state.framework = std::move(part.id);
  state.former = std::move(part.former);
  return {};
}

Status fold_orphan(SchedulerState& state, const Record& record) {
  if (!record.json) {
    state.orphans.erase(record.key);
    return {};
  }
  MYSOS_TRY(OrphanWord word, part_of<OrphanWord>(record));
  state.orphans.insert_or_assign(record.key, std::move(word));
  return {};
}

template <class Part>
void add_change(std::vector<Record>& out, const char* kind, const Cluster* before, const Cluster* after, Part part) {
  if (after == nullptr) {
    out.push_back({kind, before->id.value, std::nullopt});
  } else if (before == nullptr || part(*before) != part(*after)) {
    out.push_back({kind, after->id.value, text_of(part(*after))});
  }
}

}  // namespace

const std::map<std::string, std::string>& of_kind(const RecordTexts& records, const std::string& kind) {
  static const std::map<std::string, std::string> kNone;
  const auto found = records.find(kind);
  return found == records.end() ? kNone : found->second;
}

std::vector<Record> cluster_records(const Cluster* before, const Cluster* after) {
  std::vector<Record> out;
  add_change(out, "spec", before, after, spec_part);
  add_change(out, "secrets", before, after, secrets_part);
  if (after != nullptr) {
    for (const Member& m : after->members) {
      const Member* old = before != nullptr ? before->find(m.id) : nullptr;
      if (old == nullptr || *old != m) out.push_back({"member", m.id.value, text_of(MemberPart{after->id, m})});
    }
  }
  if (before != nullptr) {
    for (const Member& m : before->members) {
      if (after == nullptr || after->find(m.id) == nullptr) out.push_back({"member", m.id.value, std::nullopt});
    }
  }
  add_change(out, "epoch", before, after, epoch_part);
  return out;
}

Record framework_record(const SchedulerState& state) {
  return {"framework", "state", text_of(FrameworkPart{state.framework, state.former})};
}

Record orphan_record(const std::string& resource_id, const OrphanWord* word) {
  if (word == nullptr) return {"orphan", resource_id, std::nullopt};
  return {"orphan", resource_id, text_of(*word)};
}

Status fold_record(SchedulerState& state, const Record& record) {
  if (record.kind == "spec") {
    return fold_part<SpecPart>(state, record, [](Cluster& c, SpecPart p) {
      c.spec = std::move(p.spec);
      c.created = p.created;
      c.deleting = p.deleting;
      c.next_index = p.next_index;
    });
  }
  if (record.kind == "epoch") {
    return fold_part<EpochPart>(state, record, [](Cluster& c, EpochPart p) {
      c.epoch = std::move(p.epoch);
      c.next_server_id = p.next_server_id;
      c.doubt = std::move(p.doubt);
      c.switchover_to = std::move(p.switchover_to);
      c.failover = std::move(p.failover);
    });
  }
  if (record.kind == "secrets") {
    return fold_part<SecretsPart>(state, record, [](Cluster& c, SecretsPart p) {
      c.sealed_secrets = std::move(p.sealed);
      c.token_hash = std::move(p.token_hash);
      c.credentials = p.credentials;
      c.credentials_applied = p.credentials_applied;
    });
  }
  if (record.kind == "member") return fold_member(state, record);
  if (record.kind == "framework" && record.key == "state") return fold_framework(state, record);
  if (record.kind == "orphan") return fold_orphan(state, record);
  return fail(Errc::kConflict, "the state holds the record " + name_of(record) +
                                   ", which this version does not know; start the newer Mysos that wrote it again");
}

namespace {

std::unexpected<Error> missing(const std::string& what) {
  return fail(Errc::kInvalid, "the state is damaged: the record " + what + " is missing");
}

// As many members stay as are wanted, and none has an index that another has, or that the next one would get.
Status check_members(const Cluster& cluster) {
  const std::string whose = "the state is damaged: cluster '" + cluster.spec.name + "' ";
  std::size_t stay = 0;
  std::set<std::uint32_t> indexes;
  for (const Member& m : cluster.members) {
    if (m.index >= cluster.next_index || !indexes.insert(m.index).second) {
      return fail(Errc::kInvalid, whose + "has a member " + m.id.value + " with the index " + std::to_string(m.index) +
                                      ", which another one has or would get");
    }
    if (!m.leaves) ++stay;
  }
  if (cluster.deleting || stay == cluster.spec.members) return {};  // of a cluster that is deleted they go one by one
  return fail(Errc::kInvalid, whose + "has " + std::to_string(cluster.spec.members) + " members, and " +
                                  std::to_string(stay) + " records of members that stay: " +
                                  (stay < cluster.spec.members ? "one is missing" : "there is one too many"));
}

}  // namespace

Status check_complete(const SchedulerState& state, const RecordTexts& records) {
  for (const auto& [id, cluster] : state.clusters) {
    for (const char* kind : {"spec", "epoch", "secrets"}) {
      const bool there = of_kind(records, kind).contains(id.value);
      if (!there) return missing(std::string(kind) + "/" + id.value);
    }
    MYSOS_TRY_VOID(check_members(cluster));
  }
  return {};
}

Result<StoredState> read_state(RecordTexts records) {
  StoredState stored;
  for (const auto& since : {records_since_0_1, records_since_1}) {
    MYSOS_TRY(const std::vector<Record> changes, since(records));
    for (const Record& change : changes) {
      if (change.json) {
        records[change.kind][change.key] = *change.json;
      } else {
        records[change.kind].erase(change.key);
      }
      stored.migration.push_back(change);
    }
  }
  MYSOS_TRY(stored.state, SchedulerState::recover(records));
  return stored;
}

}  // namespace mysos
