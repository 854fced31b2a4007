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
