// SPDX-License-Identifier: Apache-2.0
// What is ours by its label and belongs to no member. A volume is destroyed only where the store itself knows that no server
// ever ran on it, or because a user said so; a task is killed only where the store knows that its launch was given up.
#include "core/provisioning/provisioner.h"

#include <algorithm>

#include "core/provisioning/launching.h"

namespace mysos {

using mesos::TaskState;

void Provisioner::serve_orphan(const std::string& resource_id, const Holding& holding, Use& use, Instant now) {
  const std::string what = describe(holding.reserved + holding.volumes) + " on " + use.offer.hostname;
  const auto& known = ledger_.state().orphans;
  const auto word = known.find(resource_id);
  const bool keep = word == known.end() && !holding.volumes.empty();
  if (orphans_.saw(resource_id, holding, use.offer, now)) {
    const std::string advice = keep ? ". It is kept, since it may hold data: mysos orphans" : "";
    ledger_.event({EventKind::kOrphanFound, "no member owns " + resource_id + ": " + what + advice});
  }
  if (keep && in_doubt()) {
    const auto at = holding.reservation.labels.find(kClusterLabel);
    if (at != holding.reservation.labels.end()) take_places(ClusterId(at->second), now);
    if (const auto owner = placed_.by_resource(resource_id)) return serve(*owner, holding, use, now);
  }
  if (keep) return;
  const bool asked = word != known.end() && word->second.fate == OrphanFate::kDestroy;
  if (!asked && !orphans_.due(resource_id, now)) return;
  if (!orphans_.send(resource_id, now)) return;
  for (auto& operation : release_operations(holding, resource_id + "." + ledger_.prng().name(6))) {
    use.operations.push_back(std::move(operation));
  }
  if (asked) use.awaited = true;
  if (!asked) ledger_.event({EventKind::kOrphanReleased, "what no member owns and holds no data is given back: " + what});
}

// Those that are given back or destroyed, so that they have to be in an offer.
void Provisioner::add_orphans_wanted(std::set<std::string>& wants, Instant now) const {
  for (const std::string& orphan : orphans_.all_due(now)) {
    const auto word = ledger_.state().orphans.find(orphan);
    const OrphanVolume* seen = orphans_.find(orphan);
    const bool kept = word == ledger_.state().orphans.end() && seen != nullptr && !seen->volume.empty();
    if (!kept) wants.insert("orphan:" + orphan);
  }
  for (const auto& [orphan, word] : ledger_.state().orphans) {
    if (word.fate == OrphanFate::kDestroy) wants.insert("orphan:" + orphan);
  }
}

// Another installation may share the role. Or it was this one, whose state has forgotten its framework.
void Provisioner::tell_of(const FrameworkId& other) {
  if (others_told_.size() >= kMaxOthersTold || !others_told_.insert(other).second) return;
  const std::string ours = ledger_.state().framework ? ledger_.state().framework->value : "";
  ledger_.event({EventKind::kFrameworkUnknown,
                 "reservations of the Mysos framework " + other.value + " are offered, and not touched: "
                                      "this one is " + ours + ". If that was this installation before its state was lost: "
                                      "docs/operations.md, --framework-id"});
}

// Of what is known of orphans on this agent, what is not there any more.
void Provisioner::orphans_absent(const Use& use, const std::map<std::string, Holding>& offered, Instant now) {
  std::vector<std::string> gone;
  for (const auto& [id, word] : ledger_.state().orphans) {
    if (word.agent != use.offer.agent || offered.contains(id)) continue;
    orphans_.expect(id, now);
    if (orphans_.proved_gone(id, now) || orphans_.forgotten(id, now)) gone.push_back(id);
  }
  for (const std::string& id : gone) orphan_gone(id, "it is not offered any more");
}

void Provisioner::orphan_gone(const std::string& resource_id, const std::string& why) {
  const auto word = ledger_.state().orphans.find(resource_id);
  if (word != ledger_.state().orphans.end()) {
    if (word->second.fate == OrphanFate::kDestroy) ledger_.event({EventKind::kOrphanDestroyed, resource_id + ": " + why});
    ledger_.erase_orphan(resource_id);
  }
  orphans_.gone(resource_id);
}

// The answer to a release.
void Provisioner::orphan_operation(const std::string& kind, const std::string& resource_id, const mesos::UpdateOperation& in) {
  using mesos::OperationState;
  if (kind == "unreserve" && in.state == OperationState::kFinished) {
    return orphan_gone(resource_id, "its volume is destroyed and its reservation given back, as a user asked for");
  }
  if (in.state == OperationState::kGoneByOperator) return orphan_gone(resource_id, "its agent is gone for good");
  const bool failed = in.state == OperationState::kFailed || in.state == OperationState::kError;
  if (failed && orphans_.find(resource_id) != nullptr) {
    ledger_.event({EventKind::kOperationFailed,
                   kind + " of the orphan " + resource_id + ": " + std::string(enum_text(in.state)) +
                                           (in.message.empty() ? "" : ", " + in.message)});
  }
}

// Nothing ever ran on it: the store knows that for good, whatever becomes of the member.
void Provisioner::orphan_unused(const Member& member, Instant now) {
  if (!member.granted) return;
  const Place& at = member.place();
  ledger_.set_orphan(at.resource_id, {OrphanFate::kUnused, at.agent});
  orphans_.expect(at.resource_id, now);
}

Result<ClusterId> Provisioner::destroy_orphan(const std::string& resource_id, Instant now) {
  const OrphanVolume* found = orphans_.find(resource_id);
  const auto word = ledger_.state().orphans.find(resource_id);
  const bool asked = word != ledger_.state().orphans.end() && word->second.fate == OrphanFate::kDestroy;
  if (asked) return found == nullptr ? ClusterId() : found->cluster;
  if (found == nullptr) {
    return fail(Errc::kNotFound, "there is no orphan " + resource_id + "; a volume that a task holds is none yet", "id");
  }
  ledger_.set_orphan(resource_id, {OrphanFate::kDestroy, found->agent});
  ledger_.event({EventKind::kOrphanDestroyAsked,
                 "a user asked for " + resource_id + " (volume " + found->volume.value + " on " +
                                             found->hostname + ") to be destroyed"});
  wake(now);
  return found->cluster;
}

OrphansView Provisioner::orphans() const {
  OrphansView out{orphans_.volumes(), orphans_.tasks()};
  for (OrphanVolume& v : out.volumes) {
    const auto word = ledger_.state().orphans.find(v.id);
    if (word != ledger_.state().orphans.end()) v.fate = word->second.fate;
  }
  return out;
}

// A launch that the store has given up, or of a member that leaves or has left.
bool Provisioner::given_up(const TaskName& name) const {
  if (const Cluster* cluster = ledger_.find(name.cluster)) {
    const auto member = std::ranges::find(cluster->members, name.index, &Member::index);
    if (member == cluster->members.end()) return cluster->deleting;
    return member->leaves || name.launches <= member->launches;
  }
  const std::string member = name.cluster.value + "-" + std::to_string(name.index) + "-";
  const auto at = ledger_.state().orphans.lower_bound(member);
  return at != ledger_.state().orphans.end() && at->first.starts_with(member);
}

// A task of this framework that is no member's newest. Of a cluster that the store does not know it may be a database.
void Provisioner::stray(const mesos::Update& in, Instant now) {
  if (mesos::is_terminal(in.state)) {
    orphans_.task_gone(in.task);
    introductions_.settled(in.task);
    if (had_container(in.state) && in.agent) ledger_.call(mesos::Shutdown{ExecutorId(in.task.value), *in.agent});
    return;
  }
  const bool lives = in.state == TaskState::kStaging || in.state == TaskState::kStarting || in.state == TaskState::kRunning;
  if (!lives && !orphans_.knows(in.task)) return;
  const TaskName name = parse_task_id(in.task).value_or(TaskName{});
  if (given_up(name)) {
    if (!lives) return;
    ledger_.event({EventKind::kStrayTaskKilled, "the launch of task " + in.task.value + " was given up"});
    ledger_.call(mesos::Kill{in.task, in.agent, config_.kill_grace});
    return;
  }
  const bool news = !orphans_.knows_task_of(name.cluster);
  const bool first = left_alone(in, name, now);
  if (news) {
    ledger_.event({EventKind::kClusterUnknown, "task " + in.task.value + " runs, and the state knows no cluster " +
                                                   name.cluster_name + " (" + name.cluster.value +
                                                   "). It is left alone: mysos orphans"});
  } else if (first) {
    ledger_.event({EventKind::kTaskUnknown,
                   "task " + in.task.value + " runs, and the state does not know it; it is left alone"});
  }
}

}  // namespace mysos
