// SPDX-License-Identifier: Apache-2.0
#pragma once
// When a primary's commits wait although enough ackers are connected. A replica that connects acknowledges nothing of what it
// holds already, so a commit that waits for just that is acknowledged only with the next one (docs/mysql.md). Where no client
// makes a next one, the executor does. Pure: it decides when.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "model/server_step.h"

namespace mysos {

class StuckCommits {
 public:
  static constexpr Duration kAfter = std::chrono::milliseconds(300);
  static constexpr Duration kMost = std::chrono::seconds(30);  // between two tries: an acker that is stopped takes none
  static constexpr std::uint32_t kHopeless = 2;                // tries that did not help: MariaDB makes no room for another
                                                               // commit while one group waits and the next is written

  // `waited`: commits that wait for acknowledgements. True: make one now.
  bool look(const ServerSnapshot& seen, std::uint32_t waited, Instant now) {
    const bool may_be = !seen.read_only && seen.semi_sync_d > 0 && seen.semi_sync_clients >= seen.semi_sync_d;
    const GtidSet written = seen.executed.united(seen.in_flight);
    if (waited == 0) wait_ = kAfter;
    if (waited == 0 || !may_be || written != written_) tries_ = 0;
    if (waited == 0 || !may_be || !since_ || written != written_) {
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

  // Commits wait, and a further one does not help.
  [[nodiscard]] bool hopeless() const { return tries_ > kHopeless; }

 private:
  GtidSet written_;                // all that is in the binlog
  std::optional<Instant> since_;   // commits have waited with that
  Duration wait_ = kAfter;
  std::uint32_t tries_ = 0;
};

}  // namespace mysos
