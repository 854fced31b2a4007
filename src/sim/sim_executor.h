// SPDX-License-Identifier: Apache-2.0
#pragma once
// One container: an executor and its mysqld, on one volume. The executor is the real MemberCore and the real pipeline around it
// (core/member/pipeline.h: what waits, what may leave before a promise is durable, what is reported meanwhile), on a simulated
// server, disk, network and clock. Its thread waits for the disk while a promise is written; a full disk refuses the
// promise. Either process may die at any moment without the other. Dead containers stay dead: the next launch is another one.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/shared_value.h"
#include "core/member/pipeline.h"
#include "core/member/stuck_commits.h"
#include "sim/local_clock.h"
#include "sim/sim_process.h"
#include "sim/sim_server.h"
#include "sim/sim_volume.h"

namespace mysos::sim {

// A scheduler's watch stream, as the executor sees it.
struct WatchConnection {
  std::shared_ptr<Stream> stream = std::make_shared<Stream>();  // shared with what flies
  std::function<void(const SharedValue<MemberReport>&)> deliver;  // runs at the scheduler
};

class SimExecutor final : private SimProcess {
 public:
  // `ended(status)`: the container is gone, for its agent; 0 = it ended in good order.
  SimExecutor(Sim& sim, ServerWorld& world, const MemberSpec& spec, std::uint32_t machine,
              SimVolume& volume, std::function<void(int)> ended);

  void launch();
  void stop();                           // the task is killed
  void die(bool power_lost = false);     // the whole container, at once
  void container_dies();                 // ... and its agent notices
  void crash_executor(bool server_too);  // it is started again beside the volume within a second
  void crash_at_next_promise(bool yes = true) { die_in_sync_ = yes; }
  void crash_server(const std::string& how) { server_.crash(how); }
  void freeze(Duration pause);  // the executor is stopped, and goes on after it
  [[nodiscard]] bool sees_server() const;  // it has read it, and is about to read it again
  // Its answer to a message that asks who it is; none: nobody is there to answer.
  [[nodiscard]] std::optional<MemberIdentity> identity() const;

  // The member API. `answer` is called here; the caller sends it over the network.
  void order(const MemberId& member, const Order& order,
             std::function<void(std::optional<Error>, SharedValue<MemberReport>)> answer);
  bool watch(const MemberId& member, std::shared_ptr<WatchConnection> connection);
  [[nodiscard]] bool says_primary();

  [[nodiscard]] bool container_alive() const { return container_; }
  [[nodiscard]] bool executor_alive() const { return pipeline_.has_value(); }
  [[nodiscard]] const MemberSpec& spec() const { return spec_; }
  [[nodiscard]] std::uint32_t machine() const { return machine_; }
  [[nodiscard]] const SimVolume& volume() const { return volume_; }
  [[nodiscard]] SimDisk& disk() { return volume_.disk; }
  [[nodiscard]] SimServer& server() { return server_; }
  [[nodiscard]] Node node() const { return executor_node(machine_); }

 private:
  struct WaitingOrder {
    std::optional<Pair> pair;
    std::function<void(std::optional<Error>, SharedValue<MemberReport>)> answer;
  };
  void start_executor();
  void greet_server();
  void server_up();
  void own_up_to_reset();
  void end_readers(Duration watched);
  void give(MemberInput input);
  void process();
  void keep_promise();
  void promise_kept();
  void carry_out(MemberOutput out);
  void act(const ServerAction& action);
  void make_datadir(const server_action::MakeDatadir& action);
  void copy_of(const server_action::MakeDatadir& action);
  void read_relay();
  void begin_plan(StepPlan plan);
  void next_step();
  void end_plan(std::optional<std::string> failure);
  void poll_server();
  void look();
  void arm_timer();
  void push_stuck(ServerSnapshot& seen);
  void watch_beat();
  void look_around();
  void probe_volume();
  void guard();
  void look_at(const MemberReport& report);
  [[nodiscard]] SharedValue<MemberReport> report() { return pipeline_->report(server_.alive()); }
  void report_to_watchers(const SharedValue<MemberReport>& report);
  [[nodiscard]] bool runs() const override { return pipeline_.has_value(); }

  struct Copying;
  void copy_on(const std::shared_ptr<Copying>& copy);
  void make_room(const Copying& copy);
  SimServer* primary_of(const Copying& copy);

  ServerWorld& world_;
  MemberSpec spec_;
  std::uint32_t machine_;
  SimVolume& volume_;
  std::function<void(int)> ended_;
  SimServer server_;
  bool container_ = false;
  bool die_in_sync_ = false;
  LocalClock clock_;
  std::optional<MemberPipeline> pipeline_;  // while the executor lives
  bool busy_ = false;     // it acts: what comes meanwhile waits
  bool writing_ = false;  // its thread waits for the disk, and for nothing else
  Instant timer_ = kNever;
  int idle_ticks_ = 0;
  std::optional<StepPlan> plan_;
  std::optional<StepPlan> next_plan_;
  std::size_t step_ = 0;
  std::uint64_t plan_token_ =
      0;  // changes with each step begun, so that a late end is not mistaken for another's
  std::uint64_t steps_ended_ = 0;  // a read that began before the last one is thrown away
  std::uint64_t next_order_ = 1;
  std::map<std::uint64_t, WaitingOrder> waiting_orders_;
  std::vector<std::shared_ptr<WatchConnection>> watchers_;
  // What the core was given last: it is not given the same again.
  std::optional<ServerSnapshot> shown_;
  StuckCommits stuck_;  // of the server that runs
  std::optional<member_input::Contact> contact_;
  std::optional<Instant> alone_since_;  // in touch with nobody, and free to act on it
  std::string trouble_;
  bool saw_wait_ = false;  // its applier waited for a lock when it was looked at last
  Instant guards_at_{};
};

}  // namespace mysos::sim
