// SPDX-License-Identifier: Apache-2.0
#include "sim/nemesis.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mysos::sim {
namespace {

constexpr int kLurks = 300;  // of 10 ms
constexpr int kResetTries = 100;

}  // namespace

Nemesis::Nemesis(Sim& sim, Truth& truth, SimMaster& master, SimLeadership& schedulers,
                 std::uint32_t machines, const std::set<Fault>& only, bool rough_network)
    : sim_(sim),
      truth_(truth),
      master_(master),
      schedulers_(schedulers),
      prng_(sim.prng.fork()),
      nodes_(executor_node(machines)) {
  draw(only, rough_network);
}

void Nemesis::draw(const std::set<Fault>& only, bool rough_network) {
  // Swarm: most seeds have some kinds of faults only, so that one does not hide another.
  const std::uint64_t density = 80 + prng_.below(400);
  for (const auto& fault : enum_names(Fault{})) {
    // Beside the others: who is drawn must not change what an older seed means.
    if (only.empty() && fault.value >= Fault::kPutBack) continue;
    if (only.empty() ? !prng_.chance(density) : !only.contains(fault.value)) continue;
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

void Nemesis::may_put_back() { kinds_.push_back({Fault::kPutBack, seconds(5)}); }

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
  sim_.calm = true;
  sim_.tell([] { return std::string("--- all faults end ---"); });
  sim_.network.heal_all();
  sim_.network.set_faults(NetworkFaults{});
  for (const auto& [agent, volume] : std::exchange(to_put_back_, {})) agent->bring_back(volume);
  for (SimExecutor* c : truth_.containers()) {
    c->server().set_apply_delay(microseconds(100), milliseconds(2));
    c->server().show_within(milliseconds(1));
    c->server().end_storm();
  }
  for (const auto& agent : master_.agents()) {
    for (const auto& [id, volume] : agent->volumes()) volume->disk.sync_most = SimDisk{}.sync_most;
  }
  schedulers_.retire_others();
  schedulers_.clear_disk();
  for (const auto& agent : master_.agents()) {
    if (!agent->up()) agent->start();
  }
}

SimExecutor* Nemesis::victim() {
  const auto& all = truth_.containers();
  return all.empty() ? nullptr : all[prng_.below(all.size())];
}

SimExecutor* Nemesis::primary_victim() {
  for (SimExecutor* c : truth_.containers()) {
    if (c->server().writable()) return c;
  }
  return nullptr;
}

// A silent replica with much to lose.
SimExecutor* Nemesis::with_unsynced_relay() {
  for (SimExecutor* c : truth_.containers()) {
    if (c->server().data() != nullptr && c->server().data()->relay_unsynced > 0) return c;
  }
  return nullptr;
}

void Nemesis::strike(Fault fault) {
  const bool serving = fault == Fault::kPrimaryServer || fault == Fault::kLateShown;
  SimExecutor* const v = serving ? primary_victim() : victim();
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
    case Fault::kMachine:
      return crash_machine(false);
    case Fault::kPower:
      return prng_.chance(600) ? lurk(kLurks) : crash_machine(true);
    case Fault::kAgent:
      return any_agent().restart_process();
    case Fault::kMaster:
      return master_.crash();
    case Fault::kScheduler:
      return schedulers_.leader().crash();
    case Fault::kSchedulerSending:
      return schedulers_.leader().crash_while_sending();
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
      if (v == nullptr) return;
      if (prng_.chance(250)) {  // rows of a table without a primary key: one transaction takes as long as a minute
        return v->server().set_apply_delay(seconds(2), seconds(60));
      }
      return v->server().set_apply_delay(milliseconds(1), milliseconds(1 + static_cast<long>(prng_.below(200))));
    case Fault::kLateShown:
      if (v != nullptr) v->server().show_within(milliseconds(5 + static_cast<long>(prng_.below(400))));
      return;
    case Fault::kSlowDisk:
    case Fault::kStalledDisk:
    case Fault::kFullDisk:
      return hurt_disk(fault);
    case Fault::kLostVolume:
      return lose_volume();
    case Fault::kFreezeExecutor:
    case Fault::kFreezeServer:
    case Fault::kFreezeMachine:
      return freeze(fault);
    case Fault::kFreezeScheduler:
      return schedulers_.leader().freeze(a_pause());
    case Fault::kStoreHangs:
      return schedulers_.hang_store(a_pause());
    case Fault::kStoreRefuses:
      return schedulers_.refuse_commits(a_pause());
    case Fault::kSecondScheduler:
      return schedulers_.depose();
    case Fault::kSlowMesos:
      return slow_mesos();
    case Fault::kBrokenApplier:
    case Fault::kWrittenOn:
      return harm(fault);
    case Fault::kPutBack:
      return schedulers_.put_back();
    case Fault::kDroppedAccounts:
      return drop_accounts();
    case Fault::kConnectionStorm:
      return storm();
    case Fault::kFullStateDisk:
      return fill_state_disk();
    case Fault::kLogsReset:
      return reset_logs(kResetTries);
    case Fault::kLogsPurged:
      return purge_logs();
    case Fault::kHeldLock:
    case Fault::kReaderLock:
    case Fault::kStoppedOnce:
      return hold_up_applier(fault);
  }
}

