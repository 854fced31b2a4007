// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who shall be primary. From the record and the members' reports, the planner computes the next record, or the orders that
// bring the members in line with the present record. It is a pure function without memory of its own.
//
// One call returns either `next` (persist it, then call again) or orders, never both, because a record must be durable before
// its orders are sent. The rules and their reasons: docs/architecture.md, "Epochs".
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
  bool volume_lost = false;       // it reports an empty volume; such reports are not shown here
  Instant last_seen{};            // of the newest report; undefined without a report
  SharedValue<MemberReport> report;  // newest; may be old

  [[nodiscard]] bool in_sight() const { return connected && report.has_value(); }
  // The member is reachable, and its volume takes writes. On a full or hanging volume, a replica's receiver waits but stays
  // connected.
  [[nodiscard]] bool can_write() const { return in_sight() && report->write_trouble.empty(); }
};

struct EpochTimes {
  Duration suspect_after = std::chrono::seconds(1);
  Duration not_serving_after = std::chrono::seconds(10);  // a reachable primary whose server does not come up
  Duration solo_after = std::chrono::seconds(5);
  Duration bootstrap_wait = std::chrono::seconds(30);     // for all members to be ready, at a bootstrap
  Duration stragglers_wait = std::chrono::milliseconds(200);  // for fences of reachable members, once a choice is possible
  Duration early_wait = std::chrono::milliseconds(300);   // for those who are fenced before the primary of a switchover
  Duration target_wait = std::chrono::seconds(3);         // for the target of a switchover, before another is chosen
  Duration leader_wait = std::chrono::seconds(1);         // in doubt: for the true primary to be quiet, before all are fenced
  Duration near_within = std::chrono::milliseconds(400);  // a replica that executes in that time what its primary had is near
  Duration approach_wait = std::chrono::seconds(30);      // for the target of a switchover to be near, while clients write
  Duration drain_stall = std::chrono::seconds(1);         // a target that executes nothing for so long is not waited for
  Duration rebuild_after = std::chrono::seconds(10);      // of being errant, or of an applier that does not continue
  Duration rebuild_only_after = std::chrono::minutes(1);  // ... of the only replica that a cluster has
  Duration donor_wait = std::chrono::seconds(30);         // for a replica that can be copied, before the primary is
  Duration drop_after = std::chrono::seconds(2);          // of an acker that does not receive, or is not sound
  Duration cut_after = std::chrono::milliseconds(500);    // no reachable acker is connected to the primary
  // How long connected receivers have received nothing, by their executors' measure, before the primary counts as cut off. The
  // shorter time is used if something else speaks against the primary too. A source sends at least every 250 ms.
  Duration deaf_after = std::chrono::milliseconds(1000);
  Duration cut_silence = std::chrono::milliseconds(1300);
  Duration mute_after = std::chrono::milliseconds(1000);  // a server that does not answer its own executor
  Duration mute_too_long = std::chrono::seconds(20);      // ... although the primary's replicas receive from it
  Duration stalled_after = std::chrono::seconds(2);       // the primary's executor says that it cannot write
  Duration loss_wait = std::chrono::seconds(3);           // for a complete member, before an accepted loss is taken
  Duration loss_fences = std::chrono::seconds(10);        // then, for reachable members to report what they hold
  // A primary that is replaced within stable_after of being chosen did not last. After flaps_allowed such primaries in a row,
  // the next primary gets flap_hold before it is replaced. The time doubles with each further primary.
  Duration stable_after = std::chrono::seconds(30);
  std::uint32_t flaps_allowed = 3;
  Duration flap_hold = std::chrono::seconds(10);
  Duration flap_hold_max = std::chrono::minutes(5);
  // A replica whose server starts again and again stops acknowledging each time. From the second start within
  // relapse_window on, it is held back after each start for relapse_hold, doubled each time.
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
  Instant held_until{};       // until then it is held back: it acknowledges only if no other member can
};

// About earlier elections. It outlives them.
struct Flaps {
  std::optional<Instant> chosen_at;  // the present primary
  std::uint32_t unstable = 0;        // primaries in a row that did not last
  std::optional<MemberId> avoid;     // replaced on evidence: chosen again only if no other member is complete
};

// Why a primary is replaced.
enum class FailoverCause {
  kServerDied,   // its executor saw mysqld end
  kTaskEnded,    // Mesos says so
  kSilent,       // no report comes from it, and no replica receives from it
  kNotServing,   // it is reachable, its server does not come up
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

// An amnesiac counts again once it contains a read of the primary taken after its restart. A config that was made after the
// scheduler saw the restart proves that the read is later. Keep the first read: under load, a newer read would always be ahead.
struct Amnesia {
  std::string incarnation;  // which restart
  Pair seen_at;             // the config when it was seen
  struct Read {
    GtidSet executed;
    LogPosition binlog_end;
  };
  std::optional<Read> read;
};

// A requested switchover that has not begun: the measured lag of its target.
struct Approach {
  MemberId target;
  Instant since;     // it is wanted
  GtidSet asked;     // what the primary had executed,
  Instant asked_at;  // when it said so: the target has yet to execute that
};

// What the caller keeps for the planner between calls about one cluster. Volatile: losing it only costs time.
struct EpochMemory {
  Pair pair;                                // of the record these belong to; another epoch clears them
  std::optional<Instant> silent_since;      // no report of the primary
  std::optional<Instant> not_serving_since; // it is reachable, its server is not up
  std::optional<Instant> cut_since;         // its ackers are reachable, and none can receive from it
  std::optional<Instant> stalled_since;     // it reports that it cannot write
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
  Instant failed_since = kNever;           // ... and the estimated time when the primary stopped serving
  std::vector<std::pair<MemberId, Order>> orders;
  std::string waiting_for;                 // a sentence, "" = nothing
  std::size_t held_back = 0;               // replicas that may not acknowledge yet: their servers start again and again
  std::vector<std::pair<MemberId, std::string>> held_now;  // ... from now on, and why: events
  std::string switchover_ends;             // why the requested switchover is given up before it began, "" = it is not
  Instant revisit = kNever;                // call again at the latest
};

EpochDecision plan_epoch(const Cluster& cluster, const std::vector<MemberView>& members, const EpochTimes& times,
                         EpochMemory& memory, Instant now);

// Transactions. A replica that lacks more does not count as caught up, and is no donor.
inline constexpr std::uint64_t kFarBehind = 10'000;
// How many transactions of the primary this replica has yet to execute, as both last said.
std::uint64_t behind(const MemberView& replica, const MemberView& primary);

// The number of ackers to aim for: all other members; on MariaDB two, because commits wait for only one there, and an election
// has to ask all but one of the ackers.
std::size_t most_ackers(Flavour flavour, std::size_t members);

// How many acknowledgements a commit waits for, given how many could acknowledge.
std::uint32_t wanted_d(Flavour flavour, std::size_t ackers);

}  // namespace mysos
