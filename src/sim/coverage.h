// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a batch of seeds exercised. A checker that never had a chance to fail proves nothing. So each
// checker marks its chances here, and a batch fails if a mark stays at zero.
#include <array>
#include <cstdint>
#include <string_view>

namespace mysos::sim {

enum class Mark {
  kWriteAcked,    // a client was told OK
  kAckByReplica,  // ... and a replica's acknowledgement released it
  kAckSolo,       // ... by a solo primary
  kS1Election,    // a record named a primary while acknowledged writes existed
  kS1Failover,    // ... another one than before
  kS2LateAck,     // an older primary released a commit after a later one had opened
  kS3Checked,
  kS4Named,                // a commit was released in normal mode
  kQuorumChecked,          // a record was compared with what its ackers hold
  kNamedChecked,           // a record named ackers, and what its scheduler knew of them was looked at
  kS5Follower,             // a follower of the recorded primary was compared with it
  kS6Writable,             // a writable member was compared with others
  kS6Stale,                // ... while an older primary was still writable
  kErrantTail,             // a server came back with transactions nobody had acknowledged
  kRebuild,                // data were thrown away by order
  kSeeded,                 // ... and another member's were copied
  kSeedCutOff,             // a copy was cut off
  kSeedUnderElection,      // a copy went on while another primary was elected
  kServerIdOfItsOwn,       // a server started on data that were rebuilt
  kErrantKept,             // errant transactions were kept aside before
  kAmnesia,                // a relay log was lost
  kKnown,                  // ... and what was in it is known
  kUnseenCommits,          // a read of a MySQL server did not show a commit that waited for an acker
  kInFlightHeld,           // who began to follow held a commit that its source had not executed yet
  kHungReadOnly,           // read-only waited for commits that waited for acknowledgements
  kPromiseLostBeforeSync,  // an executor died before its promise was durable
  kPromiseKeptUnseen,      // ... after it was, before anything followed
  kPromiseRefused,         // a promise was kept only at a later try, since the volume was full
  kAdopted,                // an executor came back to a living mysqld
  kSchedulerCrash,         // the scheduler died
  kSchedulerCrashUnsent,   // ... between a commit and what follows from it
  kSourceSilent,   // a receiver heard nothing for a while, and believed to be connected
  kServerSilent,   // a server did not answer its executor for a while
  kAlone,          // a primary reached nobody, and still served
  kIsolated,       // a primary stopped serving because it reached nobody
  kOrderRefused,           // an order came below the promise
  kSwitchover,
  kSwitchoverNotBegun,  // its target was too far behind: it was given up, and nobody was fenced
  kSwitchoverBack,      // ... in the middle of its election: the old primary goes on
  kFailoverAsked,
  kVolumeLost,     // a member came back with an empty volume
  kVolumeBack,     // ... and later with the one that it had lost
  kLossAccepted,   // an operator accepted that writes are lost
  kForced,         // ... and a primary was chosen without proof
  kGivenUp,        // ... that lacked acknowledged writes, or an older one acknowledged some later
  kDeleted,  // a deleted cluster was found to have left nothing
  kAgentCrash,
  kPowerLost,         // a machine lost its power, and writes that were not durable
  kRelayTorn,         // ... or received transactions of a silent replica
  kUnsyncedKept,      // a server died alone, and kept writes that were not durable yet
  kWriteTrouble,      // an executor said that nothing can be written to its volume
  kDiskStalled,       // something had to wait for a stalled disk
  kFrozenExecutor,    // a process was stopped, and went on with what had come meanwhile
  kFrozenServer,      // ...
  kFrozenScheduler,   // ...
  kDoubledOrder,      // an order came twice
  kOvertakenOrder,    // ... or after a later one
  kStoreHung,         // a record was durable late
  kStoreRefused,      // ... or at a later try
  kDeposed,           // a transaction of a scheduler that leads no more was refused
  kDeposedOrder,      // an order of such a one came to a member
  kMesosLate,         // offers, updates or calls were late
  kPushed,            // commits waited for what ackers held already: a further one was made
  kStuck,             // ... and did not help
  kNamedOutside,      // nobody acknowledged, and an acker was named before it was let in
  kHeldCommits,       // MariaDB: sessions could not be ended, as commits waited for acknowledgements
  kApplierStopped,    // an applier stopped for good
  kWrittenOn,         // a user wrote on a replica
  kRelayGivenUp,      // a relay log that nobody could execute was kept aside by a new primary
  kRebuildNamed,      // a replica was named whose data may be thrown away
  kHealthyChecked,    // a cluster that was harmed said that it is healthy, and its replicas were looked at
  kOneAtATime,        // a replica had no data, and the others were counted
  kPutBack,      // the state was put back to an earlier one
  kOldRecord,    // ... and the record of a cluster was behind what had been decided
  kForgotten,    // ... in which a cluster that lives is not known
  kFoldChecked,  // the state was compared with the fold of its records
  kDestroyed,          // a volume with data was destroyed, and it was looked up who wanted that
  kOrphanDestroyed,    // ... one that no member owned
  kOrphanKept,         // one that no member owned was there at the end
  kThrownAway,         // a member threw data away, and it was looked up whether that was decided
  kAccountDropped,     // an account that a member replicates with was dropped
  kAccountRestored,    // ... and put back by the executor
  kTurnedAway,         // a replica got no connection to its source
  kDecidedUndurable,   // a scheduler went on while its store took nothing
  kLogsReset,          // binary logs were reset
  kPrimaryReset,       // ... those of a primary
  kResetKnown,         // ... and its executor has promised it
  kNameReused,         // a write was acknowledged under a name that another had borne before
  kLogsPurged,         // a primary's binary logs were purged
  kApplierWaited,      // an applier waited for a lock that no session holds, and its executor saw it
  kReaderEnded,        // a session was ended that an applier waited for
  kApplierWentOn,      // an applier that had stopped once was started again, and went on
  kClusterAdopted,     // a cluster that a state did not know was taken back by an operator
  kAdoptedServes,      // ... and converged
  kPrimaryDied,        // of a cluster that said to be healthy, with nobody to help
  kReplicaDied,        // ...
  kConverged,
  kCount,
};

constexpr std::array<std::string_view, static_cast<std::size_t>(Mark::kCount)> kMarkNames = {
    "write_acked",
    "ack_by_replica",
    "ack_solo",
    "s1_election",
    "s1_failover",
    "s2_late_ack",
    "s3_checked",
    "s4_named",
    "quorum_checked",
    "named_checked",
    "s5_follower",
    "s6_writable",
    "s6_stale",
    "errant_tail",
    "rebuild",
    "seeded",
    "seed_cut_off",
    "seed_under_election",
    "server_id_of_its_own",
    "errant_kept",
    "amnesia",
    "known",
    "unseen_commits",
    "in_flight_held",
    "hung_read_only",
    "promise_lost_before_sync",
    "promise_kept_unseen",
    "promise_refused",
    "adopted",
    "scheduler_crash",
    "scheduler_crash_unsent",
    "source_silent",
    "server_silent",
    "alone",
    "isolated",
    "order_refused",
    "switchover",
    "switchover_not_begun",
    "switchover_back",
    "failover_asked",
    "volume_lost",
    "volume_back",
    "loss_accepted",
    "forced",
    "given_up",
    "deleted",
    "agent_crash",
    "power_lost",
    "relay_torn",
    "unsynced_kept",
    "write_trouble",
    "disk_stalled",
    "frozen_executor",
    "frozen_server",
    "frozen_scheduler",
    "doubled_order",
    "overtaken_order",
    "store_hung",
    "store_refused",
    "deposed",
    "deposed_order",
    "mesos_late",
    "pushed",
    "stuck",
    "named_outside",
    "held_commits",
    "applier_stopped",
    "written_on",
    "relay_given_up",
    "rebuild_named",
    "healthy_checked",
    "one_at_a_time",
    "put_back",
    "old_record",
    "forgotten",
    "fold_checked",
    "destroyed",
    "orphan_destroyed",
    "orphan_kept",
    "thrown_away",
    "account_dropped",
    "account_restored",
    "turned_away",
    "decided_undurable",
    "logs_reset",
    "primary_reset",
    "reset_known",
    "name_reused",
    "logs_purged",
    "applier_waited",
    "reader_ended",
    "applier_went_on",
    "cluster_adopted",
    "adopted_serves",
    "primary_died",
    "replica_died",
    "converged"};

class Coverage {
 public:
  void hit(Mark m) { ++counts_[static_cast<std::size_t>(m)]; }
  [[nodiscard]] std::uint64_t of(Mark m) const { return counts_[static_cast<std::size_t>(m)]; }
  void add(const Coverage& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Mark::kCount)> counts_{};
};

}  // namespace mysos::sim
