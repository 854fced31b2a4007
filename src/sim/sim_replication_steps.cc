// SPDX-License-Identifier: Apache-2.0
// The steps that start, stop and point the replication of a simulated server, and what they do to its relay log.
#include <fmt/format.h>

#include <utility>

#include "sim/sim_server.h"

namespace mysos::sim {
namespace {

constexpr Duration kAwaitReceived = seconds(2);
constexpr Duration kLook = milliseconds(5);

}  // namespace

void SimServer::take(const step::StopReceiver&, Done done) {
  if (receiver_ && sim_.mutation == Mutation::kReceiverRunsOn) {
    later(milliseconds(300), [this, link = link_] {
      if (link == link_) stop_receiver();
    });
    receiver_ = true;
    return done(std::nullopt);
  }
  stop_receiver();
  done(std::nullopt);
}

void SimServer::take(const step::SyncRelayLog&, Done done) {
  later(disk_.sync(sim_), [this, done = std::move(done)] {
    data_->relay_unsynced = 0;
    done(std::nullopt);
  });
}

void SimServer::take(const step::StopReplication&, Done done) {
  stop_receiver();
  applier_ = false;
  if (identity_.flavour == Flavour::kMariadb) lose_relay();
  done(std::nullopt);
}

void SimServer::take(const step::StartReplication& s, Done done) {
  if (data_->source_host.empty()) return done("no source is set");
  if (auto lost = would_lose_relay(s.relay_log_may_go)) return done(std::move(lost));
  if (identity_.flavour == Flavour::kMariadb && !receiver_ && !applier_) lose_relay();
  start_applier();
  if (!receiver_) {
    binlog_gone_ = false;
    receiver_ = true;
    receiver_acks_ = semi_sync_replica_;
    connect();
  }
  done(std::nullopt);
}

// As the real server's executor refuses it.
std::optional<std::string> SimServer::would_lose_relay(bool may_go) const {
  const bool loses = identity_.flavour == Flavour::kMariadb && !receiver_ && !applier_ && !data_->relay.empty();
  if (may_go || !loses || all_executed_by_name()) return std::nullopt;
  return "both replication threads have stopped: the relay log would be lost";
}

// Until all that was received is executed; MariaDB with both threads stopped has lost it already.
void SimServer::drain(Done done) {
  stop_receiver();
  if (!applier_ && identity_.flavour == Flavour::kMariadb) lose_relay();
  if (!applier_ && !data_->relay.empty()) start_applier();
  apply_soon();
  wait([this] { return data_->relay.empty() || !applier_ || all_executed_by_name(); },
       [this, done = std::move(done)](std::optional<std::string> failure) {
         if (failure || data_->relay.empty() || all_executed_by_name()) return done(std::move(failure));
         failure = "the applier stopped: " + applier_error_.text;
         done(std::move(failure));
       });
}

void SimServer::take(const step::Drain&, Done done) { drain(std::move(done)); }

void SimServer::take(const step::AwaitReceived& s, Done done) {
  const Instant until = sim_.now() + kAwaitReceived;
  wait(
      [this, set = s.set, until] {
        const bool comes = receiver_ && link_ && link_->connected && sim_.now() < until;
        return !comes || data_->received.contains(set);
      },
      std::move(done));
  poke_until(until);
}

// What is waited for is looked at now and then.
void SimServer::poke_until(Instant until) {
  if (waiting_.empty() || sim_.now() > until + kLook) return;
  later(kLook, [this, until] {
    poke();
    poke_until(until);
  });
}

void SimServer::take(const step::ForgetSource&, Done done) { point_at({.relay_log_may_go = true}, std::move(done)); }

void SimServer::take(const step::SetSource& s, Done done) {
  point_at(s, std::move(done));
}

void SimServer::take(const step::StartApplier&, Done done) {
  if (!receiver_) return done("the receiver does not run");
  start_applier();
  done(std::nullopt);
}

void SimServer::take(const step::KeepRelayLog&, Done done) {
  sim_.coverage.hit(Mark::kRelayGivenUp);
  done(std::nullopt);
}

void SimServer::take(const step::AbandonRelayLog&, Done done) {
  if (receiver_ || applier_) return done("replication runs");
  lose_relay();
  data_->source_host.clear();
  data_->source_port = 0;
  done(std::nullopt);
}

void SimServer::point_at(const step::SetSource& to, Done done) {
  const bool there = !to.host.empty() && data_->source_host == to.host && data_->source_port == to.port;
  const bool mysql = identity_.flavour == Flavour::kMysql;
  if (there && (applier_ || mysql)) {  // its receiver is only to be started again: the applier goes on
    stop_receiver();
    return done(std::nullopt);
  }
  // MySQL leaves the applier running, and keeps the relay log.
  if (mysql && applier_ && !to.host.empty()) {
    stop_receiver();
    data_->received_end = {};
    data_->source_host = to.host;
    data_->source_port = to.port;
    return done(std::nullopt);
  }
  stop_receiver();
  if (auto lost = would_lose_relay(to.relay_log_may_go)) return done(std::move(lost));
  drain([this, to, done = std::move(done)](std::optional<std::string> failure) {
    if (failure) return done(failure);
    if (receiver_) return done("the receiver runs");  // a newer step came first
    applier_ = false;
    data_->received_end = {};
    data_->source_host = to.host;
    data_->source_port = to.port;
    done(std::nullopt);
  });
}

}  // namespace mysos::sim
