// SPDX-License-Identifier: Apache-2.0
#pragma once
// The steps that change the role of a running MySQL server. MemberCore decides their order, on
// which safety depends (docs/architecture.md, "Epochs"). mysql/ carries a step out on a real server
// of either flavour, and the simulator on a simulated one. A step that fails ends its plan. Every
// step may be repeated.
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
};  // takes effect when the receiver next starts. On: each event is durable in the relay log before it is acknowledged. Off:
    // events are not durable before SyncRelayLog (syncing each event would slow a silent replica down)
struct SyncRelayLog {
  bool operator==(const SyncRelayLog&) const = default;
};  // when it returns, everything received is durable; the receiver must be stopped
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
// Waits a moment for the receiver to receive `set`. Returns in any case, so the caller must check.
struct AwaitReceived {
  GtidSet set;
  bool operator==(const AwaitReceived&) const = default;
};
// Starts an applier that has stopped. Fails if the receiver does not run and the server would therefore throw its relay log
// away (MariaDB).
struct StartApplier {
  bool operator==(const StartApplier&) const = default;
};
// Keeps the relay logs aside on the volume if they hold what the server has not executed. Replication must be stopped.
struct KeepRelayLog {
  std::uint64_t epoch = 0;  // in which they are given up; names the folder
  GtidSet rest;             // what the server has received and not executed
  bool operator==(const KeepRelayLog&) const = default;
};
// Forgets the source and the relay log, even if the relay log holds unexecuted transactions. Replication must be stopped.
struct AbandonRelayLog {
  bool operator==(const AbandonRelayLog&) const = default;
};
// Stops the receiver and returns when everything received is executed. If the applier has stopped too, MariaDB never executes
// the rest. Then the step returns at once, and a plan that needs the rest must ask for it (RequireExecuted).
struct Drain {
  bool operator==(const Drain&) const = default;
};
// Points the receiver at a source, with this member's own replication account. Both threads must never be stopped before the
// relay log is executed, because MariaDB would throw it away. So the step leaves the applier running where the server allows
// that (MySQL), and otherwise executes everything first. If the applier stops before that, the step fails, unless
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

// The server's own error of its receiver or applier. number 0: no error.
struct ReplicationError {
  std::uint32_t number = 0;
  std::string text;
  [[nodiscard]] bool any() const { return number != 0; }
  bool operator==(const ReplicationError&) const = default;
};

// What a receiver last received from its source. It changes between two reads whenever an event or a heartbeat has
// come.
struct Heard {
  std::uint64_t heartbeats = 0;
  LogPosition position;  // in the source's binlog
  bool operator==(const Heard&) const = default;
};

// The state of a server, in one read.
struct ServerSnapshot {
  bool read_only = true;
  GtidSet executed;               // in its own binlog, durable
  // Everything that the server has written to its binlog, by its own account. Only a reset of the binary logs removes anything
  // from this set. Empty if it was not read.
  GtidSet logged;
  // MySQL: its own commits that are in its binlog, or about to be, and not in `executed` yet, because they wait for an acker.
  // Read before `executed`, so every commit is in one of the two.
  GtidSet in_flight;
  GtidSet received;               // in its relay log or executed (so it contains executed)
  bool receiver_running = false;  // the thread exists, but may be connecting again
  bool receiver_connected = false;  // by the server's status, which stays so for net_timeout after the source fell silent
  Heard heard;
  std::string receiver_host;  // the configured source, "" = none
  std::uint16_t receiver_port = 0;
  bool applier_running = false;
  std::uint32_t semi_sync_d = 0;  // source side; 0 = off
  bool semi_sync_replica = false;
  std::uint32_t semi_sync_clients = 0;  // acking replicas connected to this source
  bool commits_stuck = false;  // commits wait although enough ackers are connected, and a further commit did not help
  std::int64_t lag_ms = -1;             // -1 = unknown or not a replica
  // MySQL: the end of its own binlog, and the position up to which it has received its source's. A commit is in the binlog
  // before it is in `executed`, and may be acknowledged in between (docs/model/code.md). A replica that received up to
  // binlog_end has it.
  LogPosition binlog_end;
  LogPosition received_end;
  bool binlog_complete = true;          // nothing was ever purged, so a new member can replay everything
  bool binlog_gone = false;  // the source has purged what this replica needs next (error 1236)
  ReplicationError receiver_error;
  ReplicationError applier_error;
  std::string last_error;               // the last error of the receiver or the applier
  std::string gtid_source;              // the left part of the GTIDs that the server gives to its own transactions
  bool operator==(const ServerSnapshot&) const = default;
};
}  // namespace mysos
