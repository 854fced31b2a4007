// SPDX-License-Identifier: Apache-2.0
#include "core/orphans.h"

#include <algorithm>

namespace mysos {

bool Orphans::found(const std::string& resource_id, Instant now) { return since_.emplace(resource_id, now).second; }

bool Orphans::due(const std::string& resource_id, Instant now) const {
  const auto it = since_.find(resource_id);
  return it != since_.end() && now >= it->second + grace_;
}

void Orphans::forget_old(Instant now) {
  std::erase_if(since_, [&](const auto& entry) { return now >= entry.second + grace_ + kForgetOrphanAfter; });
}

std::vector<std::string> Orphans::all_due(Instant now) const {
  std::vector<std::string> out;
  for (const auto& [id, since] : since_) {
    if (now >= since + grace_) out.push_back(id);
  }
  return out;
}

Instant Orphans::next(Instant now) const {
  Instant at = kNever;
  for (const auto& [id, since] : since_) {
    const Instant due_at = since + grace_;
    at = std::min(at, due_at > now ? due_at : due_at + kForgetOrphanAfter);
  }
  return at;
}

}  // namespace mysos
