// SPDX-License-Identifier: Apache-2.0
#pragma once
// The life of a member's server, as MemberCore knows it. Each alternative is one stage. It owns the state and the timers of
// that stage, which end with it, so no code resets them. MemberCore holds what outlives the server: the promise, what is known
// about the data, notices.
//
//   Down -> MakingData -> Down -> [ReadingRelay -> Down] -> Starting -> Running -> Stopping -> Down
//
// A server may end in each stage from Starting on. An adopted server begins in Starting.
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "core/member/applier_wait.h"
#include "model/member_report.h"
#include "model/order.h"
#include "model/server_step.h"
#include "model/silence.h"

namespace mysos {

inline constexpr Duration kReceivesWithin = std::chrono::milliseconds(1500);

enum class AfterPlan { kSettle, kShutdown };  // what the end of a plan leads to

// The plan of steps that is under way on a server.
struct RunningPlan {
  std::uint64_t id = 0;
  MemberRole becomes = MemberRole::kIdle;
  AfterPlan after = AfterPlan::kSettle;
  bool quiets = false;  // the server may be writable at its begin, so its failure kills the server
  bool fence = false;
  bool awaits = false;  // ... and first receives the rest of the source's writes, which may fail
  std::vector<std::uint64_t> orders;  // to be answered at its end
  std::optional<order::Promote> promote;
  std::optional<order::Follow> follow;
  bool compares = false;  // ... and what the server holds with what its source has
  std::optional<Instant> watched_since;  // the first look at the server while it is under way
};

namespace server_life {

// There is no server, and none is starting.
struct Down {
  ServerState as = ServerState::kNone;  // kNone, kExited, or kBroken: the data could not be made
  Instant start_at{};                   // not before
  bool relay_read = false;              // its relay logs were read, so it may throw them away
};

// The data are made: from the template, or as a copy of the donor's.
struct MakingData {
  std::optional<Donor> donor;
  Instant since{};
};

// The relay logs that the server is about to throw away are being read.
struct ReadingRelay {};

// The process runs and does not serve yet.
struct Starting {
  std::optional<std::string> adopted;  // the incarnation of a server that was found alive
};

// The source lacks what the replica would need next. A receiver that starts again looks connected until it is refused again, so
// this holds until the source has sent something, or there is another source.
struct Refused {
  GtidSet received;  // by the replica, at that time
  std::string host;  // of the source
  std::uint16_t port = 0;
};

// It has served, and has not ended.
struct Running {
  std::string incarnation;
  std::string version;
  std::string server_id;
  Instant up_since{};

  ServerSnapshot seen;
  bool read = false;   // `seen` holds something
  bool heard = false;  // its receiver has received something, so its position is not from an earlier process
  std::optional<Refused> refused;
  Silence source;      // of the source
  Silence server;      // of mysqld itself
  Silence applier;     // received transactions wait, and it executes none
  Silence receipt{kReceivesWithin};  // its receiver's position in the source's binlog has not moved
  ApplierWait wait;    // ... because it waits for a lock that no session holds

  MemberRole role = MemberRole::kIdle;  // in force
  bool settled = false;                 // the steps of the promised pair are done
  bool maybe_writable = false;          // a promotion has begun, and no quieting has succeeded since
  std::optional<RunningPlan> plan;
  std::optional<order::Promote> promoted;  // in force
  std::optional<order::Follow> followed;   // in force
  std::uint32_t failed_fences = 0;         // in a row

  std::optional<Instant> alone_since;  // a primary that reaches neither scheduler nor majority
  bool isolated = false;               // it stopped serving for that reason
  std::optional<order::Promote> reopen;  // its role before that

  bool user_ready = false;
  std::uint64_t credentials_applied = 0;
  bool password_changed = false;
  std::vector<std::string> tampered;
  bool events_run = false;
  std::string events_trouble;

  std::optional<Instant> draining_since;  // fenced, and not all it received is executed
  std::optional<Instant> drain_asked;     // ... and nothing applied it
  std::optional<Instant> readers_asked;   // the last EndReaders
  Instant idle_readers_asked{};
};

// The server is being stopped. Until it has ended, the executor reads it as before.
struct Stopping {
  std::optional<Running> was;  // none: it never served
};

}  // namespace server_life

using ServerLife = std::variant<server_life::Down, server_life::MakingData, server_life::ReadingRelay, server_life::Starting,
                                server_life::Running, server_life::Stopping>;

// What reports say of it.
ServerState state_of(const ServerLife& life);
// The server that serves, or served until it was stopped. Null in all other stages.
server_life::Running* server_in(ServerLife& life);
const server_life::Running* server_in(const ServerLife& life);
// Stops the server: Starting and Running become Stopping. References to the Running become invalid.
void tell_to_end(ServerLife& life);

}  // namespace mysos
