// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace mysos::sim {

SimServer::SimServer(Sim& sim, ServerWorld& world, ServerIdentity identity)
    : sim_(sim), world_(world), identity_(std::move(identity)) {}

// ---- life ----

void SimServer::start(Datadir& data, std::function<void()> up,
                      std::function<void(std::string)> exited) {
  MYSOS_ASSERT(data_ == nullptr, "one mysqld at a time on a datadir");
  data_ = &data;
  up_ = std::move(up);
  exited_ = std::move(exited);
  incarnation_ = fmt::format("{}/{}", identity_.member.str(), ++starts_);
  const std::uint64_t life = ++life_;
  const bool mysql = identity_.flavour == Flavour::kMysql;
  // With its relay log MySQL keeps whom it followed; MariaDB would fetch the relay log anew.
  if (!mysql || sim_.mutation == Mutation::kRelayLost) lose_relay();
  MYSOS_ASSERT(!data.server_id.empty(), "a datadir has a server id");
  const Duration takes = mysql ? sim_.between(milliseconds(500), milliseconds(900))
                               : sim_.between(milliseconds(120), milliseconds(300));
  sim_.after(takes, [this, life] {
    if (life != life_) return;
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
}

void SimServer::crash(const std::string& how) {
  if (data_ == nullptr) return;
  sim_.tell([&] {
    return fmt::format("{} mysqld ends ({}), {} commit(s) unanswered", incarnation_, how,
                       pending_.size());
  });
  if (!pending_.empty()) sim_.coverage.hit(Mark::kErrantTail);
  ++life_;
  end_link();
  for (const auto& d : dumps_) {
    sim_.after(milliseconds(3),
               [d] { d->down->close(); });  // what the kernel had taken still arrives
    d->up->close();
  }
  dumps_.clear();
  pending_.clear();
  accepting_ = false;
  read_only_ = true;
  turning_read_only_ = false;
  d_ = 0;
  semi_sync_replica_ = receiver_ = receiver_acks_ = applier_ = applying_ = false;
  data_ = nullptr;
  up_ = {};
  auto waiting = std::exchange(waiting_, {});
  for (auto& w : waiting) w.done("mysqld ended");
  // Its process handle tells the executor.
  sim_.after(sim_.between(milliseconds(1), milliseconds(60)), [this, how, life = life_] {
    if (life == life_ && exited_) std::exchange(exited_, {})(how);
  });
}

void SimServer::shutdown() {
  if (data_ == nullptr) return;
  for (Pending& p : pending_) p.session = false;
  const std::uint64_t life = life_;
  sim_.after(sim_.between(milliseconds(20), milliseconds(900)), [this, life] {
    if (life == life_) crash("shut down");
  });
}

// ---- clients ----

TxnId SimServer::append_own(std::uint64_t write) {
  const auto id = static_cast<TxnId>(sim_.txns.size());
  sim_.txns.push_back({data_->server_id, ++data_->last_number, write});
  sim_.trace.mix(sim_.txns.back().number + (std::uint64_t{identity_.number} << 32));
  hold(id, true);
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

void SimServer::write(std::uint64_t write, std::function<void(bool)> reply) {
  if (!accepting_ || read_only_ || turning_read_only_ || !data_->user) return reply(false);
  const TxnId txn = append_own(write);
  world_.begun(*this, txn);
  commit(txn, false, std::move(reply));
}

void SimServer::ensure_user(std::function<void()> ready) {
  if (!accepting_) return;
  if (data_->user) return ready();
  // Waits until somebody may write; our own session, so read-only must be off all the same (no
  // write under super_read_only).
  const std::uint64_t life = life_;
  if (read_only_ || turning_read_only_) {
    sim_.after(milliseconds(50), [this, life, ready = std::move(ready)] {
      if (life == life_) ensure_user(ready);
    });
    return;
  }
  commit(append_own(0), true, [ready = std::move(ready)](bool) { ready(); });
}

void SimServer::commit(TxnId txn, bool own, std::function<void(bool)> reply) {
  pending_.push_back({txn, data_->binlog.size(), {}, true, own, std::move(reply)});
  pump();
  settle_commits();
}

void SimServer::settle_commits() {
  if (data_ == nullptr) return;
  const bool eager = sim_.mutation == Mutation::kAckWithoutAcker;
  std::vector<Pending> ready;
  std::erase_if(pending_, [&](Pending& p) {
    if (!eager && d_ > 0 && p.acked_by.size() < d_) return false;
    ready.push_back(std::move(p));
    return true;
  });
  for (Pending& p : ready) {
    if (!p.session) continue;
    if (!p.own) {
      sim_.coverage.hit(p.acked_by.empty() ? Mark::kAckSolo : Mark::kAckByReplica);
      world_.released(*this, p.txn, p.acked_by);
    }
    p.reply(true);
  }
  if (!ready.empty()) poke();
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

void SimServer::run_step(const ServerStep& step, Done done) {
  if (!accepting_) return done("mysqld does not answer");
  sim_.tell([&] { return fmt::format("{} step: {}", incarnation_, describe(step)); });
  std::visit([&](const auto& s) { take(s, std::move(done)); }, step);
}

void SimServer::take(const step::KillClients&, Done done) {
  if (sim_.mutation != Mutation::kKillClientsIgnored) {
    for (Pending& p : pending_) p.session = p.own;
  }
  done(std::nullopt);
}

void SimServer::take(const step::SetReadOnly& s, Done done) {
  if (!s.on) {
    const bool was = std::exchange(read_only_, false);
    turning_read_only_ = false;
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
  if (!pending_.empty()) sim_.coverage.hit(Mark::kHungReadOnly);
  wait(
      [this] {
        if (!turning_read_only_) return true;
        if (sim_.mutation != Mutation::kKillClientsIgnored && !pending_.empty()) return false;
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
  for (const MemberId& m : s.replicas) data_->accounts[m] = s.shut_out.contains(m);
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
  done(s.set.contains(data_->received)
           ? std::nullopt
           : std::optional<std::string>("it holds transactions that the other lacks"));
}

ServerSnapshot SimServer::read() const {
  ServerSnapshot s;
  if (data_ == nullptr) return s;
  s.read_only = read_only_;
  s.executed = data_->executed;
  s.received = data_->received;
  s.receiver_running = receiver_;
  s.receiver_connected = receiver_ && link_ && link_->connected;
  s.receiver_host = data_->source_host;
  s.receiver_port = data_->source_port;
  s.applier_running = applier_;
  s.semi_sync_d = d_;
  s.semi_sync_replica = semi_sync_replica_;
  for (const auto& d : dumps_) s.semi_sync_clients += d->acking && !d->up->broken() ? 1 : 0;
  s.lag_ms = receiver_ ? static_cast<std::int64_t>(data_->relay.size()) : -1;
  return s;
}

}  // namespace mysos::sim