SimAgent& Nemesis::any_agent() {
  return *master_.agents()[prng_.below(master_.agents().size())];
}

// Until a replica has much to lose, for a while.
void Nemesis::lurk(int times) {
  if (!on_) return;
  if (SimExecutor* torn = with_unsynced_relay(); torn != nullptr) return crash_machine(true, torn);
  if (times == 0) return crash_machine(true);
  sim_.after(milliseconds(10), [this, times] { lurk(times - 1); });
}

void Nemesis::crash_machine(bool power_lost, SimExecutor* there) {
  const bool all = power_lost && prng_.chance(300);  // a room without power
  SimAgent* one = there == nullptr ? &any_agent() : master_.agents()[there->machine()].get();
  for (const auto& agent : master_.agents()) {
    if (!agent->up() || (!all && agent.get() != one)) continue;
    agent->crash(power_lost);
    sim_.after(sim_.between(milliseconds(500), seconds(12)), [agent = agent.get()] {
      if (!agent->up()) agent->start();
    });
  }
}

void Nemesis::hurt_disk(Fault fault) {
  // Often that of a primary: there it hurts most.
  SimExecutor* v = prng_.chance(400) ? primary_victim() : nullptr;
  if (v == nullptr) v = victim();
  if (v == nullptr) return;
  if (fault == Fault::kSlowDisk) {
    v->disk().sync_most = milliseconds(5 + static_cast<long>(prng_.below(400)));
    sim_.tell([&] { return "the disk of " + v->spec().member.str() + " is slow"; });
  } else {
    const bool full = fault == Fault::kFullDisk;
    v->disk().stall(sim_, a_pause() * (full ? 2 : 1), full);
    sim_.tell([&] { return "the disk of " + v->spec().member.str() + (full ? " is full" : " stalls"); });
  }
}

// Whether another member has data that are of use without this one's: errant ones may be thrown away at any moment.
bool Nemesis::dispensable(const ClusterTruth& c, const MemberId& member) const {
  if (c.cluster.doubt) return false;
  const Datadir* primary = c.cluster.epoch.primary ? truth_.data_of(c, *c.cluster.epoch.primary) : nullptr;
  return primary != nullptr && !primary->reset && std::ranges::any_of(c.cluster.members, [&](const Member& m) {
    const Datadir* data = m.id == member || truth_.lost(c, m.id) ? nullptr : truth_.data_of(c, m.id);
    return data != nullptr && !data->reset && primary->executed.contains(data->received);
  });
}

// One that its cluster knows by its name. Mostly no more of them than acknowledgements cover; beyond that Mysos has to wait
// for a person.
void Nemesis::lose_volume() {
  SimExecutor* v = prng_.chance(400) ? primary_victim() : nullptr;
  if (v == nullptr) v = victim();
  if (v == nullptr || v->volume().replacement) return;
  const auto found = truth_.clusters.find(v->spec().cluster);
  if (found == truth_.clusters.end() || found->second.deleting) return;
  const ClusterTruth& c = found->second;
  const Member* member = c.cluster.find(v->spec().member);
  if (member == nullptr || member->volume_name != v->volume().promise.volume) return;
  const auto lost = std::ranges::count_if(c.cluster.members, [&](const Member& m) { return truth_.lost(c, m.id); });
  const auto after = static_cast<std::size_t>(lost) + 1;
  const bool covered = after <= std::max(1U, c.cluster.epoch.d);
  if (!dispensable(c, member->id) || (!covered && !prng_.chance(150))) return;
  SimAgent& agent = *master_.agents()[v->machine()];
  agent.lose_volume(*v);
  if (!prng_.chance(300)) return;
  to_put_back_.emplace_back(&agent, member->place().volume);
  sim_.after(sim_.between(seconds(1), seconds(15)), [this, &agent, volume = member->place().volume] {
    if (on_) agent.bring_back(volume);
  });
}

void Nemesis::freeze(Fault fault) {
  SimExecutor* v = prng_.chance(400) ? primary_victim() : nullptr;
  if (v == nullptr) v = victim();
  if (v == nullptr) return;
  const Duration pause = a_pause();
  for (SimExecutor* c : truth_.containers()) {
    const bool hit = fault == Fault::kFreezeMachine ? c->machine() == v->machine() : c == v;
    if (hit && fault != Fault::kFreezeServer) c->freeze(pause);
    if (hit && fault != Fault::kFreezeExecutor) c->server().freeze(pause);
  }
}

// Offers and updates, calls, what agents say: each late by as much, for a while.
void Nemesis::slow_mesos() {
  sim_.tell([] { return std::string("network: Mesos is late"); });
  sim_.coverage.hit(Mark::kMesosLate);
  const auto lag = [this](Node a, Node b) {
    if (prng_.chance(300)) return;
    sim_.network.lag(a, b, sim_.between(milliseconds(100), seconds(8)));
    sim_.after(sim_.between(seconds(2), seconds(15)),
               [this, a, b] { sim_.network.lag(a, b, Duration{}); });
  };
  lag(kMasterNode, kSchedulerNode);
  lag(kSchedulerNode, kMasterNode);
  for (const auto& agent : master_.agents()) {
    lag(agent_node(agent->machine()), kMasterNode);
    lag(kMasterNode, agent_node(agent->machine()));
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
