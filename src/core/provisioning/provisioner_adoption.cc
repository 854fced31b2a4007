// SPDX-License-Identifier: Apache-2.0
// A cluster that the state does not know, and its way back into it. A member takes the place that its volume's label or its
// executor tells, as long as the record is in doubt: nothing is decided from it, so a place that is taken does no harm, and
// what runs there runs on.
#include <algorithm>
#include <set>

#include "core/provisioning/admission.h"
#include "core/provisioning/launching.h"
#include "core/provisioning/provisioner.h"
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

// It is asked who it is, and may be a member without a place. True: it was not known.
bool Provisioner::left_alone(const mesos::Update& in, const TaskName& name, Instant now) {
  const bool first = !orphans_.knows(in.task);
  orphans_.task_seen(in.task, name, in.agent.value_or(AgentId()), in.state);
  if (first && in.agent && orphans_.knows(in.task)) {
    introductions_.ask(in.task, *in.agent, now);
    wake(now);
  }
  return first;
}

// Without those of which a user, or the store, said what becomes of them.
std::vector<MemberFound> Provisioner::claimable() const {
  std::vector<MemberFound> all = orphans_.found();
  std::erase_if(all, [&](const MemberFound& f) { return ledger_.state().orphans.contains(f.spec.resource_id); });
  return all;
}

Result<std::vector<MemberFound>> Provisioner::unknown_cluster(const command::Adopt& in) const {
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

Result<ClusterId> Provisioner::adopt(const command::Adopt& in, Instant now) {
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

// Of two places of a member the newer counts: it got that one because the other never held data.
std::size_t Provisioner::take_places(const ClusterId& id, Instant now) {
  const Cluster* cluster = ledger_.find(id);
  if (cluster == nullptr || !cluster->doubt) return 0;
  const std::vector<MemberFound> all = claimable();
  std::size_t taken = 0;
  for (std::size_t i = 0; i < cluster->members.size(); ++i) {
    const Owner owner{id, cluster->members[i].id};
    if (get(owner).leaves) continue;
    const MemberFound* found = newest_place(owner.member, all);
    if (found == nullptr || found->spec.token_hash != cluster->token_hash) continue;
    const Member& before = get(owner);
    const std::string known = before.granted ? before.place().resource_id : "";
    if (place_number(before.id, found->spec.resource_id) <= place_number(before.id, known)) continue;
    if (before.granted) {
      reconciler_.settled(before.task);
      unindex(owner);
    }
    Member& m = edit(owner);
    take_place(m, *found, *cluster);
    raise_server_ids(ledger_.edit(id), m.server_id);
    if (!config_.bind.empty() && !found->runs()) m.place().ip = config_.bind;
    index(owner);
    table_.forget_task(owner.member);
    if (found->runs()) {
      to_launching(owner, now);
    } else {
      enter(owner, stage::Down{.not_before = now});
    }
    orphans_.gone(m.place().resource_id);
    orphans_.task_gone(m.task);
    if (found->runs()) reconciler_.ask(m.task, m.place().agent, now);
    const std::string& host = m.place().hostname;
    tell(owner, {EventKind::kMemberFound, found->runs() ? "task " + m.task.value + " runs on " + host + " and is taken over"
                                               : "its volume is on " + host});
    take_secrets(owner, *found);
    wake(now);
    ++taken;
  }
  return taken;
}

void Provisioner::identified(const scheduler_input::Identified& in, Instant now) {
  const TaskId task(in.executor.value);
  const MemberSpec& spec = in.identity.spec;
  const bool counted = spec.members > 0 && spec.members <= kMaxMembers && spec.index < spec.members;
  if (spec.task != task || !counted || spec.resource_id.empty()) return;
  const MemberFound found{spec, in.agent, in.identity.sealed_secrets, in.credentials, in.problem};
  if (orphans_.identified(task, found)) {
    introductions_.settled(task);
    take_places(spec.cluster, now);
  }
  const auto owner = placed_.by_task(task);
  if (!owner) return;
  take_secrets(*owner, found);
  if (!lacks_secrets(*owner)) introductions_.settled(task);
}

// A record that was rebuilt from labels has none, and one that is old has older ones than the members.
void Provisioner::take_secrets(const Owner& owner, const MemberFound& found) {
  const Cluster& known = cluster_of(owner);
  if (found.spec.token_hash != known.token_hash) return;
  MemberRow& row = table_.at(owner.member);
  if (!found.problem.empty() && row.secrets_problem != found.problem) {
    tell(owner, {EventKind::kSecretsUnreadable, found.problem});
  }
  row.secrets_problem = found.problem;
  const bool newer = known.sealed_secrets.empty() || found.credentials > known.credentials;
  if (found.sealed_secrets.empty() || !newer) return;
  Cluster& cluster = ledger_.edit(owner.cluster);
  cluster.sealed_secrets = found.sealed_secrets;
  cluster.credentials = found.credentials;
  ledger_.watches_changed();
  tell(owner, {EventKind::kSecretsFound,
               "the cluster's secrets are those that this member keeps: the state had none, or older ones"});
}

// The record has none, or older ones than this member.
bool Provisioner::lacks_secrets(const Owner& owner) const {
  const Cluster& cluster = cluster_of(owner);
  const MemberRow& row = table_.at(owner.member);
  return cluster.sealed_secrets.empty() || (row.report && row.report->credentials > cluster.credentials);
}

void Provisioner::ask_for_secrets(const Owner& owner, Instant now) {
  const Member& m = get(owner);
  if (m.stage != MemberStage::kRunning || !lacks_secrets(owner)) return;
  introductions_.keep_asking(m.task, m.place().agent, now);
  wake(now);
}

}  // namespace mysos
