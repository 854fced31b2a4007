// SPDX-License-Identifier: Apache-2.0
#pragma once
// The real SchedulerCore and the real pipeline around it (core/pipeline/scheduler_pipeline.h: what waits, what makes one
// commit, when the core continues, what may be sent), on a simulated network, store and clock. It may die at any point, keeps
// only what was committed, and starts again from that. It may keep running when another one has become the leader, until the
// store refuses it (sim_store.h). After every commit, and every few decisions without a record, its state is compared with the
// fold of its records.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/pipeline/scheduler_pipeline.h"
#include "core/scheduler_core.h"
#include "sim/local_clock.h"
#include "sim/sim_executor.h"
#include "sim/sim_master.h"
#include "sim/sim_process.h"
#include "sim/sim_store.h"

namespace mysos::sim {

class SchedulerWorld {
 public:
  virtual ~SchedulerWorld() = default;
  // The living container whose member API listens there.
  virtual SimExecutor* executor_at(const std::string& ip, std::uint16_t api_port) = 0;
  virtual std::optional<std::uint32_t> machine_at(const std::string& ip) = 0;
  // With the events that are stored with it. `by`: what its scheduler saw; null where that has gone on since it decided this.
  virtual void committed(const SchedulerState& state, const std::vector<Event>& events, const SchedulerCore* by) = 0;
  // The store was put back to this earlier state.
  virtual void put_back(const SchedulerState& state) = 0;
  virtual void replied(const Reply& reply) = 0;
};

class SimScheduler final : private SimProcess {
 public:
  SimScheduler(Sim& sim, SchedulerWorld& world, SimMaster& master, SimStore& store);

  void start();   // and lead
  void crash();   // back by itself
  void retire();  // for good
  void freeze(Duration pause);
  void go_deaf() { deaf_ = true; }  // to the master, which would tell it that another one leads
  void crash_while_sending() {
    die_after_sends_ = sim_.prng.below(3);
  }  // at its next commit, a few messages later
  void request(SchedulerInput input) { give(std::move(input)); }

  [[nodiscard]] bool alive() const { return core_ != nullptr; }
  [[nodiscard]] bool awake_now() const { return core_ != nullptr && !freezer_.frozen(); }
  [[nodiscard]] bool leads() const { return store_.leader == term_; }
  [[nodiscard]] const SchedulerCore* core() const { return core_.get(); }
  [[nodiscard]] const SchedulerState& committed_state() const { return folded_; }

 private:
  struct Watch {
    WatchTarget target;
    std::shared_ptr<WatchConnection> connection;  // shared with the executor; null: none
    Instant heard{};
    bool connected = false;
  };
  void give(SchedulerInput input);
  void process();
  void turn();
  void act_early(SchedulerOutput& out);
  void go_on_with_commits();
  void try_commit(bool again);
  void committed();
  void store(const SchedulerOutput& out);
  void carry_out(SchedulerOutput out);
  void check_fold();
  void send_order(const SentOrder& sent);
  void order_done(std::uint64_t id, const MemberId& member, std::optional<Error> error,
                  SharedValue<MemberReport> report);
  bool dies_now();
  void arm_timer();
  void subscribe();
  void watch_master();
  void hear(const mesos::ExecutorMessage& message);
  void aim_watches();
  void connect_watch(const MemberId& member);
  void hear(const MemberId& member, const WatchConnection* from, const SharedValue<MemberReport>& report);
  void beat();
  void deliver_order(const SentOrder& sent, const std::string& ip, std::uint16_t port,
                     const std::function<void(std::optional<Error>, SharedValue<MemberReport>)>&
                         back);
  [[nodiscard]] bool runs() const override { return core_ != nullptr; }

  SchedulerWorld& world_;
  SimMaster& master_;
  SimStore& store_;
  std::uint64_t term_ = 0;  // as a leader of the store
  bool deaf_ = false;
  LocalClock clock_;
  SchedulerState folded_;
  std::uint64_t next_stream_ = 1;
  std::unique_ptr<SchedulerCore> core_;
  std::optional<SchedulerPipeline> pipeline_;  // while there is a core
  bool busy_ = false;              // it acts: what comes meanwhile waits
  bool decided_alone_ = false;     // the commit under way follows from one input, and the core has seen no other since
  Instant store_answers_{};        // when the try under way ends
  std::optional<std::uint64_t> die_after_sends_;
  Instant timer_ = kNever;
  Instant ticked_{};
  int idle_ticks_ = 0;
  std::uint64_t steps_ = 0;
  std::shared_ptr<SubscribeLink> link_;  // shared with the master
  std::map<MemberId, Watch> watches_;
  std::map<std::uint64_t, MemberId> orders_;  // sent, not answered
  std::map<MemberId, std::uint64_t> latest_;  // order that came to a member
};

SchedulerConfig sim_scheduler_config();

}  // namespace mysos::sim
