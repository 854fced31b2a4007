// SPDX-License-Identifier: Apache-2.0
// What users and applications do that harms a cluster, and a state that has no room left.
#include <array>

#include "sim/nemesis.h"

namespace mysos::sim {

// Drawn beside the others: who is drawn must not change what an older seed means.
void Nemesis::may_more(Prng prng) {
  more_ = prng;
  for (const Fault fault : {Fault::kDroppedAccounts, Fault::kConnectionStorm, Fault::kFullStateDisk}) {
    if (more_.chance(80)) kinds_.push_back({fault, milliseconds(1000 + static_cast<long>(more_.below(9000)))});
  }
}

// At times all replicas of a cluster at once.
void Nemesis::harm(Fault fault) {
  SimExecutor* v = victim();
  if (v == nullptr) return;
  const bool all = prng_.chance(250);
  for (SimExecutor* c : truth_.containers()) {
    if (!c->server().replicates() || (c != v && !(all && c->spec().cluster == v->spec().cluster))) continue;
    truth_.harmed.insert(c->spec().cluster);
    if (fault == Fault::kBrokenApplier) {
      c->server().break_applier();
    } else {
      sim_.coverage.hit(Mark::kWrittenOn);
      c->server().write_locally();
    }
  }
}

// Mostly where it hurts: on the primary.
SimServer* Nemesis::crowded() {
  SimExecutor* v = more_.chance(700) ? primary_victim() : nullptr;
  const auto& all = truth_.containers();
  if (v == nullptr && !all.empty()) v = all[more_.below(all.size())];
  return v == nullptr ? nullptr : &v->server();
}

void Nemesis::drop_accounts() {
  if (SimServer* server = crowded()) server->drop_accounts(more_.chance(500), more_.chance(600));
}

void Nemesis::storm() {
  SimServer* server = crowded();
  if (server == nullptr) return;
  server->take_connections(milliseconds(500 + static_cast<long>(more_.below(9500))));
  if (more_.chance(500)) server->end_sessions_of_replicas();
}

void Nemesis::fill_state_disk() {
  schedulers_.fill_disk(milliseconds(1000 + static_cast<long>(more_.below(14000))));
}

}  // namespace mysos::sim
