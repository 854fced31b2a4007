// SPDX-License-Identifier: Apache-2.0
// What users do to a simulated server that harms its cluster, and what its executor's guard puts right.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/sim_server.h"

namespace mysos::sim {

void SimServer::break_applier() {
  if (data_ == nullptr) return;
  sim_.tell([&] { return fmt::format("{} a user drops a table that is written to", incarnation_); });
  data_->broken = true;
}

// A replica of MariaDB knows what it has applied from elsewhere, too (gtid_slave_pos). Of commits that are under way a server
// waits for the end.
bool SimServer::reset_logs() {
  if (!answering() || commits_wait() || data_->reset || data_->executed.empty()) return false;
  sim_.tell([&] { return fmt::format("{} somebody resets its binary logs", incarnation_); });
  sim_.coverage.hit(Mark::kLogsReset);
  if (writable()) sim_.coverage.hit(Mark::kPrimaryReset);
  data_->reset = true;
  data_->purged = data_->binlog.size();
  if (identity_.flavour == Flavour::kMariadb && read_only_) return true;
  data_->executed = {};
  data_->received = {};
  data_->last_number = 0;
  for (const TxnId t : data_->relay) data_->received.add(sim_.txns[t].source, sim_.txns[t].number, sim_.txns[t].number);
  return true;
}

// Not the log that commits are written to which wait for an acknowledgement.
void SimServer::purge_logs() {
  if (!accepting_) return;
  data_->purged = std::max(data_->purged, data_->binlog.size() - pending_.size());
}

// Only after a reset: a server gives names away again that it had given to others.
bool SimServer::named_twice(TxnId txn) const {
  if (!sim_.resets) return false;
  GtidSet name;
  name.add(sim_.txns[txn].source, sim_.txns[txn].number, sim_.txns[txn].number);
  return data_->executed.contains(name);
}

bool SimServer::all_executed_by_name() const { return sim_.resets && data_->executed.contains(data_->received); }

// A server whose binary logs were reset refuses a replica that holds names of its own which it has not given away yet.
bool SimServer::knows_names_of(const SimServer& replica) const {
  if (!data_->reset) return true;
  GtidSet own;
  for (const auto& [source, intervals] : replica.data_->received.sources()) {
    if (source != data_->gtid_source) continue;
    for (const GtidSet::Interval& i : intervals) own.add(source, i.first, i.last);
  }
  return data_->executed.contains(own);
}

void SimServer::lock_applier(bool by_a_reader) {
  if (!accepting_) return;
  sim_.tell([&] {
    return fmt::format("{} {} holds a lock that its applier will want", incarnation_,
                       by_a_reader ? "a session that reads" : "a prepared transaction");
  });
  (by_a_reader ? reader_lock_ : data_->held_lock) = true;
}

void SimServer::stop_applier_once() {
  if (!accepting_) return;
  sim_.tell([&] { return fmt::format("{} its applier will stop, once", incarnation_); });
  data_->stops_once = true;
}

SimServer::Waits SimServer::end_readers() {
  Waits seen;
  if (!answering() || !applier_waits()) return seen;
  seen.ended = std::exchange(reader_lock_, false);
  seen.for_lock = data_->held_lock;
  if (seen.ended) sim_.coverage.hit(Mark::kReaderEnded);
  apply_soon();
  return seen;
}

void SimServer::write_locally() {
  if (!replicates()) return;
  const GtidSet before = data_->executed;
  hold(number_own(kLocalWrite), true);
  data_->local = data_->local.united(data_->executed.minus(before));
  sim_.tell([&] { return fmt::format("{} a user writes on a replica: {}", incarnation_, data_->local.to_string()); });
  pump();
}

// A replica that is connected stays so, unless the user ends its session too.
void SimServer::drop_accounts(bool all, bool sessions_too) {
  if (!accepting_ || data_->accounts.empty()) return;
  sim_.coverage.hit(Mark::kAccountDropped);
  const char* what = all ? "all accounts of members" : "one member's account";
  sim_.tell([&] { return fmt::format("{} a user drops {}", incarnation_, what); });
  if (all) {
    data_->accounts.clear();
  } else {
    data_->accounts.erase(data_->accounts.begin());
  }
  if (sessions_too) drop_shut_out();
}

bool SimServer::restore_accounts() {
  if (!answering() || sim_.mutation == Mutation::kGuardSleeps) return false;
  bool some = false;
  for (const auto& [member, locked] : told_accounts_) {
    const bool unlocked_by_mistake = sim_.mutation == Mutation::kGuardLetsIn;
    some = data_->accounts.try_emplace(member, locked && !unlocked_by_mistake).second || some;
  }
  if (some) sim_.tell([&] { return fmt::format("{} its executor puts dropped accounts back", incarnation_); });
  return some;
}

void SimServer::end_sessions_of_replicas() {
  for (const auto& d : std::exchange(dumps_, {})) {
    d->down->close();
    d->up->close();
  }
}

void SimServer::take_connections(Duration pause) {
  if (!accepting_) return;
  sim_.tell([&] { return fmt::format("{} has no connection left for {} ms", incarnation_, to_ms(pause)); });
  crowded_until_ = std::max(crowded_until_, sim_.now() + pause);
}

}  // namespace mysos::sim
