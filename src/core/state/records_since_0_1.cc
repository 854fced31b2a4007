// SPDX-License-Identifier: Apache-2.0
// What version 0.1 wrote. It kept all of a cluster in one record, and left out fields that had no value. Fields that 0.1 learnt
// only later get the default that they had then; every other field must be there.
#include <initializer_list>
#include <string_view>
#include <utility>

#include "core/state/member_of_1.h"
#include "core/state/records.h"
#include "core/state/server_ids.h"

namespace mysos {
namespace {

using Names = std::initializer_list<std::string_view>;

// A value of T from what 0.1 wrote of it.
template <class T>
Result<T> read_old(json::object old, Names later) {
  const json::object defaults = to_json(T{}).as_object();
  for (const std::string_view name : later) {
    if (!old.contains(name)) old[name] = defaults.at(name);
  }
  return from_json<T>(old);
}

Result<Cluster> cluster_of_0_1(const std::string& key, const std::string& text) {
  MYSOS_TRY(const json::object old, from_json_text<json::object>(text));
  Cluster c;
  json::object spec, epoch;
  std::vector<json::object> members;
  JsonReader io(old);
  io.required("id", c.id);
  io.required("spec", spec);
  io.required("members", members);
  io.required("epoch", epoch);
  io("doubt", c.doubt);
  io.required("deleting", c.deleting);
  io("switchover_to", c.switchover_to);
  io("failover", c.failover);
  io.required("sealed_secrets", c.sealed_secrets);
  io("credentials", c.credentials);
  io("credentials_applied", c.credentials_applied);
  io.required("token_hash", c.token_hash);
  io.required("created", c.created);
  MYSOS_TRY_VOID(io.take());
  if (c.id.value != key) return fail(Errc::kInvalid, "it is that of " + c.id.value);
  MYSOS_TRY(c.spec, read_old<ClusterSpec>(std::move(spec), {"any_engine"}));
  MYSOS_TRY(c.epoch, read_old<EpochRecord>(std::move(epoch), {"primary", "raising_to", "rebuilding", "names_from"}));
  for (json::object& member : members) {
    MYSOS_TRY(MemberOf1 read, read_old<MemberOf1>(std::move(member), {"admin_port", "promotion", "volume_name", "volume_lost",
                                                                      "server_id"}));
    read.rest.server_id = grant_server_id(c);  // its data keep the id that they have (core/state/server_ids.h)
    c.members.push_back(member_since_1(std::move(read), c));
  }
  c.next_index = c.spec.members;
  return c;
}

template <class T>
Result<T> told(const std::string& record, Result<T> read) {
  if (read) return read;
  return fail(read.error().code, "the record " + record + " of version 0.1 is damaged: " + read.error().message);
}

Result<std::vector<Record>> framework_of_0_1(const std::map<std::string, std::string>& texts) {
  SchedulerState state;
  std::vector<Record> out;
  if (const auto id = texts.find("id"); id != texts.end()) {
    MYSOS_TRY(state.framework, told("framework/id", from_json_text<FrameworkId>(id->second)));
    out.push_back({"framework", "id", std::nullopt});
  }
  if (const auto former = texts.find("former"); former != texts.end()) {
    MYSOS_TRY(state.former, told("framework/former", from_json_text<std::set<FrameworkId>>(former->second)));
    out.push_back({"framework", "former", std::nullopt});
  }
  if (!out.empty()) out.push_back(framework_record(state));
  return out;
}

}  // namespace

Result<std::vector<Record>> records_since_0_1(const RecordTexts& records) {
  MYSOS_TRY(std::vector<Record> out, framework_of_0_1(of_kind(records, "framework")));
  for (const auto& [key, text] : of_kind(records, "cluster")) {
    MYSOS_TRY(const Cluster cluster, told("cluster/" + key, cluster_of_0_1(key, text)));
    out.push_back({"cluster", key, std::nullopt});
    for (Record& record : cluster_records(nullptr, &cluster)) out.push_back(std::move(record));
  }
  if (out.empty()) return out;  // what else is there has versions
  for (const auto& [id, text] : of_kind(records, "orphan")) {
    MYSOS_TRY(const OrphanWord word, told("orphan/" + id, from_json_text<OrphanWord>(text)));
    out.push_back(orphan_record(id, &word));
  }
  return out;
}

}  // namespace mysos
