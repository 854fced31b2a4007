// SPDX-License-Identifier: Apache-2.0
#include "core/state/ledger.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "core/state/records.h"

namespace mysos {

Ledger::Ledger(SchedulerState recovered, Prng prng) : state_(std::move(recovered)), prng_(prng) {
  for (const auto& [id, cluster] : state_.clusters) index(cluster);
}

void Ledger::index(const Cluster& cluster) {
  const auto put = [&](std::set<ClusterId>& in, bool belongs) {
    if (belongs) {
      in.insert(cluster.id);
    } else {
      in.erase(cluster.id);
    }
  };
  by_name_.insert_or_assign(cluster.spec.name, cluster.id);
  put(unsettled_, !std::ranges::all_of(cluster.members, [](const Member& m) { return m.stage == MemberStage::kRunning; }));
  put(doubted_, cluster.doubt.has_value());
}

const Cluster* Ledger::find_by_name(const std::string& name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : find(it->second);
}

std::set<ClusterId> Ledger::unsettled() const {
  std::set<ClusterId> all = unsettled_;
  for (const auto& [id, before] : before_) {
    if (find(id) != nullptr) all.insert(id);
  }
  return all;
}

bool Ledger::any_doubt() const {
  return !doubted_.empty() || std::ranges::any_of(before_, [&](const auto& touched) {
    const Cluster* cluster = find(touched.first);
    return cluster != nullptr && cluster->doubt.has_value();
  });
}

const Cluster* Ledger::find(const ClusterId& id) const {
  const auto it = state_.clusters.find(id);
  return it == state_.clusters.end() ? nullptr : &it->second;
}

Cluster& Ledger::edit(const ClusterId& id) {
  const auto it = state_.clusters.find(id);
  MYSOS_ASSERT(it != state_.clusters.end(), "only a cluster that exists is changed");
  if (!before_.contains(id)) before_.emplace(id, it->second);
  touched_.insert(id);
  return it->second;
}

void Ledger::add(Cluster cluster) {
  const ClusterId id = cluster.id;
  const auto [it, added] = state_.clusters.emplace(id, std::move(cluster));
  MYSOS_ASSERT(added, "cluster ids are never reused");
  index(it->second);
  before_.try_emplace(id);
  touched_.insert(id);
}

void Ledger::erase(const ClusterId& id) {
  const auto it = state_.clusters.find(id);
  MYSOS_ASSERT(it != state_.clusters.end(), "only a cluster that exists is erased");
  by_name_.erase(it->second.spec.name);
  unsettled_.erase(id);
  doubted_.erase(id);
  before_.try_emplace(id, std::move(it->second));
  state_.clusters.erase(it);
}

void Ledger::set_framework(FrameworkId id) {
  state_.framework = std::move(id);
  framework_dirty_ = true;
}

void Ledger::retire_framework() {
  MYSOS_ASSERT(state_.framework.has_value(), "only a framework that was registered can be removed");
  state_.former.insert(*state_.framework);
  state_.framework.reset();
  framework_dirty_ = true;
}

void Ledger::set_orphan(const std::string& resource_id, OrphanWord word) {
  state_.orphans.insert_or_assign(resource_id, std::move(word));
  dirty_orphans_.insert(resource_id);
}
void Ledger::erase_orphan(const std::string& resource_id) {
  state_.orphans.erase(resource_id);
  dirty_orphans_.insert(resource_id);
}

void Ledger::event(EventText text) {
  out_.events.push_back(Event{.kind = text.kind, .message = std::move(text.message), .by = caller_});
}
void Ledger::event(const Cluster& cluster, EventText text) {
  event(cluster, MemberId(), std::move(text));
}
void Ledger::event(const Cluster& cluster, const MemberId& member, EventText text) {
  out_.events.push_back({text.kind, cluster.id, cluster.spec.name, member.value, std::move(text.message),
                         cluster.epoch.pair, std::move(text.cause), std::move(text.took_ms), caller_});
}

void Ledger::call(mesos::Call call) {
  if (calls_open_) out_.calls.push_back(std::move(call));
}

void Ledger::reply(RequestId request, Result<ClusterId> result) {
  out_.replies.push_back({std::move(request), std::move(result)});
}

void Ledger::seal() {
  if (std::exchange(framework_dirty_, false)) out_.records.push_back(framework_record(state_));
  for (const auto& [id, before] : std::exchange(before_, {})) {
    const Cluster* after = find(id);
    if (after != nullptr) index(*after);
    if (!before && after == nullptr) continue;
    std::ranges::move(cluster_records(before ? &*before : nullptr, after), std::back_inserter(out_.records));
  }
  for (const std::string& id : std::exchange(dirty_orphans_, {})) {
    const auto found = state_.orphans.find(id);
    out_.records.push_back(orphan_record(id, found == state_.orphans.end() ? nullptr : &found->second));
  }
}

}  // namespace mysos
