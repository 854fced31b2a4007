// SPDX-License-Identifier: Apache-2.0
#include "store/memory_store.h"

#include <algorithm>
#include <ranges>

namespace mysos {

Status MemoryRecordStore::commit(Term term, const std::vector<RecordChange>& changes) {
  MYSOS_TRY_VOID(check_changes(changes));
  if (term != term_) return deposed(term, term_);
  for (const auto& change : changes) apply(change);
  return {};
}

void MemoryRecordStore::apply(const RecordChange& change) {
  if (const auto* put = std::get_if<PutRecord>(&change)) {
    records_[put->kind][put->key] = put->json;
    return;
  }
  const auto& erase = std::get<EraseRecord>(change);
  const auto kind = records_.find(erase.kind);
  if (kind == records_.end()) return;
  kind->second.erase(erase.key);
  if (kind->second.empty()) records_.erase(kind);
}

Result<std::uint64_t> MemoryEventLog::append(const std::vector<NewEvent>& events) {
  MYSOS_TRY_VOID(check_events(events));
  for (const NewEvent& event : events) {
    events_.push_back({{++last_seq_, event.cluster, event.time_ms, event.json}, event.cluster_name});
    if (events_.size() > max_events_) events_.pop_front();
  }
  return last_seq_;
}

Result<std::vector<StoredEvent>> MemoryEventLog::read(const EventQuery& query) {
  std::vector<StoredEvent> found;
  for (const auto& [event, name] : events_) {
    if (found.size() == query.limit) break;
    if (event.seq > query.after_seq && (!query.cluster || event.cluster == *query.cluster)) found.push_back(event);
  }
  return found;
}

Result<std::string> MemoryEventLog::newest_named(const std::string& cluster_name) {
  for (const Kept& kept : events_ | std::views::reverse) {
    if (kept.cluster_name == cluster_name && !kept.event.cluster.empty()) return kept.event.cluster;
  }
  return std::string();
}

}  // namespace mysos
