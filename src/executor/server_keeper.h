// SPDX-License-Identifier: Apache-2.0
#pragma once
// Runs the member's mysqld for MemberLoop. It makes the data directory, starts the server and
// waits until it serves, watches its process (by its pidfd, so it reports an exit at once), carries
// out plans step by step, reads snapshots, and makes the user's account beside the plans.
//
// Invariants: at most one server; one plan at a time, and a replaced plan does nothing after its
// running step; a snapshot that was read while a step ended is dropped. News goes to `tell`, which
// may call back into this class. Belongs to the io_context's thread; blocking work, such as a copy
// of the data, runs on the threads of pools.h.
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/asio.h"
#include "base/task_group.h"
#include "core/member/event_duty.h"
#include "executor/datadir_maker.h"
#include "executor/member_loop.h"
#include "executor/pools.h"
#include "executor/snapshot_source.h"
#include "model/cluster.h"
#include "mysql/datadir.h"
#include "mysql/port_guard.h"
#include "mysql/server_ops.h"
#include "mysql/server_process.h"

namespace mysos {

inline constexpr Duration kPollEvery = std::chrono::milliseconds(200);
inline constexpr Duration kPollSpread = std::chrono::milliseconds(50);
inline constexpr Duration kPollFastMin = std::chrono::milliseconds(2);  // grows, because the wait may take minutes
inline constexpr Duration kPollFastMax = std::chrono::milliseconds(20);
inline constexpr Duration kTidyDeadline = std::chrono::seconds(5);
inline constexpr Duration kPointDeadline = std::chrono::milliseconds(500);  // beforehand: the order that needs it waits
inline constexpr Duration kReadDeadline = std::chrono::seconds(2);
inline constexpr Duration kUserDeadline = std::chrono::seconds(10);
inline constexpr Duration kEventsDeadline = std::chrono::seconds(10);
inline constexpr Duration kUserRetryMin = std::chrono::milliseconds(50);
inline constexpr Duration kUserRetryMax = std::chrono::seconds(5);
inline constexpr Duration kAckersLookMin = std::chrono::milliseconds(5);
inline constexpr Duration kAckersLookMax = std::chrono::milliseconds(100);
inline constexpr Duration kAttachPatience = std::chrono::seconds(3);
inline constexpr Duration kAttachPause = std::chrono::milliseconds(20);
inline constexpr Duration kGuardEvery = std::chrono::seconds(1);
inline constexpr Duration kGuardAtMost = std::chrono::minutes(1);  // if a repair is not possible
inline constexpr Duration kPortLookEvery = std::chrono::seconds(1);
inline constexpr Duration kTellStrangersEvery = std::chrono::minutes(1);
inline constexpr Duration kMendDeadline = std::chrono::milliseconds(300);  // a fence may be waiting
inline constexpr Duration kGuardWaits = std::chrono::seconds(5);   // for a plan that is at work
inline constexpr Duration kMaxServerStart =
    std::chrono::hours(12);  // crash recovery of a big redo log is slow
inline constexpr Duration kDefaultShutdownGrace = std::chrono::seconds(30);

struct KeeperConfig {
  MemberSpec spec;
  mysql::Distribution distribution;
  std::string server_dir;    // mysql::server_layout()
  std::string template_dir;  // cache of template datadirs
  std::string errant_dir;    // where binlogs with errant transactions are kept
  std::function<void(const json::object&)> keep_secrets = {};  // on the volume
  std::optional<ProcessUser> user;
};

class ServerKeeper final : public ServerSide {
 public:
  ServerKeeper(TaskGroup& tasks, KeeperConfig config, std::function<void(MemberInput)> tell);
  ~ServerKeeper() override;

  [[nodiscard]] bool finds_server() const { return mysql::ServerProcess::adopt(layout_).has_value(); }
  // Finds the server that an earlier executor left running. Call once, before anything else; call
  // begin_adopted() when the loop knows about the server.
  std::optional<std::string> adopt();
  void begin_adopted();

  void act(const ServerAction& action) override;
  void run(StepPlan plan) override;
  void poll_fast(bool fast) override;
  Result<TakenSecrets> use_secrets(const json::object& secrets, const std::optional<json::object>& stored) override;
  [[nodiscard]] bool alive() const override { return run_ != nullptr; }

