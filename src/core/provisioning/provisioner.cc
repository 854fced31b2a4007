// SPDX-License-Identifier: Apache-2.0
// The stages of a member, and what is due in each.
#include "core/provisioning/provisioner.h"

#include <algorithm>

#include "base/assert.h"

namespace mysos {

Provisioner::Provisioner(Ledger& ledger, MemberTable& table, const SchedulerConfig& config)
    : ledger_(ledger),
      table_(table),
      config_(config),
      tap_(config.implicit_reconcile),
      reconciler_(config.implicit_reconcile),
      orphans_(config.orphan_grace) {
  for (const Owner& owner : placed()) index(owner);
}

std::vector<Provisioner::Owner> Provisioner::placed() const {
  std::vector<Owner> out;
  for (const auto& [id, cluster] : ledger_.state().clusters) {
    for (const Member& m : cluster.members) {
      if (m.stage != MemberStage::kWanted) out.push_back({id, m.id});
    }
  }
  return out;
}

void Provisioner::index(const Owner& owner) {
  const Member& m = get(owner);
  by_task_.insert_or_assign(m.task, owner);
  by_resource_.insert_or_assign(m.place().resource_id, owner);
  by_agent_[m.place().agent][m.id] = owner.cluster;
}

void Provisioner::unindex(const Owner& owner) {
  const Member& m = get(owner);
  introductions_.settled(m.task);
  by_task_.erase(m.task);
  if (!m.granted) return;
  by_resource_.erase(m.place().resource_id);
  const auto there = by_agent_.find(m.place().agent);
  if (there == by_agent_.end()) return;
  there->second.erase(m.id);
  if (there->second.empty()) by_agent_.erase(there);
}

const Cluster& Provisioner::cluster_of(const Owner& owner) const {
  const Cluster* cluster = ledger_.find(owner.cluster);
  MYSOS_ASSERT(cluster != nullptr, "an owner's cluster exists");
  return *cluster;
}
const Member& Provisioner::get(const Owner& owner) const {
  const Member* member = cluster_of(owner).find(owner.member);
  MYSOS_ASSERT(member != nullptr, "an owner exists");
  return *member;
}
Member& Provisioner::edit(const Owner& owner) {
  Member* member = ledger_.edit(owner.cluster).find(owner.member);
  MYSOS_ASSERT(member != nullptr, "an owner exists");
  return *member;
}
void Provisioner::tell(const Owner& owner, EventText text) {
  ledger_.event(cluster_of(owner), owner.member, std::move(text));
}

std::optional<Provisioner::Owner> Provisioner::owner_of_resource(const std::string& resource_id) const {
  const auto found = by_resource_.find(resource_id);
  return found == by_resource_.end() ? std::nullopt : std::optional(found->second);
}

bool Provisioner::in_doubt() const {
  return ledger_.any_doubt();
}

void Provisioner::subscribed(Instant now) {
  wake(now);
  tap_.subscribed(now);
  reconciler_.subscribed(now);
  if (in_doubt()) reconciler_.ask_for_all(now);
  for (const Owner& owner : placed()) {
    const Member& m = get(owner);
    MemberRow& row = table_.at(owner.member);
    reconciler_.ask(m.task, m.place().agent, now);
    ask_for_secrets(owner, now);
    row.accepted.reset();  // offers do not outlive their stream
    row.offered.reset();
    row.launch_by = now + kLaunchPatience;
    row.kill_at = now;
    row.kill_backoff = kKillAgainMin;
    row.release_since = now;
    row.release_by = kNever;
  }
}

// ---- stages ----

Duration Provisioner::backoff(std::uint32_t failures) {
  Duration wait = config_.relaunch_min;
  for (std::uint32_t i = 1; i < failures && wait < config_.relaunch_max; ++i) wait *= 2;
  wait = std::min(wait, config_.relaunch_max);
  return wait + Duration(static_cast<Duration::rep>(ledger_.prng().below(static_cast<std::uint64_t>(wait.count()) / 10 + 1)));
}

void Provisioner::to_running(const Owner& owner, Instant now) {
  Member& m = edit(owner);
  m.stage = MemberStage::kRunning;
  m.holds_data = true;
  table_.at(owner.member).running_since = now;
  ask_for_secrets(owner, now);
  ledger_.watches_changed();
  tell(owner, {"member_running", "task " + m.task.value + " runs on " + m.place().hostname});
}

void Provisioner::to_down(const Owner& owner, const std::string& why, Instant now) {
  Member& m = edit(owner);
  m.stage = MemberStage::kDown;
  introductions_.settled(m.task);
  MemberRow& row = table_.at(owner.member);
  const bool lasted = row.running_since != kNever && now - row.running_since >= config_.relaunch_max;
  row.failures = lasted ? 1 : row.failures + 1;
  row.failed_why = why;
  row.not_before = now + backoff(row.failures);
  row.running_since = kNever;
  row.connected = false;
  // If its ACCEPT never arrived, the master still thinks that we are looking at the offer.
  if (row.accepted) ledger_.call(mesos::Decline{{*row.accepted}, Duration::zero()});
  row.accepted.reset();
  ledger_.watches_changed();
  tell(owner, {"member_down", "task " + m.task.value + ": " + why});
}

void Provisioner::to_killing(const Owner& owner, Instant now) {
  MYSOS_ASSERT(get(owner).leaves, "only the task of a member that leaves is ended");
  edit(owner).stage = MemberStage::kKilling;
  MemberRow& row = table_.at(owner.member);
  row.killing_since = now;
  row.kill_at = now;
  row.kill_backoff = kKillAgainMin;
  ledger_.watches_changed();
}

void Provisioner::to_releasing(const Owner& owner, Instant now) {
  MYSOS_ASSERT(get(owner).leaves, "only the volume of a member that leaves is given back");
  edit(owner).stage = MemberStage::kReleasing;
  MemberRow& row = table_.at(owner.member);
  row.failures = 0;
  row.not_before = now;
  row.release_since = now;
  row.release_by = kNever;
  row.unreserve = OperationId();
  ledger_.watches_changed();
}

// Nothing of it holds data: it may live anywhere. What was reserved for it, if anything, is an orphan from now on.
void Provisioner::abandon_place(const Owner& owner, const std::string& why, Instant now) {
  if (cluster_of(owner).doubt) return;  // a record that may be old does not know who holds data
  Member& m = edit(owner);
  MYSOS_ASSERT(!m.holds_data, "a member that has held data keeps its place");
  tell(owner, {"placement_abandoned", "the place on " + m.place().hostname + " is given up: " + why});
  orphan_unused(m, now);
  reconciler_.settled(m.task);
  unindex(owner);
  Member fresh;
  fresh.id = m.id;
  fresh.index = m.index;
  fresh.leaves = m.leaves;
  fresh.launches = m.launches;
  m = std::move(fresh);
  table_.begin_launch(owner.member);
  table_.at(owner.member).agent_gone = false;
  ledger_.watches_changed();
}

void Provisioner::finish(const Owner& owner, const std::string& why) {
  const Member& m = get(owner);
  tell(owner, {"member_released", why});
  reconciler_.settled(m.task);
  unindex(owner);
  table_.remove(owner.member);
  ledger_.watches_changed();
  Cluster& cluster = ledger_.edit(owner.cluster);
  std::erase_if(cluster.members, [&](const Member& member) { return member.id == owner.member; });
  if (!cluster.members.empty()) return;
  ledger_.event(cluster, {"cluster_deleted", "all of it has been given back"});
  ledger_.erase(owner.cluster);
}

void Provisioner::member_spoke(const MemberId& member, Instant now) {
  MemberRow& row = table_.at(member);
  row.accepted.reset();
  const Owner owner{row.cluster, member};
  if (cluster_of(owner).doubt) wake(now + kReconcileInDoubt);
  ask_for_secrets(owner, now);
  if (get(owner).stage != MemberStage::kLaunching) return;
  to_running(owner, now);
  wake(now);
}

void Provisioner::begin_delete(const ClusterId& id, Instant now) {
  wake(now);
  Cluster& cluster = ledger_.edit(id);
  cluster.deleting = true;
  cluster.switchover_to.reset();
  ledger_.event(cluster, {"cluster_deleting", "a user asked for it"});
  std::vector<Owner> owners;
  for (Member& m : cluster.members) {
    m.leaves = true;
    owners.push_back({id, m.id});
  }
  for (const Owner& owner : owners) {
    switch (get(owner).stage) {
      case MemberStage::kWanted:
        finish(owner, "it never had a place");
        break;
      case MemberStage::kLaunching:
      case MemberStage::kRunning:
        to_killing(owner, now);
        break;
      case MemberStage::kDown:
        if (table_.at(owner.member).agent_gone) {
          finish(owner, "its agent is gone for good");
        } else {
          to_releasing(owner, now);
        }
        break;
      case MemberStage::kKilling:
      case MemberStage::kReleasing:
        break;
    }
  }
}

// ---- time ----

void Provisioner::advance(Instant now) {
  next_ = kNever;
  std::set<std::string> wants;
  for (const Owner& owner : unsettled([](MemberStage) { return true; })) advance_member(owner, wants, now);
  for (const std::string& orphan : orphans_.all_due(now)) {
    const auto word = ledger_.state().orphans.find(orphan);
    const OrphanVolume* seen = orphans_.find(orphan);
    const bool kept = word == ledger_.state().orphans.end() && seen != nullptr && !seen->volume.empty();
    if (!kept) wants.insert("orphan:" + orphan);
  }
  for (const auto& [orphan, word] : ledger_.state().orphans) {
    if (word.fate == OrphanFate::kDestroy) wants.insert("orphan:" + orphan);
  }
  wake(orphans_.next(now));
  if (in_doubt()) reconciler_.ask_for_all(now + kReconcileInDoubt);
  for (mesos::Call& call : reconciler_.due(now)) ledger_.call(std::move(call));
  wake(reconciler_.next());
  for (auto& [task, agent] : introductions_.due(now)) {
    ledger_.call(mesos::Message{std::move(agent), ExecutorId(task.value), std::string(kIdentify)});
  }
  wake(introductions_.next());
  if (auto call = tap_.pace(std::move(wants), now)) ledger_.call(*std::move(call));
  wake(tap_.next());
}

void Provisioner::advance_member(const Owner& owner, std::set<std::string>& wants, Instant now) {
  const Member& m = get(owner);
  MemberRow& row = table_.at(owner.member);
  if (m.stage == MemberStage::kLaunching && now >= row.launch_by) {
    row.launch_by = now + kLaunchPatience;
    if (row.told == mesos::TaskState::kUnknown && !m.holds_data) {
      to_down(owner, "nothing was heard of its launch, and the master does not know it", now);
    } else {
      reconciler_.ask(m.task, m.place().agent, now);
    }
  }
  if (m.stage == MemberStage::kDown && !m.holds_data && now >= row.not_before + kAbandonAfter) {
    abandon_place(owner, "its agent offers nothing", now);
  }
  switch (m.stage) {
    case MemberStage::kWanted:
      if (now >= row.not_before) {
        wants.insert("place:" + owner.member.value);
      } else {
        wake(row.not_before);
      }
      return;
    case MemberStage::kLaunching:
      return wake(row.launch_by);
    case MemberStage::kRunning:
      return;
    case MemberStage::kDown:
      if (row.agent_gone || !row.stuck.empty()) return;
      if (now >= row.not_before) {
        wants.insert("volume:" + owner.member.value);
        if (!m.holds_data) wake(row.not_before + kAbandonAfter);
      } else {
        wake(row.not_before);
      }
      return;
    case MemberStage::kKilling:
      return advance_killing(owner, now);
    case MemberStage::kReleasing:
      return advance_releasing(owner, wants, now);
  }
}

void Provisioner::advance_killing(const Owner& owner, Instant now) {
  const Member& m = get(owner);
  MemberRow& row = table_.at(owner.member);
  if (now >= row.kill_at) {
    ledger_.call(mesos::Kill{m.task, m.place().agent, config_.kill_grace});
    // It does not obey, or does not hear: its agent ends the container.
    if (now >= row.killing_since + config_.kill_grace + kShutdownAfter) {
      ledger_.call(mesos::Shutdown{ExecutorId(m.task.value), m.place().agent});
    }
    row.kill_at = now + row.kill_backoff;
    row.kill_backoff = std::min(row.kill_backoff * 2, kKillAgainMax);
  }
  wake(row.kill_at);
}

void Provisioner::advance_releasing(const Owner& owner, std::set<std::string>& wants, Instant now) {
  const Member& m = get(owner);
  MemberRow& row = table_.at(owner.member);
  if (!m.holds_data && row.release_by == kNever && now >= row.release_since + kForgetAfter) {
    orphan_unused(m, now);
    return finish(owner, "its agent offers nothing, and nothing of it was ever seen there");
  }
  if (row.release_by != kNever && now >= row.release_by) {
    ledger_.call(mesos::ReconcileOperations{{{row.unreserve, m.place().agent}}});
    row.release_by = kNever;
  }
  if (row.release_by != kNever) return wake(row.release_by);
  if (!m.holds_data) wake(row.release_since + kForgetAfter);
  if (now < row.not_before) return wake(row.not_before);
  wants.insert("release:" + owner.member.value);
}

std::string Provisioner::waiting_for(const Cluster& cluster) const {
  std::string task;
  for (const Member& m : cluster.members) {
    const MemberRow& row = table_.at(m.id);
    const bool unreachable = row.told == mesos::TaskState::kUnreachable;
    const std::string hostname = m.granted ? m.place().hostname : "";
    const std::string on = hostname + (unreachable ? " (unreachable)" : "");
    std::string wait;
    switch (m.stage) {
      case MemberStage::kWanted:
        return "member " + m.id.value + " needs " + why_unplaced(want_of(cluster), agents_.all());
      case MemberStage::kLaunching:
        wait = "the task of member " + m.id.value + " to start on " + on;
        break;
      case MemberStage::kRunning:
        if (unreachable) wait = "agent " + hostname + " of member " + m.id.value + " to be reachable again";
        break;
      case MemberStage::kDown:
        if (row.agent_gone) {
          wait = "member " + m.id.value + ": agent " + hostname + " was marked gone, its volume will not return";
        } else if (!row.stuck.empty()) {
          wait = "member " + m.id.value + ": " + row.stuck;
        } else {
          wait = "the volume of member " + m.id.value + " to be offered by " + on + " for its next launch";
        }
        break;
      case MemberStage::kKilling:
        wait = "the task of member " + m.id.value + " to end on " + on;
        break;
      case MemberStage::kReleasing:
        wait = "the volume and reservation of member " + m.id.value + " to be given back by " + on;
        break;
    }
    const bool again = m.stage == MemberStage::kLaunching || m.stage == MemberStage::kDown;
    if (again && row.failures > 0) wait += "; " + std::to_string(row.failures) + " before did not last: " + row.failed_why;
    if (task.empty()) task = std::move(wait);
  }
  return task;
}

}  // namespace mysos
