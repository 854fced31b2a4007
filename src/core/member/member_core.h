// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one executor may and must do. MemberCore takes one input at a time (an order, what mysqld
// did, what the server says of itself, the end of a plan of steps) and says what must now be done.
// It holds no file, socket or clock.
//
// Invariants: the promise is durable before anything that follows from it; an order below the
// promised pair is refused; mysqld always starts read-only, silent and with its receiver stopped;
// one plan of steps runs at a time, and what a plan does is never reported as in force before the
// plan has ended well. A primary that reaches neither the scheduler nor a majority of the members for
// a while stops serving, and serves on when it does, unless it was told otherwise meanwhile. Data are
// copied from another member only at the word of an order, each time (member_seeding.cc).
// See docs/architecture.md, "Epochs".
//
// Output, in this order: 1. `promise` is written and fsynced; 2. `server` and `plan`; 3. `answers`.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "core/member/applier_wait.h"
#include "core/member/input.h"
#include "model/member_report.h"
#include "model/server_step.h"
#include "model/silence.h"

namespace mysos {

// The executor's durable memory, one small file on the member's volume.
struct MemberPromise {
  Pair pair;
  std::optional<std::uint64_t> led;  // as in MemberReport; read it with led_by()
  bool led_kept = true;
  MemberRole role = MemberRole::kIdle;  // kPrimary and kReplica say what a mysqld that is found alive may go on being
  std::optional<MemberId> source;
  bool acking = false;
  bool amnesiac = false;
  std::optional<GtidSet> known;  // amnesiac: all it had received by the restarts since it was last certified; none: not certain
  bool seeded = false;      // the datadir is made (from the template or a copy)
  bool rebuilding = false;  // the datadir is being thrown away: finish that before anything else
  bool copies = false;      // ... and is to be a copy of another member's: whose, an order says each time it is begun
  GtidSet copy_holds;       // ... what that copy must hold; until its server was read
  GtidSet errant;           // in the data that are thrown away: its binlogs are kept aside before
  std::uint64_t errant_generation = 0;  // ... of those data
  std::uint64_t generation = 0;  // of the datadir: rises each time it is made anew
  std::uint32_t server_id = 0;   // ... which no other data of its cluster ever have (model/server_id.h); 0: as 0.1 chose it
  Pair made_at;                  // as in MemberReport
  bool logs_reset = false;       // as in MemberReport
  bool renamed = false;          // its transactions have other names since a reset: its binary logs lack the older ones
  std::string incarnation;       // of the mysqld that this was last true of
  std::string volume;            // the volume's own name: one that comes back empty is not the one it was
  std::vector<Peer> peers;       // the other members: nothing follows from them but whom it watches
  bool operator==(const MemberPromise&) const = default;
};
template <class Io>
void fields(Io& io, MemberPromise& p) {
  io("pair", p.pair);
  io("led", p.led);
  io("led_kept", p.led_kept);
  io("role", p.role);
  io("source", p.source);
  io("acking", p.acking);
  io("amnesiac", p.amnesiac);
  io("known", p.known);
  io("seeded", p.seeded);
  io("rebuilding", p.rebuilding);
  io("copies", p.copies);
  io("copy_holds", p.copy_holds);
  io("errant", p.errant);
  io("errant_generation", p.errant_generation);
  io("generation", p.generation);
  io("server_id", p.server_id);
  io("made_at", p.made_at);
  io("logs_reset", p.logs_reset);
  io("renamed", p.renamed);
  io("incarnation", p.incarnation);
  io("volume", p.volume);
  io("peers", p.peers);
}

// The last epoch in which it was told to be the primary. A promise that version 0.1 wrote says so only while it still has
// that role, or where nothing was promised yet.
std::optional<std::uint64_t> led_by(const MemberPromise& promise);

struct MemberConfig {
  MemberId member;
  TaskId task;
  std::uint32_t index = 0;
  std::uint32_t server_id = 0;  // for the first data on its volume, as it was launched with it
  std::string volume_name;      // of the volume that the scheduler knows; "" = it has not heard of any yet
  std::string executor;  // random per process, for MemberReport
  bool relay_log_survives = true;  // MySQL: yes. MariaDB in GTID mode throws it away at a restart: amnesia
  std::uint16_t port = 0;
  std::uint64_t credentials = 0;  // which of the user's passwords its stored secrets have
  bool keeps_sealed = true;       // its volume has the secrets of the cluster's record, encrypted
  Duration restart_min = std::chrono::milliseconds(100);  // back-off of mysqld restarts, doubling
  Duration restart_max = std::chrono::seconds(30);
  Duration news_first = std::chrono::milliseconds(20);  // a start keeps the executor busy, and a failover waits to be told
  // Of a whole plan; a former primary that cannot be quieted in demote_deadline is killed instead.
  Duration step_deadline = std::chrono::seconds(5);
  Duration demote_deadline = std::chrono::milliseconds(500);
  Duration tidy_after = std::chrono::seconds(2);  // a new primary forgets its source: no hurry
  Duration isolate_after = std::chrono::seconds(3);  // a primary that reaches nobody stops serving
  // MySQL: yes. MariaDB, where commits wait for an acker: ending one session may acknowledge what others wait for.
  bool kill_leaves_commits_waiting = true;
  Duration reader_idle_limit = std::chrono::minutes(5);  // of a user's idle transaction on a replica; 0 = none
};

namespace server_action {
// Keep the errant transactions aside, remove what is there, copy the donor's data, or the template where there is none.
struct MakeDatadir {
  std::uint64_t generation = 0;
  std::optional<Donor> donor = std::nullopt;
  GtidSet errant = {};
  std::uint64_t errant_generation = 0;
  std::uint32_t server_id = 0;
};
// The server is about to be started, and will throw its relay logs away: say what is in them, and keep them.
struct ReadRelay {
  bool keep_earlier = false;  // what was kept of earlier lives is needed still
};
struct DropRelay {};  // what was kept of relay logs is not needed any more
struct Start {
  std::uint32_t server_id = 0;
};                     // read-only, skip-replica-start, semi-sync off
struct Shutdown {};    // SIGTERM, then SIGKILL at the end of the grace
struct Kill {};        // SIGKILL
struct EnsureUser {};  // on a lane of its own: it waits for an acker like any write
struct StartApplier {};  // it has stopped; the receiver runs
struct EndCopies {};   // that others make of this server: what it is needed for must not wait for them
// The applier has executed nothing for a while, or a step takes long. Where they wait for locks of users' sessions, and still
// do after `watched`, those are ended.
struct EndReaders {
  Duration watched{};
};
// So are users' sessions that have a transaction open and have said nothing for so long.
struct EndIdleReaders {
  Duration limit{};
};
}  // namespace server_action
using ServerAction =
    std::variant<server_action::MakeDatadir, server_action::ReadRelay, server_action::DropRelay,
                 server_action::Start, server_action::Shutdown, server_action::Kill,
                 server_action::EnsureUser, server_action::StartApplier, server_action::EndCopies,
                 server_action::EndReaders, server_action::EndIdleReaders>;

struct StepPlan {
  std::uint64_t id = 0;
  std::vector<ServerStep> steps;
  Duration deadline{};
  // Done some time after the plan has ended well, unless a newer one has come. Nothing depends on them, and nobody waits: what
  // they fail to do is done by a step of a later plan.
  std::vector<ServerStep> afterwards;
  Duration afterwards_in{};
};
struct Answer {
  std::uint64_t order = 0;
  std::optional<Error> error;  // none: promised and in force, or already so; the report says the rest
};
struct MemberOutput {
  std::optional<MemberPromise> promise;
  std::vector<ServerAction> server;
  std::optional<StepPlan> plan;  // replaces a plan that runs: it is abandoned at its next step's border
  std::vector<Answer> answers;
  bool report_changed = false;  // watchers get a new line
  bool finished = false;        // after Stop: mysqld is gone, the executor may end
};

class MemberCore {
 public:
  MemberCore(MemberPromise recovered, MemberConfig config, bool has_secrets);

