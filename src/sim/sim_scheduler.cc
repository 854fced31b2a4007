// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/story.h"

namespace mysos::sim {
namespace {

constexpr int kMaxIdleTicks = 100;
constexpr std::uint64_t kFoldEvery = 8;  // steps without a record: a state that differs stays so

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
  pipeline_.emplace(*core_);
  sim_.tell([&] {
    return fmt::format("the scheduler starts with {} cluster(s)", folded_.clusters.size());
  });
  timer_ = kNever;
  subscribe();
  aim_watches();
  beat();
  if (store_.put_back) give(scheduler_input::StatePutBack{"the state was put back"});
  process();
}

void SimScheduler::crash() {
  if (!core_) return;
  sim_.coverage.hit(Mark::kSchedulerCrash);
  if (pipeline_->commit() != nullptr) {
    const bool made_it = leads() && store_.refuses_until <= sim_.now() && sim_.prng.chance(500);
    if (made_it) {
      store(pipeline_->commit()->output);
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
  pipeline_.reset();
  core_.reset();
  freezer_.thaw();  // what it had not come to finds that it is dead
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
    busy_ = true;  // all that came meanwhile is there before it looks
    freezer_.thaw();
    busy_ = false;
    process();
  });
}

// ---- the loop ----

void SimScheduler::give(SchedulerInput input) {
  if (!core_) return;
  if (freezer_.frozen()) return awake([this, input = std::move(input)] { give(input); });
  auto* mesos = std::get_if<scheduler_input::FromMesos>(&input);
  const bool taken = mesos != nullptr ? pipeline_->push_mesos(std::move(mesos->event)) : pipeline_->push(std::move(input));
  if (!taken) return sim_.violate("more inputs wait than a world has");
  process();
}

void SimScheduler::process() {
  if (busy_) return;
  busy_ = true;
  while (core_ && !sim_.violation && pipeline_->due() <= clock_.now(sim_.now())) turn();
  busy_ = false;
  if (core_ && !sim_.violation) arm_timer();
}

void SimScheduler::turn() {
  // A brain whose deadline never moves would burn a processor.
  if (pipeline_->inputs() == 0) {
    idle_ticks_ = std::exchange(ticked_, sim_.now()) == sim_.now() ? idle_ticks_ + 1 : 0;
    if (idle_ticks_ > kMaxIdleTicks) return sim_.violate("the scheduler spins: its deadline stays in the past");
  }
  const bool committing = pipeline_->commit() != nullptr;
  if (committing) sim_.coverage.hit(Mark::kDecidedUndurable);
  decided_alone_ = !committing && pipeline_->inputs() <= 1;
  const Instant now = clock_.now(sim_.now());
  SchedulerOutput out = pipeline_->decide(now);
  for (const Event& e : out.events) {
    sim_.tell([&] {
      return fmt::format("event {} {} {} {}: {}", enum_text(e.kind), e.cluster, e.member, to_string(e.pair), e.message);
    });
  }
  act_early(out);
  if (!core_) return;  // it died of that
  if (!committing && out.records.empty() && ++steps_ % kFoldEvery == 0) check_fold();
  pipeline_->decided(std::move(out), now);
  if (!committing) go_on_with_commits();
}

// Deliberate bugs: what follows from records that are not durable.
void SimScheduler::act_early(SchedulerOutput& out) {
  const bool always = sim_.mutation == Mutation::kSendBeforeCommit && !out.records.empty();
  const bool behind = sim_.mutation == Mutation::kActWhileUndurable && pipeline_->commit() != nullptr;
  if (!always && !behind) return;
  SchedulerOutput early;
  early.calls = std::exchange(out.calls, {});
  early.orders = std::exchange(out.orders, {});
  if (always) early.replies = std::exchange(out.replies, {});
  carry_out(std::move(early));
}

void SimScheduler::arm_timer() {
  const Instant at = clock_.real(pipeline_->due());
  if (at == kNever || at >= timer_) return;
  if (store_answers_ > sim_.now() && store_answers_ <= at) return;  // it looks again then
  timer_ = at;
  later(std::max(Duration{}, at - sim_.now()), [this, at] {
    if (timer_ == at) timer_ = kNever;
    process();
  });
}

// What needs no storing is carried out, what does is stored.
void SimScheduler::go_on_with_commits() {
  while (core_ && pipeline_->commit() != nullptr && pipeline_->commit()->output.records.empty()) {
    carry_out(pipeline_->durable(clock_.now(sim_.now())));
  }
  if (core_ && pipeline_->commit() != nullptr) try_commit(false);
}

void SimScheduler::try_commit(bool again) {
  if (store_.hangs_until > sim_.now()) sim_.coverage.hit(Mark::kStoreHung);
  const Duration takes = store_.takes(sim_);
  store_answers_ = sim_.now() + takes;
  later(takes, [this, again] {
    if (!leads() && sim_.mutation != Mutation::kStoreForAll) {
      sim_.coverage.hit(Mark::kDeposed);
      sim_.tell([] { return std::string("the store refuses a scheduler that leads no more"); });
      return retire();
    }
    if (store_.refuses_until > sim_.now()) {
      later(pipeline_->refused("no space is left"), [this] { try_commit(true); });
      return process();
    }
    if (again) sim_.coverage.hit(Mark::kStoreRefused);
    committed();
  });
}

void SimScheduler::committed() {
  store(pipeline_->commit()->output);
  SchedulerOutput durable = pipeline_->durable(clock_.now(sim_.now()));
  if (pipeline_->commit() == nullptr || pipeline_->commit()->output.records.empty()) check_fold();
  const bool acted = std::exchange(busy_, true);
  carry_out(std::move(durable));
  if (core_) go_on_with_commits();
  busy_ = acted;
  process();
}

void SimScheduler::store(const SchedulerOutput& out) {
  store_.write(sim_, out.records);
  for (const Record& r : out.records) {
    if (const Status folded = folded_.fold(r); !folded) {
      return sim_.violate("the store does not read back: " + folded.error().message);
    }
  }
  world_.committed(folded_, out.events, decided_alone_ ? core_.get() : nullptr);
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
  if (std::ranges::find(out.events, EventKind::kFrameworkDismissed, &Event::kind) != out.events.end())
    crash();
}

}  // namespace mysos::sim
