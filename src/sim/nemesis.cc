// SPDX-License-Identifier: Apache-2.0
#include "sim/nemesis.h"

#include <fmt/format.h>

#include <algorithm>

namespace mysos::sim {

Nemesis::Nemesis(Sim& sim, Truth& truth, SimMaster& master, SimScheduler& scheduler,
                 std::uint32_t machines, std::optional<Fault> only, bool rough_network)
    : sim_(sim),
      truth_(truth),
      master_(master),
      scheduler_(scheduler),
      prng_(sim.prng.fork()),
      nodes_(executor_node(machines)) {
  draw(only, rough_network);
}

void Nemesis::draw(std::optional<Fault> only, bool rough_network) {
  // Swarm: most seeds have some kinds of faults only, so that one does not hide another.
  const std::uint64_t density = 150 + prng_.below(500);
  for (const auto& fault : enum_names(Fault{})) {
    if (only ? fault.value != *only : !prng_.chance(density)) continue;
    kinds_.push_back({fault.value, milliseconds(500 + static_cast<long>(prng_.below(12000)))});
  }
  if (prng_.chance(400)) network_.loss = prng_.below(30);
  if (prng_.chance(400)) network_.duplicate = prng_.below(100);
  if (prng_.chance(400)) network_.slow = prng_.below(30);
  if (prng_.chance(300)) network_.slow_max = seconds(12);
  if (!rough_network) return;
  network_.duplicate = 400;
  network_.slow_max = seconds(6);
}

void Nemesis::unleash() {
  on_ = true;
  sim_.network.set_faults(network_);
  for (const Kind& k : kinds_) arm(k);
}

void Nemesis::arm(const Kind& kind) {
  const auto wait = static_cast<Duration::rep>(
      prng_.below(static_cast<std::uint64_t>(kind.every.count()) * 2) + 1);
  sim_.after(Duration(wait), [this, kind] {
    if (!on_) return;
    strike(kind.fault);
    arm(kind);
  });
}

void Nemesis::mend_all() {
  on_ = false;
  sim_.tell([] { return std::string("--- all faults end ---"); });
  sim_.network.heal_all();
  sim_.network.set_faults(NetworkFaults{});
  for (SimExecutor* c : truth_.containers())
    c->server().set_apply_delay(microseconds(100), milliseconds(2));
  for (const auto& agent : master_.agents()) {
    if (!agent->up()) agent->start();
  }
}

SimExecutor* Nemesis::victim() {
  const auto all = truth_.containers();
  return all.empty() ? nullptr : all[prng_.below(all.size())];
}

SimExecutor* Nemesis::primary_victim() {
  for (SimExecutor* c : truth_.containers()) {
    if (c->server().writable()) return c;
  }
  return nullptr;
}

void Nemesis::strike(Fault fault) {
  SimExecutor* const v = fault == Fault::kPrimaryServer ? primary_victim() : victim();
  SimAgent& agent = *master_.agents()[prng_.below(master_.agents().size())];
  switch (fault) {
    case Fault::kServer:
    case Fault::kPrimaryServer:
      if (v != nullptr) v->crash_server("crash");
      return;
    case Fault::kExecutor:
      if (v != nullptr) v->crash_executor(false);
      return;
    case Fault::kExecutorPromising:
      if (v != nullptr) v->crash_at_next_promise();
      return;
    case Fault::kBoth:
      if (v != nullptr) v->crash_executor(true);
      return;
    case Fault::kContainer:
      if (v != nullptr) v->container_dies();
      return;
    case Fault::kMachine: {
      if (!agent.up()) return;
      agent.crash();
      sim_.after(sim_.between(milliseconds(500), seconds(12)), [&agent] {
        if (!agent.up()) agent.start();
      });
      return;
    }
    case Fault::kAgent:
      return agent.restart_process();
    case Fault::kMaster:
      return master_.crash();
    case Fault::kScheduler:
      return scheduler_.crash();
    case Fault::kSchedulerSending:
      return scheduler_.crash_while_sending();
    case Fault::kAllServers:
      for (SimExecutor* c : truth_.containers()) {
        if (prng_.chance(700)) c->crash_server("all crash");
      }
      return;
    case Fault::kCut:
      return cut_pair();
    case Fault::kIsolate:
      return isolate();
    case Fault::kUnwatched:
      return unwatched();
    case Fault::kReplicaCut:
      return replica_cut();
    case Fault::kLateAcks:
      return late_acks();
    case Fault::kSlowApplier:
      if (v != nullptr)
        v->server().set_apply_delay(milliseconds(1),
                                    milliseconds(1 + static_cast<long>(prng_.below(200))));
      return;
  }
}

void Nemesis::cut_pair() {
  const Node a = any_node();
  const Node b = any_node();
  if (a == b) return;
  const bool one_way = prng_.chance(250);
  sim_.tell([&] {
    return fmt::format("network: {} and {} are cut{}", a, b, one_way ? " in one direction" : "");
  });
  sim_.network.cut(a, b);
  if (!one_way) sim_.network.cut(b, a);
  sim_.after(sim_.between(milliseconds(200), seconds(15)),
             [this, a, b] { sim_.network.heal(a, b); });
}

void Nemesis::cut_for(Node a, Node b, Duration how_long) {
  sim_.tell(
      [&] { return fmt::format("network: {} and {} are cut for {} ms", a, b, to_ms(how_long)); });
  sim_.network.cut(a, b);
  sim_.network.cut(b, a);
  sim_.after(how_long, [this, a, b] { sim_.network.heal(a, b); });
}

// The scheduler alone does not reach a member; its clients and its peers do.
void Nemesis::unwatched() {
  if (SimExecutor* v = victim())
    cut_for(kSchedulerNode, v->node(), sim_.between(seconds(1), seconds(15)));
}

void Nemesis::replica_cut() {
  SimExecutor* const p = primary_victim();
  SimExecutor* const v = victim();
  if (p == nullptr || v == nullptr || p->machine() == v->machine()) return;
  cut_for(server_node(p->machine()), server_node(v->machine()),
          sim_.between(milliseconds(500), seconds(8)));
}

// Nobody reaches the primary, and the acknowledgements that it is owed come when another has long
// been chosen.
void Nemesis::late_acks() {
  SimExecutor* const p = primary_victim();
  if (p == nullptr) return;
  const Node node = server_node(p->machine());
  sim_.tell([&] { return fmt::format("network: what servers send to {} is late", node); });
  for (Node n = server_node(0); n < nodes_; n += 3) sim_.network.lag(n, node, seconds(9));
  cut_for(kSchedulerNode, p->node(), seconds(12));
  sim_.after(milliseconds(400), [this, node] {
    for (Node n = 0; n < nodes_; ++n) {
      if (n != node) sim_.network.cut(node, n);
    }
  });
  sim_.after(seconds(12), [this, node] {
    for (Node n = 0; n < nodes_; ++n) {
      sim_.network.lag(n, node, Duration{});
      sim_.network.heal(node, n);
    }
  });
}

// One voice, or all three of a machine, hears nobody else.
void Nemesis::isolate() {
  std::vector<Node> lonely{any_node()};
  if (lonely[0] >= executor_node(0) && prng_.chance(500)) {
    const Node first = lonely[0] - (lonely[0] - executor_node(0)) % 3;
    lonely = {first, first + 1, first + 2};
  }
  sim_.tell(
      [&] { return fmt::format("network: {} ({} voices) is alone", lonely[0], lonely.size()); });
  const auto inside = [&](Node n) { return std::ranges::find(lonely, n) != lonely.end(); };
  for (const Node a : lonely) {
    for (Node b = 0; b < nodes_; ++b) {
      if (!inside(b)) sim_.network.cut(a, b), sim_.network.cut(b, a);
    }
  }
  sim_.after(sim_.between(milliseconds(300), seconds(12)), [this, lonely] {
    for (const Node a : lonely) {
      for (Node b = 0; b < nodes_; ++b) sim_.network.heal(a, b);
    }
  });
}

}  // namespace mysos::sim
