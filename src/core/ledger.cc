// SPDX-License-Identifier: Apache-2.0
#include "core/ledger.h"

#include "base/assert.h"

namespace mysos {

const Cluster* Ledger::find(const ClusterId& id) const {
  const auto it = state_.clusters.find(id);
  return it == state_.clusters.end() ? nullptr : &it->second;
}

Cluster& Ledger::edit(const ClusterId& id) {
  const auto it = state_.clusters.find(id);
  MYSOS_ASSERT(it != state_.clusters.end(), "only a cluster that exists is changed");
  dirty_.insert(id);
  touched_.insert(id);
  return it->second;
}

void Ledger::add(Cluster cluster) {
  const ClusterId id = cluster.id;
  const bool added = state_.clusters.emplace(id, std::move(cluster)).second;
  MYSOS_ASSERT(added, "cluster ids are never reused");
  dirty_.insert(id);
  touched_.insert(id);
}

void Ledger::erase(const ClusterId& id) {
  const bool erased = state_.clusters.erase(id) == 1;
  MYSOS_ASSERT(erased, "only a cluster that exists is erased");
  dirty_.insert(id);
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
  out_.events.push_back(Event{.kind = std::move(text.kind), .message = std::move(text.message)});
}
void Ledger::event(const Cluster& cluster, EventText text) {
  event(cluster, MemberId(), std::move(text));
}
void Ledger::event(const Cluster& cluster, const MemberId& member, EventText text) {
  out_.events.push_back({std::move(text.kind), cluster.id, cluster.spec.name, member.value, std::move(text.message),
                         cluster.epoch.pair, std::move(text.cause), std::move(text.took_ms)});
}

void Ledger::call(mesos::Call call) {
  if (calls_open_) out_.calls.push_back(std::move(call));
}

void Ledger::reply(RequestId request, Result<ClusterId> result) {
  out_.replies.push_back({std::move(request), std::move(result)});
}

void Ledger::seal() {
  if (framework_dirty_) {
    Record id{"framework", "id", std::nullopt};
    if (state_.framework) id.json = to_json_text(*state_.framework);
    out_.records.insert(out_.records.begin(), std::move(id));
    if (!state_.former.empty()) {
      const std::vector<FrameworkId> former(state_.former.begin(), state_.former.end());
      out_.records.insert(out_.records.begin(), Record{"framework", "former", to_json_text(former)});
    }
    framework_dirty_ = false;
  }
  for (const ClusterId& id : dirty_) {
    const Cluster* cluster = find(id);
    Record record{"cluster", id.value, std::nullopt};
    if (cluster != nullptr) record.json = to_json_text(*cluster);
    out_.records.push_back(std::move(record));
  }
  dirty_.clear();
  for (const std::string& id : std::exchange(dirty_orphans_, {})) {
    const auto found = state_.orphans.find(id);
    Record record{"orphan", id, std::nullopt};
    if (found != state_.orphans.end()) record.json = to_json_text(found->second);
    out_.records.push_back(std::move(record));
  }
}

}  // namespace mysos
