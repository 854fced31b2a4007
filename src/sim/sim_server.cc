// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "sim/checkers.h"

namespace mysos::sim {
namespace {

constexpr Duration kHoldCommits = milliseconds(500);  // at most, for commits under way to end

}  // namespace

SimServer::SimServer(Sim& sim, ServerWorld& world, ServerIdentity identity, const SimDisk& disk)
    : SimProcess(sim), world_(world), identity_(std::move(identity)), disk_(disk) {}

// ---- life ----

void SimServer::start(Datadir& data, std::function<void()> up,
                      std::function<void(std::string)> exited) {
  MYSOS_ASSERT(data_ == nullptr, "one mysqld at a time on a datadir");
  data_ = &data;
  up_ = std::move(up);
  exited_ = std::move(exited);
  incarnation_ = fmt::format("{}/{}", identity_.member.str(), ++starts_);
  ++data.file;
  ++life_;
  const bool mysql = identity_.flavour == Flavour::kMysql;
  // With its relay log MySQL keeps whom it followed; MariaDB would fetch the relay log anew.
  if (!mysql || sim_.mutation == Mutation::kRelayLost) lose_relay();
  MYSOS_ASSERT(!data.gtid_source.empty(), "a datadir has a server id");
  check_server_id(sim_, identity_, data);
  const Duration takes = mysql ? sim_.between(milliseconds(500), milliseconds(900))
                               : sim_.between(milliseconds(120), milliseconds(300));
  later(takes, [this] {
    accepting_ = true;
    sim_.tell([&] {
      return fmt::format("{} mysqld is up, holds {}", incarnation_, data_->received.to_string());
    });
    if (up_) up_();
  });
}

void SimServer::watch(std::function<void()> up, std::function<void(std::string)> exited) {
  up_ = std::move(up);
  exited_ = std::move(exited);
  told_accounts_.clear();
}

void SimServer::crash(const std::string& how, bool power_lost) {
  if (data_ == nullptr) return;
  sim_.tell([&] {
    return fmt::format("{} mysqld ends ({}), {} commit(s) unanswered", incarnation_, how,
                       pending_.size() + flushing_.size());
  });
  if (!pending_.empty()) sim_.coverage.hit(Mark::kErrantTail);
  lose_unsynced(power_lost);
  ++life_;
  end_link();
  for (const auto& d : dumps_) {
    sim_.after(milliseconds(3),
               [d] { d->down->close(); });  // what the kernel had taken still arrives
    d->up->close();
  }
  dumps_.clear();
  pending_.clear();
  flushing_.clear();
  unseen_.clear();
  accepting_ = false;
  read_only_ = true;
  turning_read_only_ = syncing_ = holding_commits_ = false;
  told_accounts_.clear();
  crowded_until_ = {};
  d_ = 0;
  commits_acknowledged_ = 0;
  semi_sync_replica_ = receiver_ = receiver_acks_ = applier_ = applying_ = binlog_gone_ = false;
  reader_lock_ = stopped_once_ = false;
  applier_error_ = {};
  data_ = nullptr;
  up_ = {};
  auto waiting = std::exchange(waiting_, {});
  for (auto& w : waiting) w.done("mysqld ended");
  freezer_.thaw();  // what it had not come to finds that it is dead
  // Its process handle tells the executor.
  sim_.after(sim_.between(milliseconds(1), milliseconds(60)), [this, how, life = life_] {
    if (life == life_ && exited_) std::exchange(exited_, {})(how);
  });
}

// Nobody was told of the writes that are not durable yet, and no replica has them. The kernel has
// some of them, and writes them out when the process alone has died.
void SimServer::lose_unsynced(bool power_lost) {
  if (power_lost) lose_unsynced_relay();
  const std::size_t kept = power_lost ? 0 : sim_.prng.below(data_->unsynced.size() + 1);
  if (kept > 0) sim_.coverage.hit(Mark::kUnsyncedKept);
  if (power_lost && !data_->unsynced.empty()) sim_.coverage.hit(Mark::kPowerLost);
  data_->last_number -= data_->unsynced.size() - kept;
  data_->unsynced.resize(kept);
  for (const TxnId t : std::exchange(data_->unsynced, {})) hold(t, true);
  const bool lies = power_lost && sim_.mutation == Mutation::kFsyncLies;
  const bool cuts = sim_.mutation == Mutation::kTailTruncated;
  if (lies || cuts) forget_tail(data_->binlog.size() - std::min<std::size_t>(data_->binlog.size(), 3));
}

// Of a relay log that nobody made durable a part may be there.
void SimServer::lose_unsynced_relay() {
  if (data_->relay_unsynced == 0) return;
  GtidSet lost;
  for (std::uint64_t n = sim_.prng.below(data_->relay_unsynced + 1); n > 0; --n) {
    const Txn& t = sim_.txns[data_->relay.back()];
    lost.add(t.source, identity_.flavour == Flavour::kMysql ? t.number : 1, t.number);
    data_->held.remove(data_->relay.back());
    data_->relay.pop_back();
    sim_.coverage.hit(Mark::kRelayTorn);
  }
  data_->relay_unsynced = 0;
  data_->received = data_->received.minus(lost).united(data_->executed);
}

// For mutations only: what no server may do.
void SimServer::forget_tail(std::size_t keep) {
  GtidSet lost;
  for (; data_->binlog.size() > keep; data_->binlog.pop_back()) {
    const Txn& t = sim_.txns[data_->binlog.back()];
    lost.add(t.source, t.number, t.number);
    data_->in_binlog.remove(data_->binlog.back());
    data_->held.remove(data_->binlog.back());
    if (t.source == data_->gtid_source) data_->last_number = t.number - 1;
  }
  data_->executed = data_->executed.minus(lost);
  data_->received = data_->received.minus(lost);
}

// SIGTERM acknowledges commits that wait for an acker: on MySQL all, on MariaDB some of them.
void SimServer::shutdown() {
  if (data_ == nullptr) return;
  awake([this] {
    const std::uint64_t released = identity_.flavour == Flavour::kMysql ? 1000 : 200;
    for (Pending& p : pending_) {
      if (p.session && sim_.prng.chance(released)) release(p);
      p.session = false;
    }
    for (Pending& p : flushing_) p.session = false;
    later(sim_.between(milliseconds(20), milliseconds(900)), [this] { crash("shut down"); });
  });
}

void SimServer::freeze(Duration pause) {
  if (data_ == nullptr || freezer_.frozen()) return;
  sim_.tell([&] { return fmt::format("{} mysqld is stopped for {} ms", incarnation_, to_ms(pause)); });
  freezer_.freeze();
  sim_.after(pause, [this, life = life_] {
    if (life != life_) return;
    sim_.coverage.hit(Mark::kFrozenServer);
    sim_.tell([&] { return fmt::format("{} mysqld goes on", incarnation_); });
    freezer_.thaw();
  });
}

// ---- clients ----

TxnId SimServer::number_own(std::uint64_t write) {
  const auto id = static_cast<TxnId>(sim_.txns.size());
  sim_.txns.push_back({data_->gtid_source, ++data_->last_number, write});
  sim_.trace.mix(sim_.txns.back().number + (std::uint64_t{data_->server_id} << 32));
  return id;
}

// `txn` is on disk here from now on.
void SimServer::hold(TxnId txn, bool applied) {
  const Txn& t = sim_.txns[txn];
  // MariaDB names only the last transaction of each writer (model/gtid.h).
  const std::uint64_t first = identity_.flavour == Flavour::kMysql ? t.number : 1;
  if (!data_->held.has(txn)) {
    data_->held.add(txn);
    data_->received.add(t.source, first, t.number);
  }
  if (!applied) {
    data_->relay.push_back(txn);
    return;
  }
  data_->binlog.push_back(txn);
  data_->in_binlog.add(txn);
  data_->executed.add(t.source, first, t.number);
  if (t.write == 0) data_->user = true;
  if (identity_.flavour == Flavour::kMariadb)
    data_->last_number = std::max(data_->last_number, t.number);
}

// ---- steps ----

void SimServer::wait(std::function<bool()> ready, Done done) {
  if (ready()) return done(std::nullopt);
  waiting_.push_back({std::move(ready), std::move(done)});
}

void SimServer::poke() {
  std::vector<Done> done;
  std::erase_if(waiting_, [&](Waiting& w) {
    if (!w.ready()) return false;
    done.push_back(std::move(w.done));
    return true;
  });
  for (auto& d : done) d(std::nullopt);
}

void SimServer::run_step(const ServerStep& step, const Pair& promised, Done done) {
  // A statement that a stopped server was sent is carried out when it goes on.
  freezer_.run([this, life = life_, step, promised, done = std::move(done)] {
    if (life != life_ || !accepting_) return done("mysqld does not answer");
    sim_.tell([&] { return fmt::format("{} step: {}", incarnation_, describe(step)); });
    told_under_ = promised;
    std::visit([&](const auto& s) { take(s, done); }, step);
  });
}

void SimServer::take(const step::KillClients&, Done done) {
  if (sim_.mutation == Mutation::kKillClientsIgnored) return done(std::nullopt);
  const auto end = [](Pending& p) { p.session = p.own; };
  if (identity_.flavour == Flavour::kMysql) {
    std::ranges::for_each(flushing_, end);
    std::ranges::for_each(pending_, end);
    return done(std::nullopt);
  }
  if (sim_.mutation == Mutation::kKillReleases) {
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (i > 0 && pending_[i].session) release(pending_[i]);
      pending_[i].session = pending_[i].own;
    }
    return done(std::nullopt);
  }
  // No new commit while it waits for those that are under way; then nobody is left to be harmed.
  holding_commits_ = true;
  if (!pending_.empty()) sim_.coverage.hit(Mark::kHeldCommits);
  const Instant until = sim_.now() + kHoldCommits;
  wait([this, until] { return !commits_wait() || sim_.now() >= until; },
       [this, done = std::move(done)](std::optional<std::string> failure) {
         holding_commits_ = false;
         if (!failure && commits_wait()) failure = "commits wait for an acknowledgement";
         done(std::move(failure));
       });
  if (holding_commits_) later(kHoldCommits, [this] { poke(); });
}

