// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/adoption.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/assert.h"
#include "core/provisioning/admission.h"
#include "core/provisioning/launching.h"

namespace mysos {

// "<member>-<number>-<random>"
std::uint64_t place_number(const MemberId& member, const std::string& resource_id) {
  const std::string prefix = member.value + "-";
  std::uint64_t number = 0;
  if (resource_id.starts_with(prefix)) {
    std::from_chars(resource_id.data() + prefix.size(), resource_id.data() + resource_id.size(), number);
  }
  return number;
}

const MemberFound* newest_place(const MemberId& member, const std::vector<MemberFound>& found) {
  const MemberFound* newest = nullptr;
  const auto number = [&](const MemberFound& f) { return place_number(member, f.spec.resource_id); };
  for (const MemberFound& f : found) {
    if (f.spec.member == member && (newest == nullptr || number(f) > number(*newest))) newest = &f;
  }
  return newest;
}

Result<Cluster> rebuilt_record(const std::vector<MemberFound>& found, const std::string& key_id) {
  MYSOS_ASSERT(!found.empty(), "there is something to rebuild a record from");
  const auto newest = std::ranges::max_element(
      found, {}, [](const MemberFound& f) { return std::pair(!f.sealed_secrets.empty(), f.credentials); });
  const MemberSpec& spec = newest->spec;
  const auto closed = std::ranges::find_if(found, [](const MemberFound& f) { return !f.problem.empty(); });
  const bool other_key = !spec.key_id.empty() && spec.key_id != key_id;
  if (other_key || (newest->sealed_secrets.empty() && closed != found.end())) {
    return fail(Errc::kConflict,
                "the secrets of cluster '" + spec.cluster_name + "' are encrypted with another key than the secret.key of this "
                "scheduler, so they cannot be read; put the right secret.key back from a backup" +
                    (closed == found.end() ? "" : " (" + closed->problem + ")"));
  }
  Cluster cluster;
  cluster.id = spec.cluster;
  cluster.spec = {.name = spec.cluster_name, .members = spec.members, .cpus_milli = spec.cpus_milli, .mem = spec.mem,
                  .disk = spec.disk, .version = spec.version, .flavour = spec.flavour, .user = spec.user,
                  .any_engine = spec.any_engine};
  add_members(cluster, spec.members);
  for (const MemberFound& f : found) cluster.next_index = std::max(cluster.next_index, f.spec.index + 1);
  cluster.doubt = RecordDoubt{.why = "the state did not know this cluster, and an operator had it adopted"};
  cluster.sealed_secrets = newest->sealed_secrets;
  cluster.credentials = newest->credentials;
  cluster.token_hash = spec.token_hash;
  cluster.created = spec.created;
  return cluster;
}

std::string waits_for_secrets(const Cluster& cluster, const MemberTable& table) {
  std::string said;
  for (const Member& m : cluster.members) {
    const std::string& problem = table.at(m.id).secrets_problem;
    if (!problem.empty()) said = "; what " + m.id.value + " keeps does not open: " + problem;
  }
  return "a member to be started on its volume and to hand over the cluster's secrets, which it keeps encrypted" + said;
}

void take_place(Member& member, const MemberFound& found, const Cluster& cluster) {
  const MemberSpec& spec = found.spec;
  member.granted = Granted{.place = {.agent = found.agent,
                                     .hostname = spec.hostname,
                                     .ip = spec.bind,
                                     .port = spec.port,
                                     .api_port = spec.api_port,
                                     .admin_port = spec.admin_port,
                                     .resource_id = spec.resource_id,
                                     .volume = spec.volume},
                           .size = {spec.cpus_milli, spec.mem, spec.disk},
                           .version = spec.version,
                           .any_engine = spec.any_engine};
  member.holds_data = true;  // or may: only this very volume will do
  member.server_id = spec.server_id;
  const auto name = parse_task_id(spec.task);
  member.launches = std::max(member.launches, name ? name->launches : place_number(member.id, spec.resource_id));
  member.task = found.runs() ? spec.task : task_id_of(cluster, member);
}

}  // namespace mysos
