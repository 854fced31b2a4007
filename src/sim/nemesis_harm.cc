// SPDX-License-Identifier: Apache-2.0
// What users and applications do that harms a cluster, and a state that has no room left.
#include <algorithm>
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

void Nemesis::may_harm(Prng prng, Prng resets) {
  harm_ = prng;
  for (const Fault fault : {Fault::kLogsPurged, Fault::kHeldLock, Fault::kReaderLock, Fault::kStoppedOnce}) {
    if (harm_.chance(60)) kinds_.push_back({fault, milliseconds(2000 + static_cast<long>(harm_.below(10000)))});
  }
  if (!resets.chance(60)) return;
  kinds_.push_back({Fault::kLogsReset, milliseconds(2000 + static_cast<long>(resets.below(10000)))});
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

SimExecutor* Nemesis::harmed(std::uint64_t primary_per_mille) {
  SimExecutor* v = harm_.chance(primary_per_mille) ? primary_victim() : nullptr;
  const auto& all = truth_.containers();
  return v == nullptr && !all.empty() ? all[harm_.below(all.size())] : v;
}

// One at a time in a cluster: what several have forgotten nobody can tell any more.
void Nemesis::reset_logs(int times) {
  SimExecutor* v = harmed(600);
  const auto found = v == nullptr ? truth_.clusters.end() : truth_.clusters.find(v->spec().cluster);
  const auto forgot = [&](const Member& m) {
    const Datadir* data = truth_.data_of(found->second, m.id);
    return data != nullptr && data->reset;
  };
  const bool now = found != truth_.clusters.end() && v->sees_server() && !v->volume().replacement &&
                   std::ranges::none_of(found->second.cluster.members, forgot) && v->server().reset_logs();
  if (now) truth_.harmed.insert(v->spec().cluster);
  if (now || times == 0) return;
  sim_.after(milliseconds(3), [this, times] {
    if (on_) reset_logs(times - 1);
  });
}

void Nemesis::purge_logs() {
  SimExecutor* v = harmed(1000);
  if (v == nullptr) return;
  sim_.coverage.hit(Mark::kLogsPurged);
  sim_.tell([&] { return v->spec().member.str() + " somebody purges its binary logs"; });
  v->server().purge_logs();
}

// At times those of all replicas of a cluster.
void Nemesis::hold_up_applier(Fault fault) {
  SimExecutor* v = harmed(0);
  if (v == nullptr) return;
  const bool all = harm_.chance(250);
  for (SimExecutor* c : truth_.containers()) {
    if (!c->server().replicates() || (c != v && !(all && c->spec().cluster == v->spec().cluster))) continue;
    truth_.harmed.insert(c->spec().cluster);
    if (fault == Fault::kStoppedOnce) {
      c->server().stop_applier_once();
    } else {
      c->server().lock_applier(fault == Fault::kReaderLock);
    }
  }
}

void Nemesis::fill_state_disk() {
  schedulers_.fill_disk(milliseconds(1000 + static_cast<long>(more_.below(14000))));
}

}  // namespace mysos::sim
