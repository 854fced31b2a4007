// SPDX-License-Identifier: Apache-2.0
// Of the records of version 1 two kinds have another form today. "spec" had no next index: members were made with their cluster
// only, with the indexes from 0. "member" did not say whether the member leaves: all did, or none; and it was granted what its
// cluster's spec said, which could not change.
#include <map>
#include <optional>
#include <utility>

#include "core/state/member_of_1.h"
#include "core/state/records.h"

namespace mysos {
namespace {

struct SpecOf1 {
  ClusterSpec spec;
  WallTime created{};
  bool deleting = false;
};
template <class Io>
void fields(Io& io, SpecOf1& p) {
  io.required("spec", p.spec);
  io.required("created", p.created);
  io.required("deleting", p.deleting);
}

struct MemberRecordOf1 {
  ClusterId cluster;
  MemberOf1 member;
};
template <class Io>
void fields(Io& io, MemberRecordOf1& p) {
  io.required("cluster", p.cluster);
  io.required("member", p.member);
}

// nullopt: it is not of version 1. What cannot be read at all is told when the state is.
template <class T>
Result<std::optional<T>> of_version_1(const std::string& name, const std::string& text) {
  const auto document = parse_json(text);
  const auto* object = document ? document->if_object() : nullptr;
  const auto* version = object != nullptr ? object->if_contains("v") : nullptr;
  if (version == nullptr || *version != json::value(1)) return std::nullopt;
  auto read = from_json<T>(*document);
  if (!read) return fail(Errc::kInvalid, "the record " + name + " is damaged: " + read.error().message);
  return std::optional<T>(*std::move(read));
}

Result<std::map<ClusterId, Cluster>> clusters_of_1(const RecordTexts& records) {
  std::map<ClusterId, Cluster> out;
  for (const auto& [key, text] : of_kind(records, "spec")) {
    MYSOS_TRY(auto old, of_version_1<SpecOf1>("spec/" + key, text));
    if (!old) continue;
    Cluster& cluster = out[ClusterId(key)];
    cluster.id = ClusterId(key);
    cluster.spec = std::move(old->spec);
    cluster.created = old->created;
    cluster.deleting = old->deleting;
    cluster.next_index = cluster.spec.members;
  }
  for (const auto& [key, text] : of_kind(records, "member")) {
    MYSOS_TRY(auto old, of_version_1<MemberRecordOf1>("member/" + key, text));
    const auto cluster = old ? out.find(old->cluster) : out.end();
    if (cluster == out.end()) continue;
    if (old->member.rest.id.value != key) {
      return fail(Errc::kInvalid, "the record member/" + key + " is damaged: it is that of " + old->member.rest.id.value);
    }
    cluster->second.members.push_back(member_since_1(std::move(old->member), cluster->second));
  }
  return out;
}

}  // namespace

Result<std::vector<Record>> records_since_1(const RecordTexts& records) {
  MYSOS_TRY(const auto clusters, clusters_of_1(records));
  std::vector<Record> out;
  for (const auto& [id, cluster] : clusters) {
    for (Record& record : cluster_records(nullptr, &cluster)) {
      if (record.kind == "spec" || record.kind == "member") out.push_back(std::move(record));
    }
  }
  return out;
}

}  // namespace mysos
