// SPDX-License-Identifier: Apache-2.0
#pragma once
// The kinds of things that go wrong (nemesis.h).
#include <array>

#include "base/json.h"

namespace mysos::sim {

enum class Fault {
  kServer,         // a mysqld dies
  kPrimaryServer,  // ... that serves
  kAllServers,
  kExecutor,           // an executor dies beside its living mysqld
  kExecutorPromising,  // ... while its promise is being written
  kBoth,
  kContainer,
  kMachine,
  kPower,  // a machine, and with it what was not yet durable on its disks
  kAgent,  // the Mesos agent's process alone
  kMaster,
  kScheduler,
  kSchedulerSending,  // between a commit and what follows from it
  kCut,               // any two voices
  kIsolate,           // one voice, or a machine, hears nobody
  kUnwatched,         // the scheduler alone does not reach a member
  kReplicaCut,        // a replica and its primary
  kLateAcks,
  kSlowApplier,
  kLateShown,  // MySQL: commits are shown as executed long after they were acknowledged
  kSlowDisk,
  kStalledDisk,
  kFullDisk,
  kLostVolume,      // a member's volume comes back empty
  kFreezeExecutor,  // a process is stopped for a while and goes on
  kFreezeServer,
  kFreezeMachine,
  kFreezeScheduler,
  kStoreHangs,
  kStoreRefuses,
  kSecondScheduler,  // another one takes the lead, and the one before does not know
  kSlowMesos,
  kBrokenApplier,  // a user drops a table on a replica: its applier stops at the next transaction, each time
  kWrittenOn,      // a user's statement on a replica is written to its binlog
  kPutBack,  // the state of the schedulers is kept aside, and later put back
  kDroppedAccounts,   // a user drops accounts that members replicate with
  kConnectionStorm,   // an application takes all connections of a server: replicas get none for a while
  kFullStateDisk,     // the schedulers' store takes nothing for long
  kLogsReset,         // an administrator resets the binary logs of a server (RESET MASTER)
  kLogsPurged,        // ... or purges those of a primary
  kHeldLock,          // a lock that no session holds keeps an applier waiting: a prepared transaction's, for good
  kReaderLock,        // ... or a lock of a session that reads on a replica
  kStoppedOnce,       // an applier stops with an error, and would go on if it were started again
};
constexpr auto enum_names(Fault) {
  using enum Fault;
  return std::to_array<EnumName<Fault>>({{kServer, "server"},
                                         {kPrimaryServer, "primary-server"},
                                         {kAllServers, "all-servers"},
                                         {kExecutor, "executor"},
                                         {kExecutorPromising, "executor-promising"},
                                         {kBoth, "both"},
                                         {kContainer, "container"},
                                         {kMachine, "machine"},
                                         {kAgent, "agent"},
                                         {kMaster, "master"},
                                         {kScheduler, "scheduler"},
                                         {kSchedulerSending, "scheduler-sending"},
                                         {kCut, "cut"},
                                         {kIsolate, "isolate"},
                                         {kUnwatched, "unwatched"},
                                         {kReplicaCut, "replica-cut"},
                                         {kLateAcks, "late-acks"},
                                         {kSlowApplier, "slow-applier"},
                                         {kLateShown, "late-shown"},
                                         {kPower, "power"},
                                         {kSlowDisk, "slow-disk"},
                                         {kStalledDisk, "stalled-disk"},
                                         {kFullDisk, "full-disk"},
                                         {kLostVolume, "lost-volume"},
                                         {kFreezeExecutor, "freeze-executor"},
                                         {kFreezeServer, "freeze-server"},
                                         {kFreezeMachine, "freeze-machine"},
                                         {kFreezeScheduler, "freeze-scheduler"},
                                         {kStoreHangs, "store-hangs"},
                                         {kStoreRefuses, "store-refuses"},
                                         {kSecondScheduler, "second-scheduler"},
                                         {kSlowMesos, "slow-mesos"},
                                         {kBrokenApplier, "broken-applier"},
                                         {kWrittenOn, "written-on"},
                                         {kPutBack, "put-back"},
                                         {kDroppedAccounts, "dropped-accounts"},
                                         {kConnectionStorm, "connection-storm"},
                                         {kFullStateDisk, "full-state-disk"},
                                         {kLogsReset, "logs-reset"},
                                         {kLogsPurged, "logs-purged"},
                                         {kHeldLock, "held-lock"},
                                         {kReaderLock, "reader-lock"},
                                         {kStoppedOnce, "stopped-once"}});
}

}  // namespace mysos::sim
