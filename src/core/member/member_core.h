// SPDX-License-Identifier: Apache-2.0
#pragma once
// The executor's brain. MemberCore takes one input at a time (an order, news of mysqld, a read of
// the server, the end of a plan of steps) and returns what must be done now. It has no file, socket
// or clock.
//
// Invariants: the promise is durable before anything that follows from it; an order below the
// promised pair is refused; mysqld always starts read-only, silent and with its receiver stopped;
// one plan of steps runs at a time, and its effect is reported as in force only after the plan has
// succeeded. A primary that reaches neither the scheduler nor a majority of the members for a while
// stops serving. It serves again when it reaches them, unless it got another order meanwhile. Each
// copy of another member's data needs an order of its own (seeding.cc).
// `life_` (server_life.h) holds what belongs to one server process, and ends with it.
// See docs/architecture.md, "Epochs".
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/member/input.h"
#include "core/member/output.h"
#include "core/member/promise.h"
#include "core/member/server_life.h"
#include "model/member_report.h"
#include "model/server_step.h"

namespace mysos {

struct MemberConfig {
  MemberId member;
  TaskId task;
  std::uint32_t index = 0;
  std::uint32_t server_id = 0;  // for the first data on its volume, from its launch
  std::string volume_name;      // of the volume that the scheduler knows; "" = it knows none yet
  std::string executor;  // random per process, for MemberReport
  bool relay_log_survives = true;  // MySQL: yes. MariaDB in GTID mode throws it away at a restart: amnesia
  std::uint16_t port = 0;
  std::uint64_t credentials = 0;  // the number of the user's password in its stored secrets
  bool keeps_sealed = true;       // its volume has the secrets of the cluster's record, encrypted
  Duration restart_min = std::chrono::milliseconds(100);  // back-off of mysqld restarts, doubling
  Duration restart_max = std::chrono::seconds(30);
  Duration news_first = std::chrono::milliseconds(20);  // before a start, which blocks the executor: report the exit first
  // Of a whole plan; a former primary that cannot be quieted in demote_deadline is killed instead.
  Duration step_deadline = std::chrono::seconds(5);
  Duration demote_deadline = std::chrono::milliseconds(500);
  Duration tidy_after = std::chrono::seconds(2);  // when a new primary forgets its source; not urgent
  Duration isolate_after = std::chrono::seconds(3);  // a primary that reaches nobody stops serving
  // MySQL: yes. MariaDB, where commits wait for an acker: ending one session may acknowledge what others wait for.
  bool kill_leaves_commits_waiting = true;
  Duration reader_idle_limit = std::chrono::minutes(5);  // of a user's idle transaction on a replica; 0 = none
};

class MemberCore {
 public:
  MemberCore(MemberPromise recovered, MemberConfig config, bool has_secrets);

  void step(const MemberInput& input, Instant now);
  MemberOutput take_output();
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] MemberReport report() const;
  [[nodiscard]] const MemberPromise& promise() const { return promise_; }
  [[nodiscard]] bool poll_fast() const;  // the shell must read the server every few ms, because an order or election waits

 private:
  using Down = server_life::Down;
  using MakingData = server_life::MakingData;
  using ReadingRelay = server_life::ReadingRelay;
  using Starting = server_life::Starting;
  using Running = server_life::Running;
  using Stopping = server_life::Stopping;
  using Plan = RunningPlan;
  using After = AfterPlan;

  static constexpr std::uint32_t kFencesThatMayFail = 1;
  // Where an applier stopped, and the result of starting it again.
  struct ApplierStop {
    GtidSet executed;            // a different set means that it has continued since
    std::uint32_t restarts = 0;  // after which it stopped here again
    bool asked = false;          // it has just been started again
    Instant asked_at{};
    Instant next{};
    Duration backoff{};
  };
  // What is known about the data, independent of the server process.
  struct DataNotes {
    GtidSet logged;  // what a server last showed as written to its binlog
    bool written_on = false;
    std::optional<ApplierStop> applier_stop;
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
  void decline_to_follow(Running& r, std::uint64_t id, const order::Follow& o);
  void obey(std::uint64_t id, const order::Certify& o);
  void obey(std::uint64_t id, const order::Rebuild& o);
  [[nodiscard]] std::optional<Error> refusal(const Pair& pair, bool needs_server) const;

