// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/orphan_handling.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/provisioning/launching.h"

namespace mysos {
namespace {

using mesos::OperationState;
using mesos::TaskState;

std::string words_of(const Holding& holding, const AgentUse& use) {
  return describe(holding.reserved + holding.volumes) + " on " + use.offer.hostname;
}

}  // namespace

OrphanHandling::OrphanHandling(Ledger& ledger, Orphans& orphans, Introductions& introductions, const SchedulerConfig& config,
                               Alarm& alarm)
    : ledger_(ledger), orphans_(orphans), introductions_(introductions), config_(config), alarm_(alarm) {}

bool OrphanHandling::asked_to_destroy(const std::string& resource_id) const {
  const auto word = ledger_.state().orphans.find(resource_id);
  return word != ledger_.state().orphans.end() && word->second.fate == OrphanFate::kDestroy;
}

bool OrphanHandling::saw(const std::string& resource_id, const Holding& holding, const AgentUse& use, Instant now) {
  const bool keep = !ledger_.state().orphans.contains(resource_id) && !holding.volumes.empty();
  if (orphans_.saw(resource_id, holding, use.offer, now)) {
    const std::string advice = keep ? ". It is kept, since it may hold data: mysos orphans" : "";
    ledger_.event({EventKind::kOrphanFound, "no member owns " + resource_id + ": " + words_of(holding, use) + advice});
  }
  return keep;
}

void OrphanHandling::release(const std::string& resource_id, const Holding& holding, AgentUse& use, Instant now) {
  const bool asked = asked_to_destroy(resource_id);
  if (!asked && !orphans_.due(resource_id, now)) return;
  if (!orphans_.send(resource_id, now)) return;
  for (auto& operation : release_operations(holding, resource_id + "." + ledger_.prng().name(6))) {
    use.operations.push_back(std::move(operation));
  }
  if (asked) use.awaited = true;
  if (!asked) {
    const std::string what = words_of(holding, use);
    ledger_.event({EventKind::kOrphanReleased, "what no member owns and holds no data is given back: " + what});
  }
}

void OrphanHandling::await(Wants& wants) const {
  for (const std::string& orphan : orphans_.all_due(wants.now)) {
    const OrphanVolume* seen = orphans_.find(orphan);
    const bool kept = !ledger_.state().orphans.contains(orphan) && seen != nullptr && !seen->volume.empty();
    if (!kept) wants.keys.insert("orphan:" + orphan);
  }
  for (const auto& [orphan, word] : ledger_.state().orphans) {
    if (word.fate == OrphanFate::kDestroy) wants.keys.insert("orphan:" + orphan);
  }
  wants.alarm.wake(orphans_.next(wants.now));
}

// Another installation may share the role. Or it was this one, whose state has forgotten its framework.
void OrphanHandling::saw_framework(const FrameworkId& other) {
  if (others_told_.size() >= kMaxOthersTold || !others_told_.insert(other).second) return;
  const std::string ours = ledger_.state().framework ? ledger_.state().framework->value : "";
  ledger_.event({EventKind::kFrameworkUnknown,
                 "reservations of the Mysos framework " + other.value + " are offered, and not touched: "
                                      "this one is " + ours + ". If that was this installation before its state was lost: "
                                      "docs/operations.md, --framework-id"});
}

void OrphanHandling::absent(const AgentUse& use, const std::map<std::string, Holding>& offered, Instant now) {
  std::vector<std::string> away;
  for (const auto& [id, word] : ledger_.state().orphans) {
    if (word.agent != use.offer.agent || offered.contains(id)) continue;
    orphans_.expect(id, now);
    if (orphans_.proved_gone(id, now) || orphans_.forgotten(id, now)) away.push_back(id);
  }
  for (const std::string& id : away) gone(id, "it is not offered any more");
}

void OrphanHandling::gone(const std::string& resource_id, const std::string& why) {
  if (ledger_.state().orphans.contains(resource_id)) {
    if (asked_to_destroy(resource_id)) ledger_.event({EventKind::kOrphanDestroyed, resource_id + ": " + why});
    ledger_.erase_orphan(resource_id);
  }
  orphans_.gone(resource_id);
}

// The answer to a release.
void OrphanHandling::answered(const OperationName& name, const mesos::UpdateOperation& in) {
  if (name.kind == "unreserve" && in.state == OperationState::kFinished) {
    return gone(name.resource_id, "its volume is destroyed and its reservation given back, as a user asked for");
  }
  if (in.state == OperationState::kGoneByOperator) return gone(name.resource_id, "its agent is gone for good");
  const bool failed = in.state == OperationState::kFailed || in.state == OperationState::kError;
  if (failed && orphans_.find(name.resource_id) != nullptr) {
    ledger_.event({EventKind::kOperationFailed, name.kind + " of the orphan " + name.resource_id + ": " + words_of(in)});
  }
}

void OrphanHandling::unused(const Member& member, Instant now) {
  if (!member.granted) return;
  const Place& at = member.place();
  ledger_.set_orphan(at.resource_id, {OrphanFate::kUnused, at.agent});
  orphans_.expect(at.resource_id, now);
}

Result<ClusterId> OrphanHandling::destroy(const std::string& resource_id, Instant now) {
  const OrphanVolume* found = orphans_.find(resource_id);
  if (asked_to_destroy(resource_id)) return found == nullptr ? ClusterId() : found->cluster;
  if (found == nullptr) {
    return fail(Errc::kNotFound, "there is no orphan " + resource_id + "; a volume that a task holds is none yet", "id");
  }
  ledger_.set_orphan(resource_id, {OrphanFate::kDestroy, found->agent});
  ledger_.event({EventKind::kOrphanDestroyAsked, "a user asked for " + resource_id + " (volume " + found->volume.value +
                                                     " on " + found->hostname + ") to be destroyed"});
  alarm_.wake(now);
  return found->cluster;
}

OrphansView OrphanHandling::view() const {
  OrphansView out{orphans_.volumes(), orphans_.tasks()};
  for (OrphanVolume& v : out.volumes) {
    const auto word = ledger_.state().orphans.find(v.id);
    if (word != ledger_.state().orphans.end()) v.fate = word->second.fate;
  }
  return out;
}

bool OrphanHandling::left_alone(const mesos::Update& in, const TaskName& name, Instant now) {
  const bool first = !orphans_.knows(in.task);
  orphans_.task_seen(in.task, name, in.agent.value_or(AgentId()), in.state);
  if (first && in.agent && orphans_.knows(in.task)) introductions_.ask(in.task, *in.agent, now);
  return first;
}

// A launch that the store has given up, or of a member that leaves or has left.
bool OrphanHandling::given_up(const TaskName& name) const {
  if (const Cluster* cluster = ledger_.find(name.cluster)) {
    const auto member = std::ranges::find(cluster->members, name.index, &Member::index);
    if (member == cluster->members.end()) return cluster->deleting;
    return member->leaves || name.launches <= member->launches;
  }
  const std::string member = name.cluster.value + "-" + std::to_string(name.index) + "-";
  const auto at = ledger_.state().orphans.lower_bound(member);
  return at != ledger_.state().orphans.end() && at->first.starts_with(member);
}

// Of a cluster that the store does not know the task may be a database.
void OrphanHandling::stray(const mesos::Update& in, Instant now) {
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
