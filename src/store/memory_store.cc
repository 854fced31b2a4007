// SPDX-License-Identifier: Apache-2.0
#include "store/memory_store.h"

#include <algorithm>

namespace mysos {

Result<Snapshot> MemoryStore::load() { return records_; }

Status MemoryStore::commit(const std::vector<StoreChange>& changes) {
  MYSOS_TRY_VOID(check_changes(changes));
  if (failures_ > 0) {
    --failures_;
    return fail(Errc::kIo, "the store fails, as it was told to");
  }
  for (const auto& change : changes) apply(change);
  return {};
}

void MemoryStore::apply(const StoreChange& change) {
  if (const auto* put = std::get_if<PutRecord>(&change)) {
    records_[put->kind][put->key] = put->json;
  } else if (const auto* erase = std::get_if<EraseRecord>(&change)) {
    const auto kind = records_.find(erase->kind);
    if (kind == records_.end()) return;
    kind->second.erase(erase->key);
    if (kind->second.empty()) records_.erase(kind);
  } else if (const auto* event = std::get_if<AppendEvent>(&change)) {
    events_.push_back({++last_seq_, event->cluster, event->time_ms, event->json});
    if (events_.size() > max_events_) events_.pop_front();
  }
}

Result<std::vector<StoredEvent>> MemoryStore::events(const EventQuery& query) {
  std::vector<StoredEvent> found;
  const auto first = std::ranges::upper_bound(events_, query.after_seq, {}, &StoredEvent::seq);
  for (auto event = first; event != events_.end() && found.size() < query.limit; ++event) {
    if (!query.cluster || event->cluster == *query.cluster) found.push_back(*event);
  }
  return found;
}

Result<std::uint64_t> MemoryStore::last_event_seq() { return last_seq_; }

}  // namespace mysos
