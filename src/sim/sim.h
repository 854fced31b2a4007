// SPDX-License-Identifier: Apache-2.0
#pragma once
// What all parts of one simulated world share: clock, randomness, network, story, coverage, the first
// violation. One world per seed and thread; worlds share nothing. Parts are made once and live as long
// as the world. A part "dies" by raising the number of its life; its events in the queue then have an
// old number and do nothing.
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "model/cluster.h"
#include "sim/coverage.h"
#include "sim/event_queue.h"
#include "sim/network.h"
#include "sim/trace.h"

namespace mysos::sim {

// Deliberate bugs in the simulator's own layers: each must be found, or the checkers prove nothing.
enum class Mutation {
  kNone,
  kVolatilePromise,     // the executor's promise is forgotten when it dies
  kAckWithoutAcker,     // a server answers its clients before any replica has acknowledged
  kReceiverRunsOn,      // "stop the receiver" answers while it still receives and acknowledges
  kRelayLost,           // a MySQL server forgets its relay log at a restart (relay_log_recovery=1)
  kKnownTooLittle,      // what is read of a relay log before a restart lacks its end
  kLockIgnored,         // a server lets in replicas whose accounts are locked
  kKillClientsIgnored,  // sessions survive, so that turning semi-sync off releases their commits
  kKillReleases,        // KILL acknowledges what others wait for (MariaDB without BLOCK_COMMIT)
  kFsyncLies,           // a machine without power loses what it had said to be durable
  kTailTruncated,       // a restarted server cuts the end off its binlog (init-rpl-role=SLAVE)
  kStoreForgets,        // the scheduler's store loses the last transaction when the scheduler dies
  kStoreForAll,         // the store takes transactions of a scheduler that leads no more
  kSendBeforeCommit,    // orders and calls leave before their records are durable
  kActWhileUndurable,   // ... only where the store has taken nothing for a while
  kGuardSleeps,         // accounts that were dropped are not put back
  kGuardLetsIn,         // ... are put back unlocked, all of them
};
constexpr auto enum_names(Mutation) {
  using enum Mutation;
  return std::to_array<EnumName<Mutation>>({{kNone, "none"},
                                            {kVolatilePromise, "volatile-promise"},
                                            {kAckWithoutAcker, "ack-without-acker"},
                                            {kReceiverRunsOn, "receiver-runs-on"},
                                            {kRelayLost, "relay-lost"},
                                            {kKnownTooLittle, "known-too-little"},
                                            {kLockIgnored, "lock-ignored"},
                                            {kKillClientsIgnored, "kill-clients-ignored"},
                                            {kKillReleases, "kill-releases"},
                                            {kFsyncLies, "fsync-lies"},
                                            {kTailTruncated, "tail-truncated"},
                                            {kStoreForgets, "store-forgets"},
                                            {kStoreForAll, "store-for-all"},
                                            {kSendBeforeCommit, "send-before-commit"},
                                            {kActWhileUndurable, "act-while-undurable"},
                                            {kGuardSleeps, "guard-sleeps"},
                                            {kGuardLetsIn, "guard-lets-in"}});
}

using TxnId = std::uint32_t;

// One transaction, wherever it is held.
struct Txn {
  std::string source;  // who first wrote it: the left part of its GTID
  std::uint64_t number = 0;
  std::uint64_t write = 0;  // the client's, 0 = an account
};
constexpr std::uint64_t kNobodysWrite = UINT64_MAX;  // an executor's, that others may go on
constexpr std::uint64_t kLocalWrite = UINT64_MAX - 1;  // a user's on a replica: never acknowledged

struct Sim {
  Sim(std::uint64_t seed, std::size_t nodes, Mutation mutation_, Trace::Listener listener)
      : prng(seed),
        mutation(mutation_),
        trace(std::move(listener)),
        network(queue, prng.fork(), nodes) {}

  EventQueue queue;
  Prng prng;
  Mutation mutation;
  Trace trace;
  Network network;
  Coverage coverage;
  std::vector<Txn> txns;
  bool calm = false;  // all faults have ended: what still goes wrong is the brains' own doing
  std::uint64_t datadirs_made = 0;
  std::map<std::pair<ClusterId, std::uint32_t>, std::uint64_t> server_ids;  // whose servers ran under them: serial of the data
  bool resets = false;  // binary logs may be reset in this world
  std::uint64_t container_changes = 0;  // containers that began or ended
  std::optional<std::string> violation;  // the first one; the world stops there

  [[nodiscard]] Instant now() const { return queue.now(); }
  template <class F>
  void after(Duration delay, F&& run) {
    queue.after(delay, std::forward<F>(run));
  }
  Duration between(Duration low, Duration high) {
    return low + Duration(static_cast<Duration::rep>(
                     prng.below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  void violate(std::string what) {
    trace.tell(now(), [&] { return "VIOLATION " + what; });
    if (!violation) violation = std::move(what);
  }
  template <class Line>
  void tell(Line line) {
    trace.tell(now(), line);
  }
};

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Who speaks on the network. Each machine has three voices, so that each can be cut off alone.
inline constexpr Node kSchedulerNode = 0;
inline constexpr Node kMasterNode = 1;
inline constexpr Node kClientNode = 2;  // and the next ones
inline constexpr Node kClientNodes = 2;
inline constexpr Node executor_node(std::uint32_t machine) {
  return kClientNode + kClientNodes + machine * 3;
}
inline constexpr Node server_node(std::uint32_t machine) { return executor_node(machine) + 1; }
inline constexpr Node agent_node(std::uint32_t machine) { return executor_node(machine) + 2; }

}  // namespace mysos::sim