  void step(const MemberInput& input, Instant now);
  MemberOutput take_output();
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] MemberReport report() const;
  [[nodiscard]] const MemberPromise& promise() const { return promise_; }
  [[nodiscard]] bool poll_fast() const;  // the shell reads the server every few ms: somebody waits for what it says

 private:
  static constexpr Duration kReceivesWithin = std::chrono::milliseconds(1500);
  static constexpr std::uint32_t kFencesThatMayFail = 1;
  struct Running {  // one mysqld, from ServerUp on
    std::string incarnation;
    std::string version;
    std::string server_id;
    ServerSnapshot seen;
    bool read = false;  // `seen` holds something
    bool heard = false;  // its receiver has heard of a source: what it says of its place there is not of an earlier life
    Silence source;      // of whom the receiver is to hear
    Silence server;     // of mysqld itself
    Silence applier;    // it holds received transactions, and executes none
    Silence receipt{kReceivesWithin};  // its receiver's place in the source's binlog has not moved
    ApplierWait wait;   // ... because it waits for a lock that no session holds
  };
  // Where an applier stopped, and what came of starting it again.
  struct ApplierStop {
    GtidSet executed;            // another set: it has gone on since
    std::uint32_t restarts = 0;  // after which it stopped here again
    bool asked = false;          // it has just been started again
    Instant asked_at{};
    Instant next{};
    Duration backoff{};
  };
  enum class After { kSettle, kShutdown };  // what the end of a plan leads to
  struct Plan {
    std::uint64_t id = 0;
    MemberRole becomes = MemberRole::kIdle;
    After after = After::kSettle;
    bool quiets = false;  // begins with a server that may be writable: its failure kills the server
    bool fence = false;
    bool awaits = false;  // ... and lets the rest of the source's writes come in first, which may fail
    std::vector<std::uint64_t> orders;  // to be answered at its end
    std::optional<order::Promote> promote;
    std::optional<order::Follow> follow;
  };

