// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/cluster_adoption.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/provisioning/admission.h"
#include "core/provisioning/launching.h"
#include "core/state/server_ids.h"

namespace mysos {
namespace {

std::string places_text(const Cluster& cluster) {
  std::string text;
  for (const Member& m : cluster.members) {
    text += text.empty() ? "" : ", ";
    if (!m.granted) {
      text += m.id.value + " was not found yet";
    } else {
      text += m.id.value + (m.stage == MemberStage::kDown ? " is a volume on " : " runs on ") + m.place().hostname;
    }
  }
  return text;
}

}  // namespace

ClusterAdoption::ClusterAdoption(Ledger& ledger, MemberTable& table, Members& members, StageChanges& stages,
                                 Reconciler& reconciler, Introductions& introductions, Orphans& orphans,
                                 const SchedulerConfig& config, Alarm& alarm)
    : ledger_(ledger),
      table_(table),
      members_(members),
      stages_(stages),
      reconciler_(reconciler),
      introductions_(introductions),
      orphans_(orphans),
      config_(config),
      alarm_(alarm) {}

// Without those of which a user, or the store, said what becomes of them.
std::vector<MemberFound> ClusterAdoption::claimable() const {
  std::vector<MemberFound> all = orphans_.found();
  std::erase_if(all, [&](const MemberFound& f) { return ledger_.state().orphans.contains(f.spec.resource_id); });
  return all;
}

Result<std::vector<MemberFound>> ClusterAdoption::unknown_cluster(const command::Adopt& in) const {
  std::vector<MemberFound> found = claimable();
  std::erase_if(found, [&](const MemberFound& f) {
    const bool asked = f.spec.cluster_name == in.cluster || f.spec.cluster.value == in.cluster;
    return !asked || ledger_.find(f.spec.cluster) != nullptr;
  });
  std::set<std::string> ids;
  for (const MemberFound& f : found) ids.insert(f.spec.cluster.value);
  if (ids.size() <= 1 && !found.empty()) return found;
  if (ids.size() > 1) {
    std::string all;
    for (const std::string& id : ids) all += (all.empty() ? "" : ", ") + id;
    const std::string several = "there are several clusters named '" + in.cluster + "'; give the id of one: " + all;
    return fail(Errc::kConflict, several, "cluster");
  }
  for (const UnknownTask& t : orphans_.tasks()) {
    if (t.identified || (t.cluster_name != in.cluster && t.cluster.value != in.cluster)) continue;
    return fail(Errc::kUnavailable,
                "task " + t.task.value + " runs and has not said yet which member it is; try again in a few seconds");
  }
  return fail(Errc::kNotFound, "no orphan says that it is of a cluster '" + in.cluster + "'; mysos orphans lists them",
              "cluster");
}

Result<ClusterId> ClusterAdoption::adopt(const command::Adopt& in, Instant now) {
  auto found = unknown_cluster(in);
  if (!found) {
    const Cluster* known = ledger_.find(ClusterId(in.cluster));
    if (known == nullptr) known = ledger_.state().find_by_name(in.as.empty() ? in.cluster : in.as);
    if (known != nullptr && !known->deleting && found.error().code == Errc::kNotFound) return known->id;
    return std::unexpected(std::move(found).error());
  }
  MYSOS_TRY_VOID(check_room(ledger_.state()));
  MYSOS_TRY(Cluster cluster, rebuilt_record(*found, config_.key_id));
  if (!in.as.empty()) cluster.spec.name = in.as;
  if (Status name = check_name(cluster.spec.name, ledger_.state()); !name) {
    name.error().message += "; --as NEWNAME takes the orphans' one back under another name";
    return std::unexpected(std::move(name).error());
  }
  const ClusterId id = cluster.id;
  for (const Member& m : cluster.members) table_.add(cluster, m, now);
  ledger_.add(std::move(cluster));
  take_places(id, now);
  const Cluster& added = *ledger_.find(id);
  ledger_.event(added, {EventKind::kClusterAdopted,
                        "its record was rebuilt from what its members hold: " + places_text(added)});
  return id;
}

void ClusterAdoption::take_places(const ClusterId& id, Instant now) {
  const Cluster* cluster = ledger_.find(id);
  if (cluster == nullptr || !cluster->doubt) return;
  const std::vector<MemberFound> all = claimable();
  for (std::size_t i = 0; i < cluster->members.size(); ++i) {
    const Owner owner{id, cluster->members[i].id};
    if (const MemberFound* found = newer_place(owner, all)) take(owner, *found, now);
  }
}

// Of two places of a member the newer counts: it got that one because the other never held data.
const MemberFound* ClusterAdoption::newer_place(const Owner& owner, const std::vector<MemberFound>& all) const {
  const Member& m = members_.get(owner);
  const MemberFound* found = m.leaves ? nullptr : newest_place(owner.member, all);
  if (found == nullptr || found->spec.token_hash != members_.cluster_of(owner).token_hash) return nullptr;
  const std::string known = m.granted ? m.place().resource_id : "";
  return place_number(m.id, found->spec.resource_id) > place_number(m.id, known) ? found : nullptr;
}

void ClusterAdoption::take(const Owner& owner, const MemberFound& found, Instant now) {
  if (members_.get(owner).granted) stages_.leave_task(owner);
  members_.change_place(owner, [&](Member& m) {
    take_place(m, found, members_.cluster_of(owner));
    raise_server_ids(ledger_.edit(owner.cluster), m.server_id);
    if (!config_.bind.empty() && !found.runs()) m.place().ip = config_.bind;
  });
  table_.forget_task(owner.member);
  if (found.runs()) {
    stages_.to_launching(owner, now);
  } else {
    stages_.to_down_as_found(owner, now);
  }
  const Member& m = members_.get(owner);
  orphans_.gone(m.place().resource_id);
  orphans_.task_gone(m.task);
  if (found.runs()) reconciler_.ask(m.task, m.place().agent, now);
  const std::string& host = m.place().hostname;
  const std::string runs = "task " + m.task.value + " runs on " + host + " and is taken over";
  members_.tell(owner, {EventKind::kMemberFound, found.runs() ? runs : "its volume is on " + host});
  introductions_.take_secrets(owner, found);
  alarm_.wake(now);
}

void ClusterAdoption::identified(const scheduler_input::Identified& in, Instant now) {
  const TaskId task(in.executor.value);
  const MemberSpec& spec = in.identity.spec;
  const bool counted = spec.members > 0 && spec.members <= kMaxMembers && spec.index < spec.members;
  if (spec.task != task || !counted || spec.resource_id.empty()) return;
  const MemberFound found{spec, in.agent, in.identity.sealed_secrets, in.credentials, in.problem};
  if (orphans_.identified(task, found)) {
    introductions_.settled(task);
    take_places(spec.cluster, now);
  }
  if (const auto owner = members_.placed().by_task(task)) introductions_.answered(*owner, found);
}

}  // namespace mysos
