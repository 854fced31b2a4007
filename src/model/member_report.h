// SPDX-License-Identifier: Apache-2.0
#pragma once
// An executor's report about its member (GET /v1/status, and each line of GET /v1/watch). Its orders: model/order.h.
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "model/epoch.h"
#include "model/gtid.h"
#include "model/ids.h"
#include "model/log_position.h"
#include "model/server_step.h"

namespace mysos {

enum class ServerState { kNone, kPreparing, kStarting, kRunning, kStopping, kExited, kBroken };
constexpr auto enum_names(ServerState) {
  using enum ServerState;
  return std::to_array<EnumName<ServerState>>({{kNone, "none"},
                                               {kPreparing, "preparing"},
                                               {kStarting, "starting"},
                                               {kRunning, "running"},
                                               {kStopping, "stopping"},
                                               {kExited, "exited"},
                                               {kBroken, "broken"}});
}

enum class MemberRole {
  kIdle,    // got no role at its promised pair, or could not obey: read-only, receiver
            // stopped, silent
  kFenced,  // promised an election: read-only, receiver stopped, silent
  kPrimary,
  kReplica,  // follows a source; acking says whether it acknowledges
  kErrant,   // ordered to follow, but holds transactions that the source lacks: idle until rebuilt
};
constexpr auto enum_names(MemberRole) {
  using enum MemberRole;
  return std::to_array<EnumName<MemberRole>>({{kIdle, "idle"},
                                              {kFenced, "fenced"},
                                              {kPrimary, "primary"},
                                              {kReplica, "replica"},
                                              {kErrant, "errant"}});
}

template <class Io>
void fields(Io& io, ReplicationError& e) {
  io("number", e.number);
  io("text", e.text);
}

// The address of another member's executor: members watch each other.
struct Peer {
  MemberId member;
  std::string host;
  std::uint16_t api_port = 0;
  auto operator<=>(const Peer&) const = default;
};
template <class Io>
void fields(Io& io, Peer& p) {
  io.required("member", p.member);
  io.required("host", p.host);
  io.required("api_port", p.api_port);
}

// The member from which another member copies its data.
struct Donor {
  MemberId member;
  std::string host;            // of its mysqld and its member API
  std::uint16_t port = 0;      // MySQL: CLONE
  std::uint16_t api_port = 0;  // MariaDB: GET /v1/snapshot
  bool operator==(const Donor&) const = default;
};
template <class Io>
void fields(Io& io, Donor& d) {
  io.required("member", d.member);
  io.required("host", d.host);
  io.required("port", d.port);
  io.required("api_port", d.api_port);
}

enum class SeedState { kCopying, kFailed, kDone };
constexpr auto enum_names(SeedState) {
  return std::to_array<EnumName<SeedState>>(
      {{SeedState::kCopying, "copying"}, {SeedState::kFailed, "failed"}, {SeedState::kDone, "done"}});
}

// The state of the last copy of data that this executor process has made or is making.
struct Seeding {
  MemberId donor;
  SeedState state = SeedState::kCopying;
  std::uint64_t generation = 0;  // of the new data directory
  Bytes bytes{};                 // on disk so far
  std::int64_t took_ms = 0;      // so far
  std::uint32_t failures = 0;    // in a row, before this one
  std::string why;               // of a failure
  bool operator==(const Seeding&) const = default;
};
template <class Io>
void fields(Io& io, Seeding& s) {
  io("donor", s.donor);
  io("state", s.state);
  io("generation", s.generation);
  io("bytes", s.bytes);
  io("took_ms", s.took_ms);
  io("failures", s.failures);
  io("why", s.why);
}

inline constexpr std::size_t kMaxTampered = 8;

// Something that happened once on a member. The scheduler records it as one event.
enum class NoticeKind {
  kReaderEnded,     // the executor ended users' sessions on a replica
  kBinlogsChanged,  // somebody purged or reset the binary logs
  kEventsStarted,   // the clients' events (CREATE EVENT) run here
  kEventsStopped,   // ... do not run here any more
  kEventsFailed,    // ... cannot be enabled, switched on, or written down
};
constexpr auto enum_names(NoticeKind) {
  using enum NoticeKind;
  return std::to_array<EnumName<NoticeKind>>({{kReaderEnded, "reader_ended"}, {kBinlogsChanged, "binlogs_changed"},
                                              {kEventsStarted, "events_started"}, {kEventsStopped, "events_stopped"},
                                              {kEventsFailed, "events_failed"}});
}
struct Notice {
  std::uint64_t seq = 0;  // rises with each notice of this executor process
  NoticeKind kind = NoticeKind::kReaderEnded;
  std::string text;  // a sentence
  bool operator==(const Notice&) const = default;
};
template <class Io>
void fields(Io& io, Notice& n) {
  io("seq", n.seq);
  io("kind", n.kind);
  io("text", n.text);
}

// The content of a report.
struct MemberFacts {
  MemberId member;
  TaskId task;
  std::string executor;   // random name of this executor process; seq is comparable within it
  Pair promised;          // durable
  // Durable: the last epoch in which it was ordered to be the primary, 0 = never; none: unknown (a volume of version 0.1). And
  // whether it still has the data that it had as that primary.
  std::optional<std::uint64_t> led;
  bool led_kept = true;
  MemberRole role = MemberRole::kIdle;  // the role in force: all its steps are done
  bool busy = false;                    // steps of the promised pair are still being carried out
  bool has_secrets = false;
  ServerState server = ServerState::kNone;
  std::uint32_t memory_kills = 0;  // how often in a row the kernel killed mysqld for memory
  bool crashed = false;     // mysqld ended by itself, and has not come back yet
  std::string incarnation;  // of the mysqld process; changes with each start
  std::string server_id;
  std::string version;    // what the server calls itself
  bool writable = false;  // clients can write here
  GtidSet executed;
  GtidSet received;
  GtidSet in_flight;         // as in ServerSnapshot
  LogPosition binlog_end;    // ...
  LogPosition received_end;
  bool receiver_running = false;
  bool receiver_connected = false;  // by the server's status, which stays so for seconds after the source fell silent
  bool applier_running = false;
  std::uint32_t applier_restarts = 0;  // in a row, by its executor, after each of which the applier stopped at the same place
  ReplicationError receiver_error;     // the last one, as the server shows it
  ReplicationError applier_error;      // ...
  std::string gtid_source;             // as in ServerSnapshot
  std::uint32_t source_silent_ms = 0;  // its receiver has received nothing for so long; 0 = a short time
  bool receiving = false;              // its receiver has just received something, perhaps a part of a transaction
  std::uint32_t server_silent_ms = 0;  // mysqld has not answered its executor for so long; 0 = a short time
  std::optional<MemberId> source;  // the member that it was ordered to follow
  bool acking = false;             // replica side of semi-sync is on and the receiver runs with it
  bool amnesiac = false;  // may have lost relay log that it acknowledged: does not count until certified
  // Amnesiac: everything it had received before its restarts, read from its old relay logs; none: unknown.
  std::optional<GtidSet> known;
  std::string volume;             // the name that its volume got when the volume was empty
  std::vector<Peer> peers;        // the other members, by the last Meet order
  std::set<MemberId> reaches;     // those of them whose executor answered lately
  bool isolated = false;          // a primary that reached neither scheduler nor majority, and stopped serving
  std::string write_trouble;      // why nothing can be written to its volume, "" = it can
  std::uint32_t semi_sync_d = 0;  // source side in force
  std::uint32_t semi_sync_clients = 0;
  bool commits_stuck = false;  // as in ServerSnapshot
  bool user_ready = false;  // primary: the user's account works
  // Its volume has the cluster's encrypted secrets, for a state that has lost them. Older executors do not report this.
  bool keeps_sealed = true;
  std::uint64_t credentials = 0;          // the number of the user's newest password that it got, from 0
  std::uint64_t credentials_applied = 0;  // primary: the number of the password that its server has
  bool password_changed = false;          // primary: somebody has set another password with SQL since
  // Accounts and settings of its server that somebody changed and that cannot be repaired: at most kMaxTampered.
  std::vector<std::string> tampered;
  std::vector<std::string> repaired;  // the last repairs, and ...
  std::uint64_t repairs = 0;          // ... how often that happened, of this executor process
  std::int64_t lag_ms = -1;
  std::uint32_t applier_stalled_ms = 0;  // received transactions wait, and it has executed none for so long; 0 = a short time
  // While it executes nothing: the state of its applier, as the server shows it; the lock for which the applier waits and that
  // no session holds ("" = no such lock is known); and how long it has waited for that lock.
  std::string applier_does;
  std::string applier_waits_for;
  std::uint32_t applier_waits_ms = 0;
  std::vector<Notice> notices;           // the newest ones
  bool events_run = false;               // the clients' events (CREATE EVENT) run here
  std::string events_trouble;            // why some events cannot run, or do not stop, "" = no trouble
  bool binlog_complete = true;
  bool logs_reset = false;   // somebody reset its binary logs: it no longer knows which transactions its data hold; durable
  bool written_on = false;   // a replica: its server wrote local statements to its binlog since its executor started
  bool binlog_gone = false;        // its source has purged what it needs next, and has sent nothing since
  std::uint64_t generation = 0;    // of its data: rises with each rebuild
  std::uint32_t data_server_id = 0;  // of its data, or of its next data; 0: an executor of version 0.1
  Pair made_at;                    // of the order that made its data, or gave them new GTIDs; 0.0 = its first data
  Pair names_from;                 // as in EpochRecord, from its last order to be the primary
  bool needs_copy = false;         // it has no data, and waits for a Rebuild order with a donor
  std::optional<Seeding> seeding;
  std::string errant_kept;  // where on its volume the binlogs with its errant transactions are, "" = nowhere
  std::string problem;     // a sentence, "" = none
  std::uint16_t port = 0;  // of mysqld
  // It can prove to an election what it acknowledged: it lost no relay log, or knows what it lost.
  [[nodiscard]] bool remembers() const { return !amnesiac || known.has_value(); }
  bool operator==(const MemberFacts&) const = default;
};
struct MemberReport : MemberFacts {
  std::uint64_t seq = 0;  // rises with every report of this executor process
  bool operator==(const MemberReport&) const = default;
  // Compares everything but the time of the report.
  [[nodiscard]] const MemberFacts& facts() const { return *this; }
};
template <class Io>
void fields(Io& io, MemberReport& r) {
  io("member", r.member);
  io("task", r.task);
  io("seq", r.seq);
  io("executor", r.executor);
  io("promised", r.promised);
  io("led", r.led);
  io("led_kept", r.led_kept);
  io("role", r.role);
  io("busy", r.busy);
  io("has_secrets", r.has_secrets);
  io("server", r.server);
  io("memory_kills", r.memory_kills);
  io("crashed", r.crashed);
  io("incarnation", r.incarnation);
  io("server_id", r.server_id);
  io("version", r.version);
  io("writable", r.writable);
  io("executed", r.executed);
  io("received", r.received);
  io("in_flight", r.in_flight);
  io("binlog_end", r.binlog_end);
  io("received_end", r.received_end);
  io("receiver_running", r.receiver_running);
  io("receiver_connected", r.receiver_connected);
  io("applier_running", r.applier_running);
  io("applier_restarts", r.applier_restarts);
  io("receiver_error", r.receiver_error);
  io("applier_error", r.applier_error);
  io("gtid_source", r.gtid_source);
  io("source_silent_ms", r.source_silent_ms);
  io("receiving", r.receiving);
  io("server_silent_ms", r.server_silent_ms);
  io("source", r.source);
  io("acking", r.acking);
  io("amnesiac", r.amnesiac);
  io("known", r.known);
  io("volume", r.volume);
  io("peers", r.peers);
  io("reaches", r.reaches);
  io("isolated", r.isolated);
  io("write_trouble", r.write_trouble);
  io("semi_sync_d", r.semi_sync_d);
  io("semi_sync_clients", r.semi_sync_clients);
  io("commits_stuck", r.commits_stuck);
  io("user_ready", r.user_ready);
  io("keeps_sealed", r.keeps_sealed);
  io("credentials", r.credentials);
  io("credentials_applied", r.credentials_applied);
  io("password_changed", r.password_changed);
  io("tampered", r.tampered);
  io("repaired", r.repaired);
  io("repairs", r.repairs);
  io("lag_ms", r.lag_ms);
  io("applier_stalled_ms", r.applier_stalled_ms);
  io("applier_does", r.applier_does);
  io("applier_waits_for", r.applier_waits_for);
  io("applier_waits_ms", r.applier_waits_ms);
  io("notices", r.notices);
  io("events_run", r.events_run);
  io("events_trouble", r.events_trouble);
  io("binlog_complete", r.binlog_complete);
  io("logs_reset", r.logs_reset);
  io("written_on", r.written_on);
  io("binlog_gone", r.binlog_gone);
  io("generation", r.generation);
  io("data_server_id", r.data_server_id);
  io("made_at", r.made_at);
  io("names_from", r.names_from);
  io("needs_copy", r.needs_copy);
  io("seeding", r.seeding);
  io("errant_kept", r.errant_kept);
  io("problem", r.problem);
  io("port", r.port);
}

}  // namespace mysos