  // ---- the server's life ----
  [[nodiscard]] Running* server() { return server_in(life_); }
  [[nodiscard]] const Running* server() const { return server_in(life_); }
  template <class Stage>
  [[nodiscard]] bool is() const {
    return std::holds_alternative<Stage>(life_);
  }
  void drive(Instant now);
  void make_datadir(Instant now);
  void recover_seeding();
  void settle_started(Running& r, bool adopted);
  void kill_server(std::string why);  // references to the Running are void afterwards
  [[nodiscard]] Instant after_backoff(Instant now);
  [[nodiscard]] MemberRole role_at_rest() const;
  [[nodiscard]] bool may_start() const;
  [[nodiscard]] bool needs_copy() const;
  [[nodiscard]] bool on_another_volume() const;

  void report_server(const Running& s, MemberReport& r) const;

  // ---- plans ----
  static std::vector<ServerStep> quieting();
  void run(Running& r, Plan plan, std::vector<ServerStep> steps);
  void abandon_plan(const Error& why);
  void plan_done(Running& r, const Plan& plan);
  void plan_failed(Running& r, const Plan& plan, const member_input::PlanEnded& in);
  void quiet(Running& r, std::optional<std::uint64_t> order, After after, const GtidSet& receive = {});
  void answer(std::uint64_t order, std::optional<Error> error = {});
  void save(const MemberPromise& next);
  void remembers_all(MemberPromise& next);

  // ---- what a running server shows ----
  bool note_read(Running& r, const ServerSnapshot& read, Instant now);
  static void note_refusal(Running& r, const ServerSnapshot& read);
  void note_reset(const ServerSnapshot& read);
  void note_copied(const ServerSnapshot& read);
  void forget_names(MemberPromise& next);
  void note_own_writes(const Running& r, const ServerSnapshot& read);
  void notice(NoticeKind kind, std::string text);
  void notice_astray(Running& r);
  [[nodiscard]] bool in_touch() const;
  void watch_isolation(Running& r, Instant now);
  void end_copies_in_the_way(Running& r, Instant now);
  void look_after_readers(Running& r, Instant now);
  [[nodiscard]] bool may_end_readers(const Running& r) const;

  // ---- its applier ----
  static std::vector<ServerStep> coming_to_rest(const Running& r, const order::Promote& o);
  static std::vector<ServerStep> pointing_at(const Running& r, const order::Follow& o, bool relay_log_may_go);
  void apply_what_was_kept(Running& r, Instant now);
  void watch_applier(const Running& r, Instant now);
  [[nodiscard]] bool counts(const Pair& pair) const;
  [[nodiscard]] bool loses_relay(const Running& r, const order::Follow& o) const;
  bool makes_sure_of_relay(Running& r, std::uint64_t id, const order::Follow& o);
  void forgets_relay(const Running& r, MemberPromise& next) const;

  MemberConfig config_;
  MemberPromise promise_;
  ServerLife life_;
  DataNotes data_;
  bool has_secrets_ = false, stopping_ = false;

  bool crashed_ = false;            // the last server ended by itself
  std::uint32_t memory_kills_ = 0;  // in a row
  Duration backoff_{};              // of the next start
  std::string problem_;             // cleared by the next success
  std::vector<std::string> repaired_;
  std::uint64_t repairs_ = 0;
  std::string write_trouble_;
  member_input::Contact contact_;

  std::optional<Donor> wanted_copy_;  // of whom, until it begins
  std::optional<Seeding> seeding_;    // the last one
  std::string errant_kept_;

  std::vector<std::uint64_t> waiting_setup_;
  std::uint64_t next_plan_ = 1;
  std::uint64_t notice_seq_ = 0;
  std::vector<Notice> notices_;
  mutable std::uint64_t seq_ = 0;
  MemberOutput out_;
};

}  // namespace mysos
