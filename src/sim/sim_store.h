// SPDX-License-Identifier: Apache-2.0
#pragma once
// The schedulers' store. Only the store decides who leads: the scheduler that opened it last.
// It refuses transactions of a former leader. It may hang,
// or refuse for a while (a full disk); a transaction is tried again until it is durable.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/scheduler_core.h"
#include "sim/sim.h"

namespace mysos::sim {

struct SimStore {
  using Records = std::map<std::string, std::map<std::string, std::string>>;
  Records records;
  Records before;  // the last transaction (for Mutation::kStoreForgets)
  std::optional<Records> kept;  // a copy of an earlier moment
  bool put_back = false;        // ... is what it holds, and nothing has been committed since (scheduler/marked_store.h)
  std::uint64_t leader = 0;
  Instant hangs_until{};
  Instant refuses_until{};

  void write(Sim& sim, const std::vector<Record>& changes) {
    put_back = false;
    if (sim.mutation == Mutation::kStoreForgets) before = records;
    for (const Record& r : changes) {
      sim.trace.mix(r.key);
      if (r.json) {
        sim.trace.mix(*r.json);
        records[r.kind][r.key] = *r.json;
      } else {
        records[r.kind].erase(r.key);
      }
    }
  }
  // How long a transaction takes that begins now.
  [[nodiscard]] Duration takes(Sim& sim) const {
    const Duration usual = sim.between(microseconds(200), milliseconds(4));
    return hangs_until > sim.now() ? hangs_until - sim.now() + usual : usual;
  }
};

}  // namespace mysos::sim