  void take(const member_input::OrderGiven& in, Instant now);
  void take(const member_input::SecretsStored& in, Instant now);
  void take(const member_input::DatadirReady& in, Instant now);
  void take(const member_input::DatadirFailed& in, Instant now);
  void take(const member_input::RelayRead& in, Instant now);
  void take(const member_input::SeedProgress& in, Instant now);
  void take(const member_input::ErrantKept& in, Instant now);
  void take(const member_input::ServerAdopted& in, Instant now);
  void take(const member_input::ServerUp& in, Instant now);
  void take(const member_input::ServerExited& in, Instant now);
  void take(const member_input::Snapshot& in, Instant now);
  void take(const member_input::Unanswered& in, Instant now);
  void take(const member_input::PlanEnded& in, Instant now);
  void take(const member_input::UserReady& in, Instant now);
  void take(const member_input::Guarded& in, Instant now);
  void take(const member_input::PasswordSeen& in, Instant now);
  void take(const member_input::Contact& in, Instant now);
  void take(const member_input::ApplierLooked& in, Instant now);
  void take(const member_input::Noticed& in, Instant now);
  void take(const member_input::EventsMinded& in, Instant now);
  void take(const member_input::VolumeProbed& in, Instant now);
  void take(const member_input::Stop& in, Instant now);
  void take(const member_input::Tick& in, Instant now);

  void obey(std::uint64_t id, const order::Setup& o);
  void obey(std::uint64_t id, const order::Meet& o);
  void obey(std::uint64_t id, const order::Fence& o);
  void obey(std::uint64_t id, const order::Promote& o);
  void obey(std::uint64_t id, const order::Follow& o);
  void decline_to_follow(std::uint64_t id, const order::Follow& o);
  void obey(std::uint64_t id, const order::Certify& o);
  void obey(std::uint64_t id, const order::Rebuild& o);
  [[nodiscard]] std::optional<Error> refusal(const Pair& pair, bool needs_server) const;

