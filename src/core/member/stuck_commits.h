// SPDX-License-Identifier: Apache-2.0
#pragma once
// Stuck commits: a primary's commits wait although enough ackers are connected. A replica that connects acknowledges nothing
// that it already holds, so such a commit is acknowledged only together with the next commit (docs/mysql.md). If no client
// makes a commit, the executor makes one. Pure: decides when.
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "model/server_step.h"

namespace mysos {

class StuckCommits {
 public:
  static constexpr Duration kAfter = std::chrono::milliseconds(300);
  static constexpr Duration kMost = std::chrono::seconds(30);  // the longest pause between two tries
  static constexpr std::uint32_t kHopeless = 2;                // tries that did not help: MariaDB makes no room for another
                                                               // commit while one group waits and the next is written
  static constexpr Duration kHeld = std::chrono::seconds(2);   // MySQL makes room for ever more, and none is acknowledged

  // `waited`: commits that wait for acknowledgements. `acknowledged`: those that the server has counted since it started.
  // True: make one now.
  bool look(const ServerSnapshot& seen, std::uint32_t waited, std::uint64_t acknowledged, Instant now);

  // Commits wait, and a further one does not help.
  [[nodiscard]] bool hopeless() const { return tries_ > kHopeless || held_; }

 private:
  void look_at_first(const ServerSnapshot& seen, bool waits, Instant now);

  GtidSet written_;                // all that is in the binlog
  std::uint64_t acknowledged_ = 0;
  std::optional<Instant> since_;   // commits have waited with that
  Duration wait_ = kAfter;
  std::uint32_t tries_ = 0;
  GtidSet first_;                  // in flight when commits began to wait; none of them has ended
  Instant first_since_{};
  bool held_ = false;
};

}  // namespace mysos