  // How long mysqld gets between SIGTERM and SIGKILL.
  void set_shutdown_grace(Duration grace) { shutdown_grace_ = grace; }
  void kill();
  SnapshotService& snapshots() { return snapshots_; }

 private:
  struct Run;  // one mysqld process
  class Turn;
  using RunPtr =
      std::shared_ptr<Run>;  // shared with its tasks, which may end after the process
  void begin(mysql::ServerProcess process);
  void start(std::uint32_t server_id);
  void ensure_user();
  [[nodiscard]] mysql::ServerSpec server_spec(std::uint32_t server_id) const;
  [[nodiscard]] SnapshotSource::Eyes snapshot_eyes();
  asio::awaitable<void> make_datadir(server_action::MakeDatadir wanted);
  void end_copies();
  asio::awaitable<void> end_clones(RunPtr run);
  asio::awaitable<void> end_readers(RunPtr run, Duration watched);
  asio::awaitable<Result<std::set<mysql::Xid>>> prepared_in_binlogs(std::size_t wanted);
  asio::awaitable<void> end_idle_readers(RunPtr run, Duration limit);
  void readers_ended(const RunPtr& run, const Result<std::string>& ended);
  asio::awaitable<void> read_relay(bool keep_earlier);
  asio::awaitable<void> drop_relay();
  asio::awaitable<void> watch_exit(RunPtr run);
  asio::awaitable<void> bring_up(RunPtr run);
  asio::awaitable<void> poll(RunPtr run);
  asio::awaitable<void> listen(RunPtr run);
  asio::awaitable<void> push_commits(RunPtr run);
  void mind_events(const RunPtr& run, const ServerSnapshot& seen);
  asio::awaitable<void> do_events(RunPtr run, EventDuty::Act act);
  asio::awaitable<Status> start_events(RunPtr run);
  asio::awaitable<void> guard(RunPtr run);
  asio::awaitable<Result<bool>> guard_once(RunPtr run, bool told_before);
  asio::awaitable<void> mend(RunPtr run, std::vector<mysql::Deviation> found);
  asio::awaitable<void> note_password(RunPtr run);
  asio::awaitable<void> look_at_binlogs(RunPtr run);
  asio::awaitable<void> guard_port(RunPtr run);
  asio::awaitable<void> guard_port_once(RunPtr run);
  void tell_strangers(const RunPtr& run, const mysql::Strangers& ended);
  asio::awaitable<void> shut_down(RunPtr run);
  asio::awaitable<void> carry_out(RunPtr run, StepPlan plan);
  asio::awaitable<std::optional<std::string>> steps_of(RunPtr run, StepPlan plan, Instant until);
  asio::awaitable<void> attach(RunPtr run, std::uint64_t plan);
  asio::awaitable<Status> do_step(RunPtr run, const ServerStep& step, Duration at_most, std::string_view when);
  asio::awaitable<void> tidy(RunPtr run, std::uint64_t plan, std::vector<ServerStep> steps, Instant at);
  asio::awaitable<Status> keep_given_up(step::KeepRelayLog what);
  asio::awaitable<void> start_applier(RunPtr run);
  asio::awaitable<bool> ackers_are_there(RunPtr run);
  asio::awaitable<void> make_user(RunPtr run);
  [[nodiscard]] bool current(const RunPtr& run, std::uint64_t plan) const;
  [[nodiscard]] std::string kept_relay() const { return layout_.dir + "/relay-kept"; }

  TaskGroup& tasks_;
  KeeperConfig config_;
  mysql::ServerLayout layout_;
  std::function<void(MemberInput)> tell_;
  Pools pools_;
  DatadirMaker maker_;
  SnapshotSource snapshots_;
  std::optional<mysql::Secrets> secrets_;
  RunPtr run_;
  std::uint64_t plan_ = 0;  // the newest
  bool fast_ = false;
  Signal poll_now_;
  bool user_wanted_ = false;
  bool user_lane_busy_ = false;
  Duration shutdown_grace_ = kDefaultShutdownGrace;
};

}  // namespace mysos
