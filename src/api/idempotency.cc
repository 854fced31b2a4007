// SPDX-License-Identifier: Apache-2.0
#include "api/idempotency.h"

#include <algorithm>

namespace mysos {

IdempotencyTable::Verdict IdempotencyTable::begin(const std::string& key,
                                                  const std::string& request, Instant now) {
  if (key.empty() || key.size() > kMaxIdempotencyKeyLength) {
    return Error{Errc::kInvalid, "Idempotency-Key must be 1 to 255 characters", "Idempotency-Key"};
  }
  drop_old(now);
  const auto [at, fresh] = entries_.try_emplace(key, Entry{request, std::nullopt, now});
  if (fresh) {
    order_.push_back(key);
    return Begun{};
  }
  const Entry& entry = at->second;
  if (entry.request != request) {
    return Error{Errc::kInvalid, "this Idempotency-Key was used with another request",
                 "Idempotency-Key"};
  }
  if (!entry.response)
    return Error{Errc::kConflict, "the request with this Idempotency-Key is still under way", {}};
  return *entry.response;
}

void IdempotencyTable::finish(const std::string& key, const HttpResponse& response) {
  if (response.status >= 500) {
    abandon(key);
  } else if (const auto at = entries_.find(key); at != entries_.end()) {
    at->second.response = response;
  }
}

void IdempotencyTable::abandon(const std::string& key) {
  entries_.erase(key);
  std::erase(order_, key);
}

void IdempotencyTable::drop_old(Instant now) {
  while (!order_.empty()) {
    const auto at = entries_.find(order_.front());
    const bool expired = at != entries_.end() && at->second.begun + kIdempotencyTime <= now;
    if (at != entries_.end() && !expired && entries_.size() < kMaxIdempotencyKeys) break;
    if (at != entries_.end()) entries_.erase(at);
    order_.pop_front();
  }
}

}  // namespace mysos
