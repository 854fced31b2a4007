// SPDX-License-Identifier: Apache-2.0
#pragma once
// What may be done to a running MySQL server to change its role, one step at a time. MemberCore
// decides the order (the order is the safety: docs/architecture.md, "Epochs"); mysql/ carries a
// step out on a real server of either flavour, the simulator on its own. A step that fails ends its
// plan; every step may be repeated.
#include <cstdint>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/gtid.h"
#include "model/ids.h"
#include "model/log_position.h"

namespace mysos::step {

struct KillClients {
  bool operator==(const KillClients&) const = default;
};  // all but replication and our own sessions
struct SetReadOnly {
  bool on = true;
  bool operator==(const SetReadOnly&) const = default;
};  // super_read_only where there is one
struct SemiSyncSource {
  std::uint32_t d = 0;
  bool operator==(const SemiSyncSource&) const = default;
};  // 0 = off; else no time-out, no fall-back to async
struct SemiSyncReplica {
  bool on = false;
  bool operator==(const SemiSyncReplica&) const = default;
};  // takes effect when the receiver next starts. On: each event is durable in the relay log before it is acknowledged. Off: it
    // need not be (it would cost a silent replica most of its speed), until SyncRelayLog
struct SyncRelayLog {
  bool operator==(const SyncRelayLog&) const = default;
};  // all that was received is durable once it returns; the receiver is stopped
struct StopReceiver {
  bool operator==(const StopReceiver&) const = default;
};  // returns once it is seen stopped; applier goes on
struct StopReplication {
  bool operator==(const StopReplication&) const = default;
};  // receiver, then drain nothing, then applier
// MariaDB throws the relay log away when replication starts after both threads had stopped. Where the relay log holds
// transactions that the server has not executed, the step fails instead, unless `relay_log_may_go`.
struct StartReplication {
  bool relay_log_may_go = false;
  bool operator==(const StartReplication&) const = default;
};
struct ForgetSource {
  bool operator==(const ForgetSource&) const = default;
};  // RESET REPLICA ALL; the relay log must be drained
// Makes the replication accounts of `replicas` where missing (locally, without binlog), locks those
// of `shut_out` and kills their dump threads, unlocks the rest.
struct ShutOut {
  std::set<MemberId> replicas;
  std::set<MemberId> shut_out;
  bool operator==(const ShutOut&) const = default;
};
// Returns once the receiver has received all of `set`; also where it cannot come, or not within a moment: who asks looks.
struct AwaitReceived {
  GtidSet set;
  bool operator==(const AwaitReceived&) const = default;
};
// Starts an applier that has stopped. Fails where the receiver does not run and the server would throw its relay log away
// (MariaDB, where neither runs).
struct StartApplier {
  bool operator==(const StartApplier&) const = default;
};
// Keeps the relay logs aside on the volume, where they hold what the server has not executed. Replication is stopped.
struct KeepRelayLog {
  std::uint64_t epoch = 0;  // in which it is given up: names the folder
  GtidSet rest;             // what the server has received and not executed
  bool operator==(const KeepRelayLog&) const = default;
};
// Forgets the source and the relay log, whatever that still holds. Replication is stopped.
struct AbandonRelayLog {
  bool operator==(const AbandonRelayLog&) const = default;
};
// Returns once all that was received is executed (stops the receiver). MariaDB never executes the rest where the applier has
// stopped, too: then it returns at once, and whoever needs the rest asks for it (RequireExecuted).
struct Drain {
  bool operator==(const Drain&) const = default;
};
// Points the receiver at a source, with this member's own replication account. Never with both
// threads stopped before the relay log is drained (MariaDB throws it away): the step leaves the applier running where the
// server can (MySQL), and drains first where not. Where the applier stops before all is executed, the step fails, unless
// `relay_log_may_go`.
struct SetSource {
  std::string host;
  std::uint16_t port = 0;
  bool relay_log_may_go = false;
  bool operator==(const SetSource&) const = default;
};
// Fails unless the server has executed all of it (after a fresh read).
struct RequireExecuted {
  GtidSet set;
  bool operator==(const RequireExecuted&) const = default;
};
// Fails unless received + executed is contained in `set` (after a fresh read; the receiver must be
// stopped).
struct RequireContainedIn {
  GtidSet set;
  bool operator==(const RequireContainedIn&) const = default;
};

}  // namespace mysos::step

namespace mysos {
using ServerStep = std::variant<step::KillClients, step::SetReadOnly, step::SemiSyncSource,
                                step::SemiSyncReplica, step::StopReceiver, step::StopReplication,
                                step::StartReplication, step::ForgetSource, step::ShutOut,
                                step::SetSource, step::RequireExecuted, step::RequireContainedIn,
                                step::AwaitReceived, step::Drain, step::SyncRelayLog, step::StartApplier,
                                step::KeepRelayLog, step::AbandonRelayLog>;
std::string describe(const ServerStep& step);

// Why the receiver or the applier of a server stopped or fails, in the server's own words; number 0: there is no error.
struct ReplicationError {
  std::uint32_t number = 0;
  std::string text;
  [[nodiscard]] bool any() const { return number != 0; }
  bool operator==(const ReplicationError&) const = default;
};

// What a receiver has heard of its source. It differs from one read to the next whenever anything came: an event or, where
// there is none, a heartbeat.
struct Heard {
  std::uint64_t heartbeats = 0;
  LogPosition position;  // in the source's binlog
  bool operator==(const Heard&) const = default;
};

// What a server says of itself, in one read.
struct ServerSnapshot {
  bool read_only = true;
  GtidSet executed;               // in its own binlog, durable
  // What the server has ever written to its binlog, as it knows: only a reset of the binary logs takes anything out of it.
  // Empty where the server is not asked.
  GtidSet logged;
  // MySQL: its own commits that are in its binlog, or about to be, and not in `executed` yet: they wait for an acker. Read
  // before `executed`, so that none is in neither.
  GtidSet in_flight;
  GtidSet received;               // in its relay log or executed (so it contains executed)
  bool receiver_running = false;  // the thread exists (it may be retrying)
  bool receiver_connected = false;  // as it believes: of a silent source it does for net_timeout
  Heard heard;
  std::string receiver_host;  // the source it is pointed at, "" = none
  std::uint16_t receiver_port = 0;
  bool applier_running = false;
  std::uint32_t semi_sync_d = 0;  // source side; 0 = off
  bool semi_sync_replica = false;
  std::uint32_t semi_sync_clients = 0;  // acking replicas connected to this source
  bool commits_stuck = false;  // they wait although enough of those are connected, and a further commit did not help
  std::int64_t lag_ms = -1;             // -1 = unknown or not a replica
  // MySQL: where its own binlog ends, and how far it has received that of its source. A commit is in the binlog before it is in
  // `executed`, and may be acknowledged in between (docs/model/code.md): who has received up to binlog_end has it too.
  LogPosition binlog_end;
  LogPosition received_end;
  bool binlog_complete = true;          // nothing was ever purged: a new member can replay it all
  bool binlog_gone = false;  // the source refused: it does not have any more what this replica would need next (error 1236)
  ReplicationError receiver_error;
  ReplicationError applier_error;
  std::string last_error;               // the words of one of the two
  std::string gtid_source;              // the left part of the GTIDs that the server gives to its own transactions
  bool operator==(const ServerSnapshot&) const = default;
};
}  // namespace mysos
