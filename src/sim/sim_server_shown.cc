// SPDX-License-Identifier: Apache-2.0
// What a simulated server shows of itself: on MySQL not all that is in its binlog.
#include <algorithm>

#include "sim/sim_server.h"

namespace mysos::sim {

// MySQL: in their order, and mostly at once.
void SimServer::show_soon(const std::vector<Pending>& commits) {
  if (identity_.flavour != Flavour::kMysql || commits.empty()) return;
  for (const Pending& p : commits) unseen_.push_back(p.txn);
  shown_by_ = std::max(shown_by_, sim_.now() + sim_.between(microseconds(20), show_most_));
  later(shown_by_ - sim_.now(), [this, n = commits.size()] {
    unseen_.erase(unseen_.begin(), unseen_.begin() + static_cast<std::ptrdiff_t>(n));
    poke();
  });
}

// MySQL: in the binlog, and not shown as executed.
GtidSet SimServer::in_flight() const {
  GtidSet out;
  if (identity_.flavour != Flavour::kMysql) return out;
  const auto add = [&](TxnId t) { out.add(sim_.txns[t].source, sim_.txns[t].number, sim_.txns[t].number); };
  for (const Pending& p : pending_) add(p.txn);
  for (const TxnId t : unseen_) add(t);
  return out;
}

ServerSnapshot SimServer::read() const {
  ServerSnapshot s;
  if (data_ == nullptr) return s;
  s.read_only = read_only_;
  s.in_flight = in_flight();
  s.executed = data_->executed.minus(s.in_flight);
  s.received = data_->received.minus(s.in_flight);
  if (sim_.resets && !data_->reset) s.logged = s.executed;
  if (!s.in_flight.empty()) sim_.coverage.hit(Mark::kUnseenCommits);
  s.receiver_running = receiver_;
  s.receiver_connected = receiver_ && link_ && link_->connected;
  s.heard.heartbeats = heard_;
  s.receiver_host = data_->source_host;
  s.receiver_port = data_->source_port;
  s.applier_running = applier_;
  s.applier_error = applier_error_;
  s.last_error = applier_error_.text;
  s.gtid_source = data_->gtid_source;
  s.semi_sync_d = d_;
  s.semi_sync_replica = semi_sync_replica_;
  for (const auto& d : dumps_) s.semi_sync_clients += d->acking && !d->up->broken() ? 1 : 0;
  if (identity_.flavour == Flavour::kMysql) {
    s.binlog_end = {data_->file, data_->binlog.size()};
    s.received_end = data_->received_end;
  }
  s.binlog_complete = data_->purged == 0;
  s.binlog_gone = binlog_gone_;
  s.lag_ms = receiver_ ? static_cast<std::int64_t>(data_->relay.size()) : -1;
  return s;
}

}  // namespace mysos::sim
