// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an executor says of its member (GET /v1/status, and each line of GET /v1/watch). Its orders: model/order.h.
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
  kIdle,    // has been told nothing at its promised pair, or could not obey: read-only, receiver
            // stopped, silent
  kFenced,  // promised an election: read-only, receiver stopped, silent
  kPrimary,
  kReplica,  // follows a source; acking says whether it acknowledges
  kErrant,   // told to follow, but holds transactions that the source lacks: idle until rebuilt
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

// Where another member's executor is: members watch each other.
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

// Whom a member that is rebuilt copies its data from.
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

// How the copy that became (or is to become) a member's data goes, or went: of this executor process, the last one.
struct Seeding {
  MemberId donor;
  SeedState state = SeedState::kCopying;
  std::uint64_t generation = 0;  // of the datadir that is made
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

// Something that happened on a member and is over: the scheduler records it as an event, once.
enum class NoticeKind {
  kReaderEnded,     // sessions of users were ended on a replica
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
  std::uint64_t seq = 0;  // rises with each, of this executor process
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

// What a report says.
struct MemberFacts {
  MemberId member;
  TaskId task;
  std::string executor;   // of this executor process: random, so that seq can be compared
  Pair promised;          // durable
  // Durable: the last epoch in which it was told to be the primary, 0 = never; none: not known (a volume of version 0.1). And
  // whether the data that it had as that primary are still there.
  std::optional<std::uint64_t> led;
  bool led_kept = true;
  MemberRole role = MemberRole::kIdle;  // what is in force, steps all done
  bool busy = false;                    // steps of the promised pair are still being carried out
  bool has_secrets = false;
  ServerState server = ServerState::kNone;
  std::uint32_t memory_kills = 0;  // how often in a row the kernel killed mysqld for memory; it has not lasted since
  bool crashed = false;     // mysqld ended without being told to, and has not come back yet
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
  bool receiver_connected = false;  // as the server believes: of a silent source it does for seconds
  bool applier_running = false;
  std::uint32_t applier_restarts = 0;  // in a row, by its executor, after which the applier stopped at the same place again
  ReplicationError receiver_error;     // the last one, as the server shows it
  ReplicationError applier_error;      // ...
  std::string gtid_source;             // as in ServerSnapshot
  std::uint32_t source_silent_ms = 0;  // its receiver has heard nothing for so long; 0 = not for long
  bool receiving = false;              // its receiver has received something within a moment, if only part of a transaction
  std::uint32_t server_silent_ms = 0;  // mysqld has not answered its executor for so long; 0 = not for long
  std::optional<MemberId> source;  // whom it was told to follow
  bool acking = false;             // replica side of semi-sync is on and the receiver runs with it
  bool amnesiac = false;  // may have lost relay log that it acknowledged: does not count until certified
  // Amnesiac: all it had received before its restarts, read from what was left of its relay logs; none: that is not certain.
  std::optional<GtidSet> known;
  std::string volume;             // the name its volume was given when it was empty
  std::vector<Peer> peers;        // the other members, as it was last told
  std::set<MemberId> reaches;     // those of them whose executor answered lately
  bool isolated = false;          // a primary that reached neither scheduler nor majority: it has stopped serving
  std::string write_trouble;      // why nothing can be written to its volume, "" = it can
  std::uint32_t semi_sync_d = 0;  // source side in force
  std::uint32_t semi_sync_clients = 0;
  bool commits_stuck = false;  // as in ServerSnapshot
  bool user_ready = false;  // primary: the user's account works
  // Its volume keeps the cluster's secrets encrypted, for a state that has lost them. Executors that do not say it cannot.
  bool keeps_sealed = true;
  std::uint64_t credentials = 0;          // which of the user's passwords it was told of, counted from 0
  std::uint64_t credentials_applied = 0;  // primary: which of them its server has
  bool password_changed = false;          // primary: somebody has set another one with SQL since
  // What of its server's accounts and settings is not as Mysos made it, and cannot be repaired: at most kMaxTampered.
  std::vector<std::string> tampered;
  std::vector<std::string> repaired;  // what was repaired last, and ...
  std::uint64_t repairs = 0;          // ... how often that happened, of this executor process
  std::int64_t lag_ms = -1;
  std::uint32_t applier_stalled_ms = 0;  // it holds received transactions, and has executed none for so long; 0 = not for long
  // While it has executed nothing: the state of its applier, as the server shows it, and the lock that the applier waits for
  // and no session holds ("" = no such lock is known), and for how long.
  std::string applier_does;
  std::string applier_waits_for;
  std::uint32_t applier_waits_ms = 0;
  std::vector<Notice> notices;           // the newest ones
  bool events_run = false;               // the clients' events (CREATE EVENT) run here
  std::string events_trouble;            // why some of them cannot, or are not stopped, "" = there is none
  bool binlog_complete = true;
  bool logs_reset = false;   // somebody reset its binary logs: it no longer knows which transactions its data hold; durable
  bool written_on = false;   // a replica: its server wrote to its binlog by itself, since its executor came
  bool binlog_gone = false;        // its source does not have any more what it would need next
  std::uint64_t generation = 0;    // of its datadir: rises each time the data are rebuilt
  std::uint32_t data_server_id = 0;  // of its data, or of those that it is to make; 0: an executor of version 0.1
  Pair made_at;                    // of the order that made the data, or gave their transactions other names; 0.0 = the first
  Pair names_from;                 // as in EpochRecord, from the last order to be the primary
  bool needs_copy = false;         // it has no data, and waits to be told whom to copy (a Rebuild with a donor)
  std::optional<Seeding> seeding;
  std::string errant_kept;  // where on its volume the binlogs with its errant transactions are, "" = nowhere
  std::string problem;     // a sentence, "" where all is well
  std::uint16_t port = 0;  // of mysqld
  // It can tell an election all that it acknowledged: it lost no relay log, or knows what it lost.
  [[nodiscard]] bool remembers() const { return !amnesiac || known.has_value(); }
  bool operator==(const MemberFacts&) const = default;
};
struct MemberReport : MemberFacts {
  std::uint64_t seq = 0;  // rises with every report of this executor process
  bool operator==(const MemberReport&) const = default;
  // All but when it was said.
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
