// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mysos::sim {
namespace {

constexpr Duration kWatchSilence = seconds(1);
constexpr Duration kWatchRetry = milliseconds(250);
constexpr int kMaxIdleTicks = 100;
constexpr Duration kBeat = milliseconds(125);

std::string text_of(const Order& order) {
  struct Text {
    std::string operator()(const order::Setup&) const { return "setup"; }
    std::string operator()(const order::Fence& o) const { return "fence " + to_string(o.pair); }
    std::string operator()(const order::Promote& o) const {
      return fmt::format("promote {} d={} floor={} shut_out={}", to_string(o.pair), o.d,
                         o.floor.to_string(), o.shut_out.size());
    }
    std::string operator()(const order::Follow& o) const {
      return fmt::format("follow {} {}{}", to_string(o.pair), o.source.str(),
                         o.acking ? " acking" : "");
    }
    std::string operator()(const order::Certify& o) const { return "certify " + to_string(o.pair); }
    std::string operator()(const order::Rebuild& o) const { return "rebuild " + to_string(o.pair); }
  };
  return std::visit(Text{}, order);
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
  c.kill_grace = seconds(10);
  return c;
}

SimScheduler::SimScheduler(Sim& sim, SchedulerWorld& world, SimMaster& master)
    : sim_(sim), world_(world), master_(master) {}

// ---- life ----

void SimScheduler::start() {
  auto recovered = SchedulerState::recover(store_);
  if (!recovered) return sim_.violate("the store does not read back: " + recovered.error().message);
  ++life_;
  folded_ = *recovered;
  core_ = std::make_unique<SchedulerCore>(*std::move(recovered), sim_scheduler_config(),
                                          sim_.prng.fork(), sim_.now());
  sim_.tell([&] {
    return fmt::format("the scheduler starts with {} cluster(s)", folded_.clusters.size());
  });
  timer_ = kNever;
  subscribe();
  aim_watches();
  beat();
  give(scheduler_input::Tick{});
}

void SimScheduler::crash() {
  if (!core_) return;
  sim_.coverage.hit(Mark::kSchedulerCrash);
  if (committing_) {
    const bool made_it = sim_.prng.chance(500);
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
  if (sim_.mutation == Mutation::kStoreForgets) store_ = before_;
  ++life_;
  core_.reset();
  inbox_.clear();
  committing_.reset();
  die_after_sends_.reset();
  orders_.clear();
  if (link_) link_->up->close(), link_->down->close();
  link_.reset();
  for (auto& [id, w] : watches_) {
    if (w.connection) w.connection->stream->close();
  }
  watches_.clear();
  sim_.after(sim_.between(milliseconds(100), seconds(4)), [this, life = life_] {
    if (life == life_) start();
  });
}

void SimScheduler::later(Duration delay, std::function<void()> f) {
  sim_.after(delay, [this, life = life_, f = std::move(f)] {
    if (life == life_ && core_) f();
  });
}

// ---- the loop ----

void SimScheduler::give(SchedulerInput input) {
  if (!core_) return;
  inbox_.push_back(std::move(input));
  process();
}

void SimScheduler::process() {
  while (core_ && !committing_ && !inbox_.empty() && !sim_.violation) {
    const SchedulerInput input = std::move(inbox_.front());
    inbox_.pop_front();
    core_->step(input, sim_.now());
    SchedulerOutput out = core_->take_output();
    for (const Event& e : out.events) {
      sim_.tell([&] {
        return fmt::format("event {} {} {} {}: {}", e.kind, e.cluster, e.member, to_string(e.pair),
                           e.message);
      });
    }
    if (out.records.empty()) {
      check_fold();
      carry_out(std::move(out));
      continue;
    }
    committing_ = out;
    if (sim_.mutation == Mutation::kSendBeforeCommit) {
      carry_out(std::move(out));
      if (!committing_) return;  // it died of that
      committing_->calls.clear();
      committing_->orders.clear();
      committing_->replies.clear();
    }
    later(sim_.between(microseconds(200), milliseconds(4)), [this] {
      commit(*committing_);
      check_fold();
      SchedulerOutput durable = *std::exchange(committing_, std::nullopt);
      carry_out(std::move(durable));
      process();
    });
  }
  if (core_ && !committing_) arm_timer();
}

void SimScheduler::arm_timer() {
  const Instant at = core_->next_deadline();
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

void SimScheduler::commit(const SchedulerOutput& out) {
  if (sim_.mutation == Mutation::kStoreForgets) before_ = store_;
  for (const Record& r : out.records) {
    sim_.trace.mix(r.key);
    if (r.json) {
      sim_.trace.mix(*r.json);
      store_[r.kind][r.key] = *r.json;
    } else {
      store_[r.kind].erase(r.key);
    }
  }
  auto folded = SchedulerState::recover(store_);
  if (!folded) return sim_.violate("the store does not read back: " + folded.error().message);
  folded_ = *std::move(folded);
  world_.committed(folded_);
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
  for (const mesos::Call& c : out.calls) {
    if (dies_now()) return;
    if (!link_) continue;
    sim_.network.send(link_->up, kSchedulerNode, kMasterNode,
                      [this, link = link_, c] { master_.call(link, c); });
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
}

// ---- orders ----

void SimScheduler::send_order(const SentOrder& sent) {
  const auto targets = core_->watch_targets();
  const auto target = std::ranges::find(targets, sent.member, &WatchTarget::member);
  sim_.tell([&] {
    return fmt::format("order {} to {}: {}", sent.id, sent.member.str(), text_of(sent.order));
  });
  sim_.trace.mix(sent.id);
  orders_[sent.id] = sent.member;
  const auto machine = target == targets.end() ? std::nullopt : world_.machine_at(target->ip);
  if (!machine) {
    later(milliseconds(1), [this, sent] {
      order_done(sent.id, sent.member, Error{Errc::kUnavailable, "no such member to send to", ""},
                 {});
    });
    return;
  }
  const Node node = executor_node(*machine);
  const auto back = [this, node, id = sent.id, member = sent.member, life = life_](
                        std::optional<Error> error, std::optional<MemberReport> report) {
    sim_.network.send(
        node, kSchedulerNode,
        [this, id, member, life, error = std::move(error), report = std::move(report)] {
          if (life == life_ && core_) order_done(id, member, error, report);
        });
  };
  sim_.network.send(
      kSchedulerNode, node, [this, sent, back, ip = target->ip, port = target->api_port] {
        SimExecutor* executor = world_.executor_at(ip, port);
        if (executor == nullptr || !executor->executor_alive()) {
          return back(Error{Errc::kUnavailable, "connection refused", ""}, std::nullopt);
        }
        if (executor->spec().member != sent.member)
          return back(Error{Errc::kUnauthorized, "unknown token", ""}, std::nullopt);
        executor->order(sent.member, sent.order, back);
      });
  later(sent.deadline, [this, sent] {
    order_done(sent.id, sent.member, Error{Errc::kTimeout, "no answer in time", ""}, {});
  });
}

void SimScheduler::order_done(std::uint64_t id, const MemberId& member, std::optional<Error> error,
                              std::optional<MemberReport> report) {
  if (orders_.erase(id) == 0) return;
  if (error) {
    sim_.tell(
        [&] { return fmt::format("order {} to {} fails: {}", id, member.str(), error->message); });
  }
  give(scheduler_input::OrderDone{id, member, std::move(error), std::move(report)});
}

// ---- Mesos ----

void SimScheduler::subscribe() {
  link_ = std::make_shared<SubscribeLink>();
  link_->id = local::StreamId(fmt::format("stream-{}", next_stream_++));
  link_->deliver = [this, life = life_, link = link_.get()](const mesos::Event& e) {
    if (life != life_ || !core_ || link_.get() != link) return;
    give(scheduler_input::FromMesos{e});
  };
  sim_.network.send(
      link_->up, kSchedulerNode, kMasterNode,
      [this, link = link_, info = core_->framework_info()] { master_.subscribe(link, info); });
  watch_master();
}

void SimScheduler::watch_master() {
  later(milliseconds(500), [this, link = link_] {
    if (link != link_) return;
    if (!link->up->broken() && !link->down->broken()) return watch_master();
    link->up->close();
    link->down->close();
    link_.reset();
    give(scheduler_input::FromMesos{mesos::Disconnected{}});
    later(sim_.between(milliseconds(50), seconds(1)), [this] {
      if (!link_) subscribe();
    });
  });
}

// ---- watch streams ----

void SimScheduler::aim_watches() {
  const auto targets = core_->watch_targets();
  std::erase_if(watches_, [&](auto& entry) {
    if (std::ranges::find(targets, entry.second.target) != targets.end()) return false;
    if (entry.second.connection) entry.second.connection->stream->close();
    return true;
  });
  for (const WatchTarget& t : targets) {
    if (watches_.contains(t.member)) continue;
    watches_[t.member].target = t;
    connect_watch(t.member);
  }
}

void SimScheduler::connect_watch(const MemberId& member) {
  Watch& w = watches_.at(member);
  w.heard = sim_.now();
  w.connected = false;
  const auto machine = world_.machine_at(w.target.ip);
  if (!machine) return;
  auto connection = std::make_shared<WatchConnection>();
  w.connection = connection;
  connection->deliver = [this, member, life = life_,
                         raw = connection.get()](const MemberReport& report) {
    if (life != life_ || !core_) return;
    const auto found = watches_.find(member);
    if (found == watches_.end() || found->second.connection.get() != raw) return;
    found->second.heard = sim_.now();
    if (!std::exchange(found->second.connected, true)) {
      sim_.tell([&] { return fmt::format("watching {}", member.str()); });
    }
    give(scheduler_input::Reported{report});
  };
  sim_.network.send(kSchedulerNode, executor_node(*machine),
                    [this, connection, member, ip = w.target.ip, port = w.target.api_port] {
                      SimExecutor* executor = world_.executor_at(ip, port);
                      if (executor == nullptr || !executor->watch(member, connection))
                        connection->stream->close();
                    });
}

void SimScheduler::beat() {
  later(kBeat, [this] {
    std::vector<MemberId> lost, again;
    for (auto& [id, w] : watches_) {
      const Duration silent = sim_.now() - w.heard;
      const bool closed = w.connection && w.connection->stream->broken();
      if (w.connected && (closed || silent > kWatchSilence)) lost.push_back(id);
      if (!w.connected && silent > (closed ? kWatchRetry : kWatchSilence)) again.push_back(id);
    }
    for (const MemberId& id : again) connect_watch(id);
    for (const MemberId& id : lost) {
      Watch& w = watches_.at(id);
      w.connection->stream->close();
      w.connected = false;
      w.heard = sim_.now();
    }
    for (const MemberId& id : lost)
      give(scheduler_input::WatchLost{id, "the stream ended or went silent"});
    if (core_) beat();
  });
}

}  // namespace mysos::sim
