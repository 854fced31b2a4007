// SPDX-License-Identifier: Apache-2.0
#include "core/member/stuck_commits.h"

#include <algorithm>
#include <utility>

namespace mysos {

bool StuckCommits::look(const ServerSnapshot& seen, std::uint32_t waited, std::uint64_t acknowledged, Instant now) {
  const bool may_be = !seen.read_only && seen.semi_sync_d > 0 && seen.semi_sync_clients >= seen.semi_sync_d;
  look_at_first(seen, waited > 0 && may_be, now);
  const GtidSet written = seen.executed.united(seen.in_flight);
  // The tries before say nothing of an acker that has acknowledged since, or that was not connected then.
  const bool moved = acknowledged != std::exchange(acknowledged_, acknowledged);
  if (waited == 0 || !may_be || moved) {
    wait_ = kAfter;
    since_.reset();
  }
  if (!since_ || written != written_) tries_ = 0;
  if (!since_ || written != written_) {
    written_ = written;
    since_ = waited > 0 && may_be ? std::optional(now) : std::nullopt;
    return false;
  }
  if (now - *since_ < wait_) return false;
  since_ = now;
  wait_ = std::min(wait_ * 2, kMost);
  ++tries_;
  return true;
}

// Clients that try again, and the further commits themselves, change what is written. A replica that is connected and
// stopped acknowledges none of it: the commits that waited first go on waiting. Acknowledgements go in the order of the binlog.
void StuckCommits::look_at_first(const ServerSnapshot& seen, bool waits, Instant now) {
  if (!waits || first_.empty() || !seen.in_flight.contains(first_)) {
    first_ = waits ? seen.in_flight : GtidSet{};
    first_since_ = now;
  }
  held_ = !first_.empty() && now - first_since_ >= kHeld;
}

}  // namespace mysos