  static std::vector<ServerStep> quieting();
  void save(const MemberPromise& next);
  void run(Plan plan, std::vector<ServerStep> steps);
  void abandon_plan(const Error& why);
  void answer(std::uint64_t order, std::optional<Error> error = {});
  void quiet(std::optional<std::uint64_t> order, After after, const GtidSet& receive = {});
  void settle_started(bool adopted);
  bool note_read(const ServerSnapshot& read, Instant now);
  void note_reset(const ServerSnapshot& read);
  void note_copied(const ServerSnapshot& read);
  void forget_names(MemberPromise& next);
  void note_own_writes(const ServerSnapshot& read);
  void notice(NoticeKind kind, std::string text);
  void remembers_all(MemberPromise& next);
  void kill_server(std::string why);
  void back_off(Instant now);
  [[nodiscard]] bool in_touch() const;
  void watch_isolation(Instant now);
  void drive(Instant now);
  void make_datadir(Instant now);
  void end_copies_in_the_way(Instant now);
  void look_after_readers(Instant now);
  [[nodiscard]] bool waits_for_applier() const;
  [[nodiscard]] bool may_end_readers() const;
  void apply_what_was_kept(Instant now);
  void watch_applier(Instant now);
  [[nodiscard]] std::vector<ServerStep> coming_to_rest(const order::Promote& o) const;
  [[nodiscard]] bool stuck() const;
  [[nodiscard]] std::vector<ServerStep> pointing_at(const order::Follow& o, bool relay_log_may_go) const;
  [[nodiscard]] bool counts(const Pair& pair) const;
  [[nodiscard]] bool abandons(const order::Follow& o) const;
  [[nodiscard]] bool loses_relay(const order::Follow& o) const;
  bool makes_sure_of_relay(std::uint64_t id, const order::Follow& o);
  void forgets_relay(MemberPromise& next) const;
  void notice_astray();
  // There is no server, and none is on its way.
  [[nodiscard]] bool down() const {
    return state_ == ServerState::kNone || state_ == ServerState::kExited || state_ == ServerState::kBroken;
  }
  [[nodiscard]] bool needs_copy() const {
    return !promise_.seeded && promise_.copies && !donor_ && state_ != ServerState::kPreparing;
  }
  // The scheduler knows this member by another volume. What is on this one counts for nothing, and its server id may be taken.
  [[nodiscard]] bool on_another_volume() const {
    return !config_.volume_name.empty() && promise_.volume != config_.volume_name;
  }
  void recover_seeding();

  MemberConfig config_;
  MemberPromise promise_;
  bool has_secrets_ = false, stopping_ = false;
  bool reading_relay_ = false;  // ReadRelay is under way
  bool relay_read_ = false;     // for the server that is started next
  ServerState state_ = ServerState::kNone;
  std::optional<std::string> adopted_;  // the mysqld that was found alive, until it answers
  std::optional<Running> running_;
  GtidSet logged_;  // what the server, in this life or the one before, was last seen to know that it has written
  MemberRole role_ = MemberRole::kIdle;  // in force
  bool settled_ = false;                 // the steps of the promised pair are done
  bool maybe_writable_ = false;  // a promotion was begun and no quieting has ended well since
  bool user_ready_ = false;
  std::uint64_t credentials_applied_ = 0;
  bool password_changed_ = false;
  std::vector<std::string> tampered_, repaired_;
  std::uint64_t repairs_ = 0;
  bool crashed_ = false;
  std::uint32_t memory_kills_ = 0;  // in a row
  std::string problem_;
  Instant start_at_{};
  Instant up_since_{};
  Duration backoff_{};
  std::uint64_t next_plan_ = 1;
  std::optional<Plan> plan_;
  std::vector<std::uint64_t> waiting_setup_;
  std::optional<order::Promote> promoted_;  // in force
  member_input::Contact contact_;
  std::optional<Instant> alone_since_;      // a primary that is in touch with nobody
  bool isolated_ = false;                   // it stopped serving for that
  std::optional<order::Promote> reopen_;    // what it was then
  std::uint32_t failed_fences_ = 0;  // in a row, of this server
  std::string write_trouble_;
  std::optional<order::Follow> followed_;   // in force
  std::optional<Donor> donor_;              // of the copy that is wanted or under way
  std::optional<Seeding> seeding_;
  Instant seeding_since_{};
  std::string errant_kept_;
  std::optional<Instant> draining_since_;   // fenced, and not all it received is executed
  std::optional<Instant> applier_asked_;    // ... and nothing applied it
  std::optional<ApplierStop> applier_stop_;
  std::optional<Instant> readers_asked_;    // the last EndReaders
  Instant idle_readers_asked_{};
  std::uint64_t watched_plan_ = 0;
  Instant watched_since_{};                 // that plan was first seen under way
  std::uint64_t notice_seq_ = 0;
  std::vector<Notice> notices_;
  bool events_run_ = false, written_on_ = false;
  std::string events_trouble_;
  mutable std::uint64_t seq_ = 0;
  MemberOutput out_;
};

}  // namespace mysos
