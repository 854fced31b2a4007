// SPDX-License-Identifier: Apache-2.0
#pragma once
// The shell around the real SchedulerCore: one input at a time; what it says is carried out in the
// order of its contract (records durable, then calls, orders, replies). It may die at any point of
// that, keeps only what was committed, and starts again from it. After every step its state is
// compared with the fold of its records.
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/scheduler_core.h"
#include "sim/sim_executor.h"
#include "sim/sim_master.h"

namespace mysos::sim {

class SchedulerWorld {
 public:
  virtual ~SchedulerWorld() = default;
  // The living container whose member API listens there.
  virtual SimExecutor* executor_at(const std::string& ip, std::uint16_t api_port) = 0;
  virtual std::optional<std::uint32_t> machine_at(const std::string& ip) = 0;
  virtual void committed(const SchedulerState& state) = 0;
  virtual void replied(const Reply& reply) = 0;
};

class SimScheduler {
 public:
  SimScheduler(Sim& sim, SchedulerWorld& world, SimMaster& master);

  void start();
  void crash();  // back by itself
  void crash_while_sending() {
    die_after_sends_ = sim_.prng.below(3);
  }  // at its next commit, a few messages later
  void request(SchedulerInput input) { give(std::move(input)); }

  [[nodiscard]] bool alive() const { return core_ != nullptr; }
  [[nodiscard]] const SchedulerCore* core() const { return core_.get(); }
  [[nodiscard]] const SchedulerState& committed_state() const { return folded_; }

 private:
  using Store = std::map<std::string, std::map<std::string, std::string>>;
  struct Watch {
    WatchTarget target;
    std::shared_ptr<WatchConnection> connection;  // shared with the executor; null: none
    Instant heard{};
    bool connected = false;
  };
  void give(SchedulerInput input);
  void process();
  void commit(const SchedulerOutput& out);
  void carry_out(SchedulerOutput out);
  void check_fold();
  void send_order(const SentOrder& sent);
  void order_done(std::uint64_t id, const MemberId& member, std::optional<Error> error,
                  std::optional<MemberReport> report);
  bool dies_now();
  void arm_timer();
  void subscribe();
  void watch_master();
  void aim_watches();
  void connect_watch(const MemberId& member);
  void beat();
  void later(Duration delay, std::function<void()> f);

  Sim& sim_;
  SchedulerWorld& world_;
  SimMaster& master_;
  Store store_;
  Store before_;  // the last transaction (for Mutation::kStoreForgets)
  SchedulerState folded_;
  std::uint64_t life_ = 0;
  std::uint64_t next_stream_ = 1;
  std::unique_ptr<SchedulerCore> core_;
  std::deque<SchedulerInput> inbox_;
  std::optional<SchedulerOutput> committing_;
  std::optional<std::uint64_t> die_after_sends_;
  Instant timer_ = kNever;
  int idle_ticks_ = 0;
  std::shared_ptr<SubscribeLink> link_;  // shared with the master
  std::map<MemberId, Watch> watches_;
  std::map<std::uint64_t, MemberId> orders_;  // sent, not answered
};

SchedulerConfig sim_scheduler_config();

}  // namespace mysos::sim
