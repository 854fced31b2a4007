// SPDX-License-Identifier: Apache-2.0
// Replication between simulated servers: the receiver and applier of a replica, the dump threads of
// a source.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/sim_server.h"

namespace mysos::sim {
namespace {

constexpr Duration kConnectRetry = seconds(1);
constexpr Duration kNetTimeout = seconds(4);
constexpr int kHeartbeatsMissed = 3;
constexpr Duration kHeartbeat = milliseconds(250);
constexpr Duration kSourceNotices = seconds(20);  // that what it sends into a cut arrives nowhere (TCP is patient)
constexpr std::size_t kBatch = 64;
}  // namespace

// ---- as a replica ----

void SimServer::connect_soon(Duration delay) {
  later(delay, [this, link = link_] {
    if (receiver_ && link == link_ && (!link_ || !link_->connected)) connect();
  });
}

void SimServer::connect() {
  end_link();
  link_ = std::make_shared<ReplicaLink>();
  link_->replica = this;
  link_->replica_life = life_;
  link_->acking = receiver_acks_;
  link_->held = data_->held;
  connect_soon(kConnectRetry);  // where this attempt gets no answer
  SimServer* source = world_.server_at(data_->source_host, data_->source_port);
  if (source == nullptr || source == this) return;
  link_->source = source;
  sim_.network.send(link_->up, node(), source->node(),
                    [link = link_] {
                      link->source->awake([link] { link->source->admit(link); });
                    });
}

void SimServer::watch_link(const std::shared_ptr<ReplicaLink>& link) {
  later(seconds(1), [this, link] {
    if (link != link_ || !receiver_) return;
    // The source's heartbeats come when nothing else does.
    const bool silent =
        link->source->freezer_.frozen() || sim_.network.is_cut(link->source->node(), node());
    link->missed = silent ? link->missed + 1 : 0;
    if (link->missed >= kHeartbeatsMissed) link->down->close();
    if (link->down->broken() || link->up->broken()) {
      // Known at once on a reset, after net_timeout on silence.
      later(sim_.between(milliseconds(0), kNetTimeout - seconds(1)), [this, link] {
        if (link != link_ || !receiver_) return;
        link->connected = false;
        connect();
      });
      return;
    }
    watch_link(link);
  });
}

void SimServer::stop_receiver() {
  receiver_ = false;
  receiver_acks_ = false;
  end_link();
}

// What was sent before the end still arrives: an acknowledgement may be read long after its replica
// was stopped.
void SimServer::end_link() {
  if (!link_) return;
  const auto link = std::exchange(link_, nullptr);
  link->down->close();
  link->connected = false;
  if (link->source == nullptr) return link->up->close();
  sim_.network.send(link->up, node(), link->source->node(), [link] {
    link->up->close();
    link->source->awake([link] { std::erase(link->source->dumps_, link); });
  });
}

void SimServer::lose_relay() {
  const bool any = !data_->relay.empty();
  for (const TxnId t : data_->relay) {
    sim_.tell([&] {
      return fmt::format("{} forgets write {} of its relay log", incarnation_, sim_.txns[t].write);
    });
  }
  data_->relay.clear();
  data_->relay_unsynced = 0;
  data_->held = data_->in_binlog;
  data_->received = data_->executed;
  data_->received_end = {};
  world_.relay_lost(*this, any);
}

// The relay log is durable before it acknowledges (sync_relay_log=1): MySQL reads it again after a
// restart, and of MariaDB's its executor reads what was in it. That of a silent one is not.
void SimServer::received_batch(const std::shared_ptr<ReplicaLink>& link, std::vector<TxnId> txns,
                               std::size_t position) {
  if (link != link_ || link->replica_life != life_ || !receiver_) return;
  ++heard_;
  if (disk_.stalled_until > sim_.now()) sim_.coverage.hit(Mark::kDiskStalled);
  const Duration written = semi_sync_replica_ ? disk_.sync(sim_) : microseconds(20);
  link->relay_synced = std::max(link->relay_synced, sim_.now() + written);
  later(link->relay_synced - sim_.now(), [this, link, txns = std::move(txns), position] {
    relayed(link, txns, position);
  });
}

void SimServer::relayed(const std::shared_ptr<ReplicaLink>& link, const std::vector<TxnId>& txns,
                        std::size_t position) {
  if (link != link_ || !receiver_) return;
  for (const TxnId t : txns) {
    if (data_->held.has(t)) continue;
    hold(t, false);
    if (!semi_sync_replica_) ++data_->relay_unsynced;
  }
  reached(link, position);
  apply_soon();
  if (!link->acking) return;
  sim_.network.send(link->up, node(), link->source->node(), [link, position] {
    link->source->awake([link, position] { link->source->acknowledged(link, position); });
  });
}

// Of the source's binlog it has all up to there.
void SimServer::reached(const std::shared_ptr<ReplicaLink>& link, std::size_t position) {
  if (link == link_ && receiver_) data_->received_end = {link->file, position};
}

void SimServer::apply_soon() {
  // A replica that is a semi-sync source itself hangs its own applier (measured).
  if (!applier_ || applying_ || data_->relay.empty() || d_ > 0 || applier_waits()) return;
  applying_ = true;
  const Duration takes = sim_.between(apply_min_, apply_max_);
  applies_until_ = sim_.now() + takes;
  later(takes, [this] {
    applying_ = false;
    apply_one();
  });
}

void SimServer::apply_one() {
  if (!applier_ || data_->relay.empty() || d_ > 0) return;
  const TxnId t = data_->relay.front();
  // MariaDB in strict mode wants numbers that rise.
  const bool mariadb = identity_.flavour == Flavour::kMariadb;
  const bool twice = named_twice(t);
  const bool out_of_order = mariadb && (twice || (!data_->local.empty() && sim_.txns[t].number <= data_->last_number));
  if (data_->broken || out_of_order) {
    stop_applier(out_of_order ? ReplicationError{1950, "out of order"} : ReplicationError{1032, "no such row"});
    return sim_.coverage.hit(Mark::kApplierStopped);
  }
  if (std::exchange(data_->stops_once, false)) {
    stopped_once_ = true;
    return stop_applier({1205, "a lock did not come in time"});
  }
  if (std::exchange(stopped_once_, false)) sim_.coverage.hit(Mark::kApplierWentOn);
  if (twice) data_->held.remove(t);  // MySQL takes it for one that it has, and leaves it out
  data_->relay.pop_front();
  data_->relay_unsynced = std::min(data_->relay_unsynced, data_->relay.size());
  if (!twice) hold(t, true);
  pump();
  poke();
  apply_soon();
}

void SimServer::stop_applier(ReplicationError why) {
  applier_ = false;
  applier_error_ = std::move(why);
  poke();
}

void SimServer::start_applier() {
  applier_ = true;
  applier_error_ = {};
  apply_soon();
}

// ---- as a source ----

// The replica looks connected until the refusal arrives.
void SimServer::refuse(const std::shared_ptr<ReplicaLink>& link) {
  link->connected = true;
  sim_.network.send(link->down, node(), link->replica->node(), [link] {
    if (link->replica->life_ != link->replica_life || link->replica->link_ != link) return;
    link->connected = false;
    link->replica->binlog_gone_ = true;
  });
}

void SimServer::admit(const std::shared_ptr<ReplicaLink>& link) {
  if (!accepting_ || link->replica->life_ != link->replica_life || link->replica->link_ != link) return;
  if (crowded_until_ > sim_.now()) return sim_.coverage.hit(Mark::kTurnedAway);
  const MemberId& who = link->replica->identity_.member;
  const auto account = data_->accounts.find(who);
  const bool locked = account == data_->accounts.end() || account->second;
  if (locked && sim_.mutation != Mutation::kLockIgnored) return;
  std::erase_if(dumps_, [&](const auto& d) { return d->replica == link->replica; });
  const auto kept = data_->binlog.begin() + static_cast<std::ptrdiff_t>(data_->purged);
  const bool gone = !knows_names_of(*link->replica) ||
                    std::any_of(data_->binlog.begin(), kept, [&](TxnId t) { return !link->held.has(t); });
  if (gone) return refuse(link);
  link->replica->binlog_gone_ = false;
  dumps_.push_back(link);
  link->connected = true;
  link->file = data_->file;
  // It is sent what it lacks; having the rest acknowledges nothing.
  while (link->next < data_->binlog.size() && link->held.has(data_->binlog[link->next]))
    ++link->next;
  sim_.network.send(link->down, node(), link->replica->node(), [link, position = link->next] {
    link->replica->awake([link, position] { link->replica->reached(link, position); });
  });
  pump(link);
  beat(link);
  link->replica->watch_link(link);
}

void SimServer::beat(const std::shared_ptr<ReplicaLink>& link) {
  later(kHeartbeat, [this, link] {
    if (link->down->broken() || std::ranges::find(dumps_, link) == dumps_.end()) return;
    sim_.network.send(link->down, node(), link->replica->node(), [link] {
      link->replica->awake([link] {
        if (link->replica->link_ == link) ++link->replica->heard_;
      });
    });
    beat(link);
  });
}

void SimServer::pump() {
  for (std::size_t i = 0; i < dumps_.size(); ++i) pump(dumps_[i]);
}

void SimServer::pump(const std::shared_ptr<ReplicaLink>& link) {
  while (link->next < data_->binlog.size() && !link->down->broken()) {
    std::vector<TxnId> batch;
    while (link->next < data_->binlog.size() && batch.size() < kBatch) {
      const TxnId t = data_->binlog[link->next++];
      if (!link->held.has(t)) batch.push_back(t);
    }
    sim_.network.send(link->down, node(), link->replica->node(),
                      [link, batch = std::move(batch), position = link->next] {
                        link->replica->received_batch(link, batch, position);
                      });
  }
  if (link->down->broken() || link->up->broken()) {
    later(kSourceNotices, [this, link] { std::erase(dumps_, link); });
  }
}

void SimServer::acknowledged(const std::shared_ptr<ReplicaLink>& link, std::size_t position) {
  if (std::ranges::find(dumps_, link) == dumps_.end()) return;
  for (Pending& p : pending_) {
    if (p.position <= position) p.acked_by.insert(link->replica->identity_.member);
  }
  settle_commits();
}

void SimServer::drop_shut_out() {
  if (sim_.mutation == Mutation::kLockIgnored) return;
  std::erase_if(dumps_, [&](const std::shared_ptr<ReplicaLink>& d) {
    const auto account = data_->accounts.find(d->replica->identity_.member);
    if (account != data_->accounts.end() && !account->second) return false;
    d->down->close();
    d->up->close();
    return true;
  });
}

}  // namespace mysos::sim
