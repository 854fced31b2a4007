// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who shall be primary: from the record and what is seen, the next record, or the orders that bring the members to the
// record that is. A pure choice, made anew each time: nothing is remembered here, so nothing can be forgotten.
//
// One call gives either `next` (persist it, then call again) or orders, never both: what a record says is ordered only
// once it is durable. The rules and their reasons: docs/architecture.md, "Epochs".
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/shared_value.h"
#include "base/time.h"
#include "model/cluster.h"
#include "model/event.h"
#include "model/member_report.h"
#include "model/order.h"

namespace mysos {

// What the scheduler knows of one member at this moment.
struct MemberView {
  MemberId id;
  std::string host;               // where its mysqld is (or will be) reached
  std::uint16_t port = 0;         // ... by clients
  std::uint16_t source_port = 0;  // ... by other members
  std::uint16_t api_port = 0;     // of its executor, at the same host
  bool launched = false;          // has a task that is not known to have ended
  bool connected = false;         // its watch stream is up
  bool task_ended = false;        // Mesos says its task is over, or its agent is gone for good
  bool volume_lost = false;       // what it reports is of an empty volume, and is not shown here
  Instant last_seen{};            // of the newest report; meaningless where there is none
  SharedValue<MemberReport> report;  // newest; may be old

  [[nodiscard]] bool in_sight() const { return connected && report.has_value(); }
  // It is in sight, and its volume takes writes. One that is full, or hangs, makes a replica's receiver wait while it stays
  // connected.
  [[nodiscard]] bool can_write() const { return in_sight() && report->write_trouble.empty(); }
};

struct EpochTimes {
  Duration suspect_after = std::chrono::seconds(1);
  Duration not_serving_after = std::chrono::seconds(10);  // a primary in sight whose server does not come up
  Duration solo_after = std::chrono::seconds(5);
  Duration bootstrap_wait = std::chrono::seconds(30);     // for the whole set, before the first primary is made of fewer
  Duration stragglers_wait = std::chrono::milliseconds(200);  // for fences of members in sight, once a choice is possible
  Duration early_wait = std::chrono::milliseconds(300);   // for those who are fenced before the primary of a switchover
  Duration target_wait = std::chrono::seconds(3);         // for the target of a switchover, before another is chosen
  Duration leader_wait = std::chrono::seconds(1);         // in doubt: for the true primary to be quiet, before all are fenced
  Duration near_within = std::chrono::milliseconds(400);  // a replica that executes in that time what its primary had is near
  Duration approach_wait = std::chrono::seconds(30);      // for the target of a switchover to be near, while clients write
  Duration drain_stall = std::chrono::seconds(1);         // a target that executes nothing for so long is not waited for
  Duration rebuild_after = std::chrono::seconds(10);      // of being errant, or of an applier that does not go on
  Duration rebuild_only_after = std::chrono::minutes(1);  // ... of the only replica that a cluster has
  Duration donor_wait = std::chrono::seconds(30);         // for a replica that can be copied, before the primary is
  Duration drop_after = std::chrono::seconds(2);          // of an acker that does not receive, or is not sound
  Duration cut_after = std::chrono::milliseconds(500);    // no acker that is there is connected to the primary
  // Receivers that have heard nothing for so long, by their own account, while they believe to be connected. The shorter one
  // where something else speaks against the primary too. A source speaks at least every 250 ms.
  Duration deaf_after = std::chrono::milliseconds(1000);
  Duration cut_silence = std::chrono::milliseconds(1300);
  Duration mute_after = std::chrono::milliseconds(1000);  // a server that does not answer its own executor
  Duration mute_too_long = std::chrono::seconds(20);      // a primary that does not, although its replicas hear of it
  Duration stalled_after = std::chrono::seconds(2);       // the primary's executor says that it cannot write
  Duration loss_wait = std::chrono::seconds(3);           // for a complete member, before an accepted loss is taken
  Duration loss_fences = std::chrono::seconds(10);        // then, for members in sight to say what they hold
  // Primaries that are replaced within stable_after of being chosen do not last; when so many in a row did not, the next
  // one is given flap_hold, doubled each time, before it is replaced in its turn.
  Duration stable_after = std::chrono::seconds(30);
  std::uint32_t flaps_allowed = 3;
  Duration flap_hold = std::chrono::seconds(10);
  Duration flap_hold_max = std::chrono::minutes(5);
  // A replica whose server starts again and again takes its acknowledgement away each time. From the second start within
  // relapse_window on it is held back after each: relapse_hold, doubled each time.
  Duration relapse_window = std::chrono::minutes(10);
  Duration relapse_hold = std::chrono::seconds(10);
  Duration relapse_hold_max = std::chrono::minutes(5);
};

// How often a member's server started in a row, each time within relapse_window of the time before. Outlives elections.
struct Relapse {
  std::string incarnation;    // of its server, as last seen
  std::uint64_t generation = 0;  // ... of its data: a server that starts on other data is no relapse
  bool counted = false;       // it was to acknowledge when its server ended
  std::uint32_t restarts = 0;
  Instant last{};             // the newest of them
  Instant held_until{};       // until then it is held back: named to acknowledge only where nobody else can
};

// Of the elections before; it outlives them.
struct Flaps {
  std::optional<Instant> chosen_at;  // the present primary
  std::uint32_t unstable = 0;        // primaries in a row that did not last
  std::optional<MemberId> avoid;     // replaced on evidence: chosen again only where nobody else is complete
};

// Why a primary is replaced.
enum class FailoverCause {
  kServerDied,   // its executor saw mysqld end
  kTaskEnded,    // Mesos says so
  kSilent,       // nobody hears of it
  kNotServing,   // it is in sight, its server does not come up
  kCannotWrite,  // its own write probe fails: a full or stalled disk
  kNotAnswering, // its server neither answers its executor nor sends anything to its replicas
  kCutOff,       // the scheduler reaches it, its replicas do not
  kLogsReset,    // somebody reset its binary logs
  kOperator,
  kSwitchover,
};
constexpr auto enum_names(FailoverCause) {
  using enum FailoverCause;
  return std::to_array<EnumName<FailoverCause>>({{kServerDied, "server_died"}, {kTaskEnded, "task_ended"},
                                                 {kSilent, "silent"}, {kNotServing, "not_serving"},
                                                 {kCannotWrite, "cannot_write"}, {kNotAnswering, "not_answering"},
                                                 {kCutOff, "cut_off"},
                                                 {kLogsReset, "logs_reset"},
                                                 {kOperator, "operator"}, {kSwitchover, "switchover"}});
}

// An amnesiac counts again once it contains a read of the primary taken after its restart. The read is proven later by a
// config that was made after the restart was seen. It is kept: the newest read would run away from it under writes.
struct Amnesia {
  std::string incarnation;  // which restart
  Pair seen_at;             // the config when it was seen
  struct Read {
    GtidSet executed;
    LogPosition binlog_end;
  };
  std::optional<Read> read;
};

// A switchover that is wanted and has not begun: how far its target is behind, measured.
struct Approach {
  MemberId target;
  Instant since;     // it is wanted
  GtidSet asked;     // what the primary had executed,
  Instant asked_at;  // when it said so: the target has yet to execute that
};

// What the caller keeps for the planner between calls about one cluster. Volatile: losing it only costs time.
struct EpochMemory {
  Pair pair;                                // of the record these belong to; another epoch clears them
  std::optional<Instant> silent_since;      // the primary has not been heard of
  std::optional<Instant> not_serving_since; // it is in sight, its server is not up
  std::optional<Instant> cut_since;         // its ackers are there, and none can receive from it
  std::optional<Instant> stalled_since;     // it says that it cannot write
  std::optional<Instant> mute_since;        // its server does not answer its executor
  std::optional<Instant> no_acker_since;    // nobody acknowledges
  bool received_from = false;               // an acker has received from this primary
  std::optional<Instant> election_since;
  std::optional<Approach> approach;
  std::optional<Instant> first_ready;       // bootstrap: the first member was ready
  std::map<MemberId, Instant> broken_since;                  // replicas whose data are to be rebuilt
  std::map<MemberId, Instant> donor_wanted_since;            // no replica can be copied
  std::map<MemberId, std::optional<Instant>> unheard_since;  // ackers that do not receive, or cannot write it
  std::map<MemberId, std::optional<Instant>> unsound_since;  // ackers that could not become the primary
  Flaps flaps;
  std::map<MemberId, Relapse> relapses;
  std::map<MemberId, Amnesia> amnesiacs;
};

struct EpochDecision {
  std::optional<EpochRecord> next;
  std::string why;                         // of `next`: goes into the event
  EventKind kind{};                        // of that event
  std::optional<FailoverCause> cause;      // where `next` begins an election
  Instant failed_since = kNever;           // ... and since when, as far as can be told, the primary was of no use
  std::vector<std::pair<MemberId, Order>> orders;
  std::string waiting_for;                 // a sentence, "" = nothing
  std::size_t held_back = 0;               // replicas that may not acknowledge yet: their servers start again and again
  std::vector<std::pair<MemberId, std::string>> held_now;  // ... from now on, and why: events
  std::string switchover_ends;             // why the switchover that is wanted is given up before it began, "" = it is not
  Instant revisit = kNever;                // call again at the latest
};

EpochDecision plan_epoch(const Cluster& cluster, const std::vector<MemberView>& members, const EpochTimes& times,
                         EpochMemory& memory, Instant now);

// Transactions. A replica that lacks more is not in place, and no donor.
inline constexpr std::uint64_t kFarBehind = 10'000;
// How many transactions of the primary this replica has yet to execute, as both last said.
std::uint64_t behind(const MemberView& replica, const MemberView& primary);

// How many of the other members acknowledge: all, of MariaDB two, since commits wait for one there, and an election asks all
// but as many as they wait for.
std::size_t most_ackers(Flavour flavour, std::size_t members);

// How many acknowledgements a commit waits for, given how many could acknowledge.
std::uint32_t wanted_d(Flavour flavour, std::size_t ackers);

}  // namespace mysos
