// SPDX-License-Identifier: Apache-2.0
#pragma once
// Answers to POSTs with an Idempotency-Key, so that a repeated request is carried out once. Kept in
// memory: the newest kMaxIdempotencyKeys of the last kIdempotencyTime. A restart of the scheduler
// forgets them (then a second create of the same name is a conflict, never a second cluster).
// Errors of 5xx are not kept, because callers should try those requests again.
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/http/message.h"
#include "base/time.h"

namespace mysos {

inline constexpr std::size_t kMaxIdempotencyKeys = 1000;
inline constexpr std::size_t kMaxIdempotencyKeyLength = 255;
inline constexpr Duration kIdempotencyTime = std::chrono::hours(24);

class IdempotencyTable {
 public:
  struct Begun {};  // carry the request out, then call finish() or abandon()
  using Verdict = std::variant<Begun, HttpResponse, Error>;
  // HttpResponse: the earlier answer. kConflict: still under way. kInvalid: the key was used for
  // another request.
  Verdict begin(const std::string& key, const std::string& request, Instant now);
  void finish(const std::string& key, const HttpResponse& response);
  void abandon(const std::string& key);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string request;
    std::optional<HttpResponse> response;
    Instant begun;
  };
  void drop_old(Instant now);
  std::map<std::string, Entry> entries_;
  std::deque<std::string> order_;  // oldest first; a key may be gone already
};

}  // namespace mysos
