// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/orders.h"
#include "sim/story.h"

namespace mysos::sim {
namespace {

constexpr int kMaxIdleTicks = 100;
constexpr std::uint64_t kFoldEvery = 8;  // steps without a record: a state that differs stays so
constexpr Duration kCommitRetry = milliseconds(250);
constexpr Duration kCommitPatience = milliseconds(500);  // then the core goes on without it

void append(SchedulerOutput& to, SchedulerOutput from) {
  const auto move_all = [](auto& into, auto& source) {
    into.insert(into.end(), std::make_move_iterator(source.begin()), std::make_move_iterator(source.end()));
  };
  move_all(to.records, from.records);
  move_all(to.calls, from.calls);
  move_all(to.orders, from.orders);
  move_all(to.replies, from.replies);
  move_all(to.events, from.events);
  to.watches_changed = to.watches_changed || from.watches_changed;
}

}  // namespace

SchedulerConfig sim_scheduler_config() {
  SchedulerConfig c;
  c.executor_command = "exec mysos executor";
  c.bind = "";  // each machine has an address of its own
  c.versions = {{"mariadb-10.11", Flavour::kMariadb, mib(256)},
                {"mysql-9.7", Flavour::kMysql, mib(512)}};
  c.orphan_grace = seconds(20);
  c.relaunch_max = seconds(5);
  c.implicit_reconcile = seconds(60);
  c.kill_grace = seconds(10);
  c.times.approach_wait = seconds(6);  // faults last for twenty
  c.times.rebuild_only_after = seconds(15);
  c.times.relapse_hold_max = seconds(40);
  return c;
}

SimScheduler::SimScheduler(Sim& sim, SchedulerWorld& world, SimMaster& master, SimStore& store)
    : SimProcess(sim), world_(world), master_(master), store_(store), clock_(sim) {}

// ---- life ----

void SimScheduler::start() {
  term_ = ++store_.leader;
  auto recovered = SchedulerState::recover(store_.records);
  if (!recovered) return sim_.violate("the store does not read back: " + recovered.error().message);
  ++life_;
  folded_ = *recovered;
  core_ = std::make_unique<SchedulerCore>(*std::move(recovered), sim_scheduler_config(),
                                          sim_.prng.fork(), clock_.now(sim_.now()));
  sim_.tell([&] {
    return fmt::format("the scheduler starts with {} cluster(s)", folded_.clusters.size());
  });
  timer_ = kNever;
  subscribe();
  aim_watches();
  beat();
  if (store_.put_back) give(scheduler_input::StatePutBack{"the state was put back"});
  give(scheduler_input::Tick{});
}

void SimScheduler::crash() {
  if (!core_) return;
  sim_.coverage.hit(Mark::kSchedulerCrash);
  if (committing_) {
    const bool made_it = leads() && store_.refuses_until <= sim_.now() && sim_.prng.chance(500);
    if (made_it) {
      commit(*committing_);
      sim_.coverage.hit(Mark::kSchedulerCrashUnsent);
    }
    sim_.tell([&] {
      return fmt::format("the scheduler dies while committing; it is {}",
                         made_it ? "kept" : "lost");
    });
  } else {
    sim_.tell([] { return std::string("the scheduler dies"); });
  }
  if (sim_.mutation == Mutation::kStoreForgets && leads()) store_.records = store_.before;
  ++life_;
  core_.reset();
  freezer_.thaw();  // what it had not come to finds that it is dead
  inbox_.clear();
  committing_.reset();
  undone_ = {};
  die_after_sends_.reset();
  orders_.clear();
  if (link_) link_->up->close(), link_->down->close();
  link_.reset();
  for (auto& [id, w] : watches_) {
    if (w.connection) w.connection->stream->close();
  }
  watches_.clear();
  sim_.after(sim_.between(milliseconds(100), seconds(4)), [this, life = life_] {
    if (life == life_ && leads()) start();
  });
}

void SimScheduler::retire() {
  crash();
  ++life_;
}

void SimScheduler::freeze(Duration pause) {
  if (!core_ || freezer_.frozen()) return;
  sim_.tell([&] { return fmt::format("the scheduler is stopped for {} ms", to_ms(pause)); });
  freezer_.freeze();
  sim_.after(pause, [this, life = life_] {
    if (life != life_) return;
    sim_.coverage.hit(Mark::kFrozenScheduler);
    sim_.tell([] { return std::string("the scheduler goes on"); });
    freezer_.thaw();
  });
}

// ---- the loop ----

void SimScheduler::give(SchedulerInput input) {
  if (!core_) return;
  if (freezer_.frozen()) return awake([this, input = std::move(input)] { give(input); });
  if (waits() || !inbox_.empty() || sim_.violation) {
    inbox_.push_back(std::move(input));
  } else {
    take(input);
  }
  process();
}

void SimScheduler::process() {
  while (core_ && !waits() && !inbox_.empty() && !sim_.violation) {
    const SchedulerInput input = std::move(inbox_.front());
    inbox_.pop_front();
    take(input);
  }
  if (core_ && !waits()) arm_timer();
}

bool SimScheduler::waits() const { return committing_ && sim_.now() < committing_since_ + kCommitPatience; }

void SimScheduler::take(const SchedulerInput& input) {
  core_->step(input, clock_.now(sim_.now()));
  SchedulerOutput out = core_->take_output();
  for (const Event& e : out.events) {
    sim_.tell([&] {
      return fmt::format("event {} {} {} {}: {}", e.kind, e.cluster, e.member, to_string(e.pair), e.message);
    });
  }
  if (committing_) return add_undone(std::move(out));
  if (out.records.empty()) {
    if (++steps_ % kFoldEvery == 0) check_fold();
    return carry_out(std::move(out));
  }
  begin_commit(std::move(out), false);
}

// Of orders that wait, a member gets the newest of each kind.
void SimScheduler::add_undone(SchedulerOutput out) {
  sim_.coverage.hit(Mark::kDecidedUndurable);
  if (sim_.mutation == Mutation::kActWhileUndurable) {
    SchedulerOutput early;
    early.calls = std::exchange(out.calls, {});
    early.orders = std::exchange(out.orders, {});
    carry_out(std::move(early));
    if (!committing_) return;  // it died of that
  }
  for (const SentOrder& order : out.orders) {
    std::erase_if(undone_.orders, [&](const SentOrder& old) {
      return old.member == order.member && order_name(old.order) == order_name(order.order);
    });
  }
  append(undone_, std::move(out));
}

// `late`: its core has gone on since it decided this.
void SimScheduler::begin_commit(SchedulerOutput out, bool late) {
  SchedulerOutput early;
  if (sim_.mutation == Mutation::kSendBeforeCommit) {
    early.calls = std::exchange(out.calls, {});
    early.orders = std::exchange(out.orders, {});
    early.replies = std::exchange(out.replies, {});
  }
  committing_ = std::move(out);
  committing_since_ = sim_.now();
  committing_late_ = late;
  carry_out(std::move(early));
  if (committing_) commit_soon(false);  // else it died of that
}

void SimScheduler::arm_timer() {
  const Instant at = clock_.real(core_->next_deadline());
  if (at == kNever || at >= timer_) return;
  // A brain whose deadline never moves would burn a processor.
  idle_ticks_ = at > sim_.now() ? 0 : idle_ticks_ + 1;
  if (idle_ticks_ > kMaxIdleTicks)
    return sim_.violate("the scheduler spins: its deadline stays in the past");
  timer_ = at;
  later(std::max(Duration{}, at - sim_.now()), [this, at] {
    if (timer_ == at) timer_ = kNever;
    give(scheduler_input::Tick{});
  });
}

// Everything else waits until the records are durable; a store that refuses is asked again.
void SimScheduler::commit_soon(bool again) {
  if (store_.hangs_until > sim_.now()) sim_.coverage.hit(Mark::kStoreHung);
  const Duration takes = store_.takes(sim_);
  if (takes > kCommitPatience) later(kCommitPatience, [this] { process(); });
  later(takes, [this, again] {
    if (!leads() && sim_.mutation != Mutation::kStoreForAll) {
      sim_.coverage.hit(Mark::kDeposed);
      sim_.tell([] { return std::string("the store refuses a scheduler that leads no more"); });
      return retire();
    }
    if (store_.refuses_until > sim_.now()) {
      later(kCommitRetry, [this] { commit_soon(true); });
      return process();
    }
    if (again) sim_.coverage.hit(Mark::kStoreRefused);
    committed();
  });
}

void SimScheduler::committed() {
  commit(*committing_);
  if (undone_.records.empty()) check_fold();
  SchedulerOutput durable = *std::exchange(committing_, std::nullopt);
  SchedulerOutput next = std::exchange(undone_, {});
  carry_out(std::move(durable));
  if (!core_) return;
  if (next.records.empty()) {
    carry_out(std::move(next));
  } else {
    begin_commit(std::move(next), true);
  }
  process();
}

void SimScheduler::commit(const SchedulerOutput& out) {
  store_.write(sim_, out.records);
  for (const Record& r : out.records) {
    if (const Status folded = folded_.fold(r); !folded) {
      return sim_.violate("the store does not read back: " + folded.error().message);
    }
  }
  const bool as_decided = !committing_late_ && sim_.now() < committing_since_ + kCommitPatience;
  world_.committed(folded_, out.events, as_decided ? core_.get() : nullptr);
}

void SimScheduler::check_fold() {
  sim_.coverage.hit(Mark::kFoldChecked);
  if (core_->state() != folded_)
    sim_.violate("the scheduler's state is not the fold of its records");
}

bool SimScheduler::dies_now() {
  if (!die_after_sends_) return false;
  if (*die_after_sends_ > 0) {
    --*die_after_sends_;
    return false;
  }
  sim_.coverage.hit(Mark::kSchedulerCrashUnsent);
  crash();
  return true;
}

void SimScheduler::carry_out(SchedulerOutput out) {
  for (mesos::Call& c : out.calls) {
    if (dies_now()) return;
    if (!link_) continue;
    sim_.tell([&] { return "to mesos: " + told(c); });
    sim_.network.send(link_->up, kSchedulerNode, kMasterNode,
                      [this, link = link_, c = std::move(c)] { master_.call(link, c); });
  }
  for (const SentOrder& o : out.orders) {
    if (dies_now()) return;
    send_order(o);
  }
  for (const Reply& r : out.replies) {
    if (dies_now()) return;
    world_.replied(r);
  }
  if (out.watches_changed) aim_watches();
  // Another one acts for this framework: this process ends.
  if (std::ranges::find(out.events, "framework_dismissed", &Event::kind) != out.events.end())
    crash();
}

}  // namespace mysos::sim