void SimServer::take(const step::SetReadOnly& s, Done done) {
  if (!s.on) {
    const bool was = std::exchange(read_only_, false);
    turning_read_only_ = false;
    data_->held_lock = false;  // what clients write from now on does not want it, or waits for it here
    if (was) {
      sim_.tell([&] {
        return fmt::format("{} OPENS for writes, waits for {} ack(s)", incarnation_, d_);
      });
      world_.opened(*this);
    }
    poke();
    return done(std::nullopt);
  }
  if (read_only_) return done(std::nullopt);
  turning_read_only_ = true;
  if (commits_wait()) sim_.coverage.hit(Mark::kHungReadOnly);
  wait(
      [this] {
        if (!turning_read_only_) return true;
        if (sim_.mutation != Mutation::kKillClientsIgnored && commits_wait()) return false;
        turning_read_only_ = false;
        read_only_ = true;
        return true;
      },
      std::move(done));
}

void SimServer::take(const step::SemiSyncSource& s, Done done) {
  d_ = s.d;
  settle_commits();
  apply_soon();
  done(std::nullopt);
}

void SimServer::take(const step::SemiSyncReplica& s, Done done) {
  semi_sync_replica_ = s.on;
  done(std::nullopt);
}

void SimServer::take(const step::ShutOut& s, Done done) {
  for (const MemberId& m : s.replicas) told_accounts_[m] = data_->accounts[m] = s.shut_out.contains(m);
  drop_shut_out();
  done(std::nullopt);
}

void SimServer::take(const step::RequireExecuted& s, Done done) {
  done(data_->executed.contains(s.set)
           ? std::nullopt
           : std::optional<std::string>("it has not executed all of it"));
}

void SimServer::take(const step::RequireContainedIn& s, Done done) {
  if (receiver_) return done("the receiver runs");
  const SimServer* source = world_.server_at(data_->source_host, data_->source_port);
  const GtidSet waiting = source != nullptr && source->alive() ? source->in_flight() : GtidSet{};
  if (!waiting.minus(data_->received).contains(waiting) && s.set.contains(data_->received)) {
    sim_.coverage.hit(Mark::kInFlightHeld);
  }
  done(s.set.contains(data_->received)
           ? std::nullopt
           : std::optional<std::string>("it holds transactions that the other lacks"));
}

}  // namespace mysos::sim
