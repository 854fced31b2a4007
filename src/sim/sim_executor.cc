// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "core/orders.h"
#include "sim/checkers.h"

namespace mysos::sim {
namespace {

constexpr int kMaxIdleTicks = 100;
constexpr std::uint64_t kTidy = 0;  // no plan of MemberCore has this id: it is told of the end and does not listen
constexpr Duration kTidyDeadline = seconds(5);

ServerIdentity identity_of(const MemberSpec& spec, std::uint32_t machine) {
  return {spec.cluster, spec.member, machine, spec.flavour};
}

}  // namespace

SimExecutor::SimExecutor(Sim& sim, ServerWorld& world, const MemberSpec& spec,
                         std::uint32_t machine, SimVolume& volume, std::function<void(int)> ended)
    : SimProcess(sim),
      world_(world),
      spec_(spec),
      machine_(machine),
      volume_(volume),
      ended_(std::move(ended)),
      server_(sim, world, identity_of(spec, machine), volume.disk),
      clock_(sim) {}

// ---- life ----

void SimExecutor::launch() {
  container_ = true;
  ++sim_.container_changes;
  start_executor();
}

void SimExecutor::start_executor() {
  ++life_;
  MemberConfig config;
  config.member = spec_.member;
  config.task = spec_.task;
  config.index = spec_.index;
  config.server_id = spec_.server_id;
  config.volume_name = spec_.volume_name;
  config.executor = sim_.prng.name(8);
  config.relay_log_survives = spec_.flavour == Flavour::kMysql;
  config.port = spec_.port;
  config.isolate_after = seconds(3);
  if (volume_.promise.volume.empty()) volume_.promise.volume = sim_.prng.name(8);
  pipeline_.emplace(MemberCore(volume_.promise, config, volume_.secrets));
  shown_.reset();
  contact_.reset();
  alone_since_.reset();
  trouble_.clear();
  sim_.tell([&] {
    return fmt::format("{} executor starts, promised {}", spec_.member.str(),
                       to_string(volume_.promise.pair));
  });
  if (server_.alive()) {
    sim_.coverage.hit(Mark::kAdopted);
    server_.watch([this] { greet_server(); },
                  [this](const std::string& how) { give(member_input::ServerExited{how}); });
    give(member_input::ServerAdopted{server_.incarnation()});
    if (server_.accepting()) greet_server();
  } else {
    give(member_input::Tick{});
  }
  poll_server();
  watch_beat();
}

// It is tried until it answers: a server that is stopped will.
void SimExecutor::greet_server() {
  later(milliseconds(2), [this] {
    if (!server_.accepting()) return;
    if (!server_.answering()) return later(milliseconds(50), [this] { greet_server(); });
    server_up();
  });
}

void SimExecutor::server_up() {
  shown_.reset();
  stuck_ = {};
  give(member_input::ServerUp{server_.incarnation(), "sim", std::to_string(server_.data()->server_id)});
}

void SimExecutor::freeze(Duration pause) {
  if (!pipeline_ || freezer_.frozen()) return;
  sim_.tell([&] {
    return fmt::format("{} executor is stopped for {} ms", spec_.member.str(), to_ms(pause));
  });
  freezer_.freeze();
  alone_since_.reset();
  sim_.after(pause, [this, life = life_] {
    if (life != life_) return;
    sim_.coverage.hit(Mark::kFrozenExecutor);
    sim_.tell([&] { return fmt::format("{} executor goes on", spec_.member.str()); });
    busy_ = true;  // all that came meanwhile is there before it looks
    freezer_.thaw();
    busy_ = false;
    process();
  });
}

void SimExecutor::stop() { give(member_input::Stop{}); }

void SimExecutor::crash_executor(bool server_too) {
  if (!pipeline_) return;
  if (pipeline_->promise() != nullptr) {
    const bool written = writing_ && !volume_.disk.refuses(sim_.now()) && sim_.prng.chance(500);
    if (written && sim_.mutation != Mutation::kVolatilePromise) volume_.promise = *pipeline_->promise();
    sim_.coverage.hit(written ? Mark::kPromiseKeptUnseen : Mark::kPromiseLostBeforeSync);
  }
  if (sim_.mutation == Mutation::kVolatilePromise) volume_.promise.pair = Pair{};
  own_up_to_reset();
  sim_.tell([&] {
    return fmt::format("{} executor dies{}", spec_.member.str(),
                       server_too ? " with its mysqld" : "");
  });
  ++life_;
  pipeline_.reset();
  writing_ = false;
  plan_.reset();
  next_plan_.reset();
  ++plan_token_;
  timer_ = kNever;
  waiting_orders_.clear();
  for (auto& w : watchers_) w->stream->close();
  watchers_.clear();
  freezer_.thaw();  // what it had not come to finds that it is dead
  server_.forget_watcher();
  if (server_too) server_.crash("killed with its executor");
  sim_.after(sim_.between(milliseconds(50), seconds(1)), [this, life = life_] {
    if (life == life_ && container_ && !pipeline_) start_executor();
  });
}

void SimExecutor::die(bool power_lost) {
  if (!container_) return;
  if (power_lost) server_.crash("the power is gone", true);
  crash_executor(true);
  server_.forget_watcher();
  server_.crash("its container is gone");
  container_ = false;
  ++sim_.container_changes;
  ++life_;
}

void SimExecutor::container_dies() {
  if (!container_) return;
  die();
  ended_(9);
}

// ---- the loop around MemberCore ----

void SimExecutor::give(MemberInput input) {
  if (!pipeline_) return;
  if (freezer_.frozen()) return awake([this, input = std::move(input)] { give(input); });
  pipeline_->push(std::move(input));
  process();
}

void SimExecutor::process() {
  if (busy_ || writing_) return;
  busy_ = true;
  while (pipeline_ && pipeline_->next() != nullptr) {
    auto out = pipeline_->step(clock_.now(sim_.now()));
    out ? carry_out(*std::move(out)) : keep_promise();
  }
  busy_ = false;
  if (pipeline_) arm_timer();
}

void SimExecutor::arm_timer() {
  const Instant at = clock_.real(pipeline_->due());
  if (at == kNever || at >= timer_) return;
  idle_ticks_ = at > sim_.now() ? 0 : idle_ticks_ + 1;
  if (idle_ticks_ > kMaxIdleTicks)
    return sim_.violate("an executor spins: its deadline stays in the past");
  timer_ = at;
  later(std::max(Duration{}, at - sim_.now()), [this, at] {
    if (timer_ == at) timer_ = kNever;
    give(member_input::Tick{});
  });
}

void SimExecutor::keep_promise() {
  SimDisk& disk = volume_.disk;
  writing_ = true;
  alone_since_.reset();
  if (disk.stalled_until > sim_.now()) sim_.coverage.hit(Mark::kDiskStalled);
  if (disk.refuses(sim_.now())) {
    later(sim_.between(microseconds(100), disk.sync_most), [this] {
      writing_ = false;
      later(pipeline_->refused("no space is left on the volume"), [this] { keep_promise(); });
      report_to_watchers(report());
    });
    return;
  }
  if (std::exchange(die_in_sync_, false)) {
    later(microseconds(100), [this] { crash_executor(sim_.prng.chance(500)); });
  }
  later(disk.sync(sim_) + disk.sync(sim_), [this] { promise_kept(); });
}

void SimExecutor::promise_kept() {
  const MemberPromise& kept = *pipeline_->promise();
  if (!pipeline_->problem().empty()) sim_.coverage.hit(Mark::kPromiseRefused);
  const bool named_anew = volume_.promise.logs_reset && !kept.logs_reset;
  if (named_anew && volume_.data) volume_.data->reset = false;
  volume_.promise = kept;
  writing_ = false;
  const bool acted = std::exchange(busy_, true);
  carry_out(pipeline_->durable());
  busy_ = acted;
  process();
}

void SimExecutor::carry_out(MemberOutput out) {
  for (const ServerAction& a : out.server) act(a);
  if (out.plan) begin_plan(std::move(*out.plan));
  for (const Answer& a : out.answers) {
    const auto waiting = waiting_orders_.find(a.order);
    if (waiting == waiting_orders_.end()) continue;
    if (a.error && a.error->code == Errc::kFenced) sim_.coverage.hit(Mark::kOrderRefused);
    const WaitingOrder order = std::move(waiting->second);
    waiting_orders_.erase(waiting);
    if (!a.error && order.pair) check_promise(sim_, spec_.member, volume_, *order.pair);
    order.answer(a.error, report());
  }
  if (out.report_changed) report_to_watchers(report());
  if (!out.finished) return;
  die();
  ended_(0);
}

void SimExecutor::act(const ServerAction& action) {
  struct Act {
    SimExecutor& self;
    void operator()(const server_action::MakeDatadir& a) const { self.make_datadir(a); }
    void operator()(const server_action::ReadRelay&) const { self.read_relay(); }
    void operator()(const server_action::DropRelay&) const {}  // for people, and nobody looks here
    void operator()(const server_action::Start&) const {
      SimExecutor& s = self;
      MYSOS_ASSERT(s.volume_.data.has_value(), "a server starts on a datadir that is there");
      if (s.server_.alive()) return s.sim_.violate("a second mysqld was started on one datadir");
      s.server_.start(
          *s.volume_.data,
          [&s] { s.server_up(); },
          [&s](const std::string& how) { s.give(member_input::ServerExited{how}); });
    }
    void operator()(const server_action::Shutdown&) const { self.server_.shutdown(); }
    void operator()(const server_action::Kill&) const {
      self.later(milliseconds(1), [&s = self] { s.server_.crash("killed by its executor"); });
    }
    void operator()(const server_action::EnsureUser&) const {
      self.server_.ensure_user([&s = self, life = self.life_] {
        if (life == s.life_) s.give(member_input::UserReady{true});
      });
    }
    void operator()(const server_action::StartApplier&) const {
      self.later(milliseconds(1), [&s = self, life = self.server_.starts()] {
        if (s.plan_ || !s.server_.answering() || s.server_.starts() != life) return;
        s.server_.run_step(step::StartApplier{}, s.volume_.promise.pair, [](const auto&) {});
        s.shown_.reset();
      });
    }
    void operator()(const server_action::EndCopies&) const { self.server_.end_copies(); }
    void operator()(const server_action::EndReaders& a) const { self.end_readers(a.watched); }
    void operator()(const server_action::EndIdleReaders&) const {}
  };
  std::visit(Act{*this}, action);
}

// It is all there until the server starts; now and then it cannot be read with certainty.
void SimExecutor::read_relay() {
  later(sim_.between(milliseconds(1), milliseconds(40)), [this] {
    const std::deque<TxnId>& relay = volume_.data->relay;
    const bool certain = !sim_.prng.chance(250);
    if (certain && !relay.empty()) sim_.coverage.hit(Mark::kKnown);
    member_input::RelayRead read;
    if (certain) {
      read.held.emplace();
      const std::size_t lost = sim_.mutation == Mutation::kKnownTooLittle && !relay.empty() ? 1 : 0;
      for (std::size_t i = 0; i + lost < relay.size(); ++i) {
        const Txn& t = sim_.txns[relay[i]];
        read.held->add(t.source, 1, t.number);
      }
    }
    give(std::move(read));
  });
}

// ---- plans of steps ----

void SimExecutor::begin_plan(StepPlan plan) {
  alone_since_.reset();
  if (plan_) {
    next_plan_ = std::move(plan);  // at the border of the step that runs
    return;
  }
  plan_ = std::move(plan);
  step_ = 0;
  later(plan_->deadline, [this, id = plan_->id] {
    if (!plan_ || plan_->id != id) return;
    ++plan_token_;
    end_plan("it took too long: " +
             describe(plan_->steps[std::min(step_, plan_->steps.size() - 1)]));
  });
  next_step();
}

void SimExecutor::next_step() {
  if (next_plan_) return end_plan("a newer plan came");
  if (step_ == plan_->steps.size()) return end_plan(std::nullopt);
  const std::uint64_t token = ++plan_token_;
  later(sim_.between(microseconds(200), milliseconds(3)), [this, token] {
    if (token != plan_token_ || !plan_) return;
    if (next_plan_) return end_plan("a newer plan came");
    server_.run_step(
        plan_->steps[step_], volume_.promise.pair, [this, token, life = life_](std::optional<std::string> failure) {
          if (life != life_ || !pipeline_) return;
          later(sim_.between(microseconds(100), milliseconds(2)),
                     [this, token, failure = std::move(failure)] {
                       if (token != plan_token_ || !plan_) return;
                       ++steps_ended_;
                       if (failure) {
                         sim_.tell([&] {
                           return fmt::format("{} step failed: {}: {}", spec_.member.str(),
                                              describe(plan_->steps[step_]), *failure);
                         });
                         return end_plan(failure);
                       }
                       ++step_;
                       next_step();
                     });
        });
  });
}

void SimExecutor::end_plan(std::optional<std::string> failure) {
  const std::uint64_t id = plan_->id;
  const std::vector<ServerStep> afterwards = plan_->afterwards;
  const Duration in = plan_->afterwards_in;
  ++steps_ended_;
  shown_.reset();
  plan_.reset();
  if (next_plan_) {
    begin_plan(*std::exchange(next_plan_, std::nullopt));
    return;
  }
  if (!failure && !afterwards.empty()) {
    later(in, [this, token = plan_token_, afterwards] {
      if (plan_ || token != plan_token_) return;
      begin_plan({kTidy, afterwards, kTidyDeadline, {}, {}});
    });
  }
  member_input::PlanEnded ended{id, std::move(failure), {}};
  if (server_.answering()) ended.after = server_.read();
  give(std::move(ended));
}

// ---- the member API ----

void SimExecutor::order(const MemberId& member, const Order& order,
                        std::function<void(std::optional<Error>, SharedValue<MemberReport>)> answer) {
  if (!pipeline_) return;  // the caller sees a refused connection, or nothing
  if (member != spec_.member) return;
  if (freezer_.frozen()) {
    return awake([this, member, order, answer = std::move(answer)] {
      this->order(member, order, answer);
    });
  }
  if (std::holds_alternative<order::Setup>(order) && !volume_.secrets) {
    volume_.secrets = true;
    give(member_input::SecretsStored{});
  }
  const std::uint64_t id = next_order_++;
  waiting_orders_[id] = {pair_of(order), std::move(answer)};
  give(member_input::OrderGiven{id, order});
}

bool SimExecutor::says_primary() {
  if (!pipeline_ || writing_ || freezer_.frozen()) return false;
  const SharedValue<MemberReport> r = report();
  return r->role == MemberRole::kPrimary && r->writable;
}

}  // namespace mysos::sim
