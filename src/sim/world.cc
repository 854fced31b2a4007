// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "sim/check_convergence.h"
#include "sim/check_leaks.h"
#include "sim/checkers.h"
#include "sim/nemesis.h"
#include "sim/one_dies.h"
#include "sim/sim_clients.h"
#include "sim/sim_user.h"
#include "sim/story.h"

namespace mysos::sim {
namespace {

constexpr Duration kCheckEvery = milliseconds(100);
constexpr Duration kConvergeWithin = seconds(240);
constexpr Duration kHealthyWithin = seconds(20);
constexpr Duration kKeepsOrphans = seconds(30);  // longer than the grace of what holds no data
constexpr Duration kQuietBefore =
    seconds(5);  // clusters may come to life before the first fault, in most seeds

class World : public ServerWorld, public SchedulerWorld {
 public:
  explicit World(const SeedOptions& options);
  SeedResult run();

  SimServer* server_at(const std::string& host, std::uint16_t port) override;
  void opened(SimServer& server) override;
  void begun(SimServer& server, TxnId txn) override;
  void released(SimServer& server, TxnId txn, const std::set<MemberId>& acked_by) override;
  void relay_lost(SimServer& server, bool any) override;
  void destroyed(const VolumeId& id, const SimVolume& volume) override { check_destroyed(sim_, truth_, id, volume); }
  void throws_away(const ClusterId& cluster, const MemberId& member, const Datadir& data) override;
  void rebuilt(const ClusterId& cluster, const MemberId& member) override;
  SimExecutor* executor_at(const std::string& ip, std::uint16_t api_port) override;
  std::optional<std::uint32_t> machine_at(const std::string& ip) override;
  void committed(const SchedulerState& state, const std::vector<Event>& events, const SchedulerCore* by) override;
  void put_back(const SchedulerState& state) override;
  void replied(const Reply& reply) override { user_.replied(reply); }

 private:
  void check_beat();
  void run_until(Instant until);
  std::optional<std::string> unfinished();
  void converge();
  void let_one_die();
  void let_one_die_early();
  const std::vector<SimExecutor*>& containers();

  std::uint32_t machines_;
  Sim sim_;
  Truth truth_;
  SimMaster master_;
  SimLeadership schedulers_;
  std::unique_ptr<Nemesis> nemesis_;
  std::unique_ptr<SimClients> clients_;
  Prng prng_;
  SimUser user_;
  Prng late_;  // for what came to the simulation later, and must not change what an older seed means
  OneDies one_dies_;
  bool one_died_ = false;
  Duration returned_in_{};
  Duration faults_for_{};
  Instant mended_{};
  Duration converged_in_{};
  std::vector<SimExecutor*> containers_;
  std::uint64_t containers_of_ = 0;
};

std::uint32_t draw_machines(std::uint64_t seed) {
  return 3 + static_cast<std::uint32_t>(Prng(seed ^ 0x5151).below(4));
}

World::World(const SeedOptions& options)
    : machines_(std::max(draw_machines(options.seed), options.members.value_or(0) + 1)),
      sim_(options.seed, executor_node(machines_), options.mutation, options.listener),
      master_(sim_, *this, machines_),
      schedulers_(sim_, *this, master_),
      prng_(sim_.prng.fork()),
      user_(sim_, truth_, schedulers_, prng_, {options.members, options.flavour, machines_}),
      late_(options.seed ^ 0x1A7E),
      one_dies_(sim_, truth_, master_, schedulers_, options.seed) {
  truth_.containers = [this]() -> const std::vector<SimExecutor*>& { return containers(); };
  truth_.volume = [this](const VolumeId& id) -> const SimVolume* {
    for (const auto& agent : master_.agents()) {
      if (const SimVolume* found = agent->known_as(id)) return found;
    }
    return nullptr;
  };
  clients_ = std::make_unique<SimClients>(sim_, truth_,
                                          milliseconds(20 + static_cast<long>(prng_.below(300))));
  nemesis_ = std::make_unique<Nemesis>(sim_, truth_, master_, schedulers_, machines_, options.only,
                                       options.rough_network);
  const bool puts_back = options.only.empty() ?
      Prng(options.seed ^ 0xBAC2).chance(120) : options.only.contains(Fault::kPutBack);
  if (options.only.empty() && puts_back) nemesis_->may_put_back();
  if (options.only.empty()) nemesis_->may_more(late_.fork());
  if (options.only.empty()) nemesis_->may_harm(Prng(options.seed ^ 0x4A12), Prng(options.seed ^ 0x4E5E));
  sim_.resets = nemesis_->may(Fault::kLogsReset);
  faults_for_ = options.faults_for.value_or(sim_.between(seconds(8), seconds(30)));
  if (puts_back && late_.chance(500)) user_.begin_late(late_.fork(), kQuietBefore + faults_for_ / 2);
  if (puts_back) user_.begin_adopting(Prng(options.seed ^ 0xAD09));
}

// ---- what is where ----

const std::vector<SimExecutor*>& World::containers() {
  if (containers_of_ != sim_.container_changes) {
    containers_.clear();
    for (const auto& agent : master_.agents()) {
      for (SimExecutor* c : agent->containers()) containers_.push_back(c);
    }
    containers_of_ = sim_.container_changes;
  }
  return containers_;
}

std::optional<std::uint32_t> World::machine_at(const std::string& ip) {
  for (const auto& agent : master_.agents()) {
    if (agent->ip() == ip) return agent->machine();
  }
  return std::nullopt;
}

SimExecutor* World::executor_at(const std::string& ip, std::uint16_t api_port) {
  for (SimExecutor* c : containers()) {
    if (c->spec().api_port == api_port && machine_at(ip) == c->machine()) return c;
  }
  return nullptr;
}

SimServer* World::server_at(const std::string& host, std::uint16_t port) {
  for (SimExecutor* c : containers()) {
    if ((c->spec().port == port || c->spec().admin_port == port) && c->server().alive() && machine_at(host) == c->machine())
      return &c->server();
  }
  return nullptr;
}

// ---- what is seen ----

void World::opened(SimServer& server) {
  const auto found = truth_.clusters.find(server.identity().cluster);
  if (found == truth_.clusters.end()) return;
  for (SimExecutor* c : containers()) {
    if (&c->server() != &server) continue;
    server.opened_under = server.told_under();
    if (c->volume().replacement) sim_.violate(server.identity().member.str() + " opens, and its volume was lost");
  }
  found->second.opened.try_emplace(server.opened_under.epoch, sim_.now());
  check_one_writer(sim_, truth_, found->second);
}

void World::begun(SimServer& server, TxnId txn) {
  const auto found = truth_.clusters.find(server.identity().cluster);
  if (found != truth_.clusters.end())
    truth_.begun[txn] = {server.opened_under.epoch, sim_.now()};
}

void World::released(SimServer& server, TxnId txn, const std::set<MemberId>& acked_by) {
  const auto found = truth_.clusters.find(server.identity().cluster);
  if (found == truth_.clusters.end()) return;
  ClusterTruth& c = found->second;
  sim_.coverage.hit(Mark::kWriteAcked);
  check_late_ack(sim_, truth_, c, server, txn);
  if (name_reused(sim_, c, server, txn, acked_by)) return;
  if (given_up(sim_, truth_, c, server, txn)) return;
  check_primary_has(sim_, truth_, c, txn);
  check_ackers(sim_, c, server, txn, acked_by);
  c.acked.push_back(txn);
  c.last_ack = sim_.now();
  const auto begun = truth_.begun.find(txn);
  if (begun != truth_.begun.end()) c.last_begun_acked = std::max(c.last_begun_acked, begun->second.at);
}

void World::throws_away(const ClusterId& cluster, const MemberId& member, const Datadir& data) {
  const auto found = truth_.clusters.find(cluster);
  if (found == truth_.clusters.end()) return;
  check_thrown_away(sim_, found->second, member, data);
  check_rebuilds(sim_, truth_, found->second, member, data);
}

void World::rebuilt(const ClusterId& cluster, const MemberId& member) {
  const auto found = truth_.clusters.find(cluster);
  if (found == truth_.clusters.end()) return;
  found->second.may_throw_away.erase(member);
  if (found->second.cluster.epoch.rebuilding == member) found->second.may_throw_away.insert(member);
}

void World::relay_lost(SimServer& server, bool any) {
  if (any) sim_.coverage.hit(Mark::kAmnesia);
  const auto found = truth_.clusters.find(server.identity().cluster);
  if (any && found != truth_.clusters.end()) check_held(sim_, truth_, found->second);
}

void World::committed(const SchedulerState& state, const std::vector<Event>& events, const SchedulerCore* by) {
  for (const auto& [id, cluster] : state.clusters) {
    const bool met = truth_.clusters.contains(id);
    ClusterTruth& c = truth_.clusters[id];
    if (std::exchange(c.forgotten, false)) {
      note_adopted(sim_, c, cluster);
      continue;
    }
    if (met && c.cluster == cluster) continue;
    const Cluster known = std::exchange(c.cluster, cluster);
    const EpochRecord& before = known.epoch;
    for (const Member& m : cluster.members) {
      if (m.granted) c.volumes[m.id] = m.place().volume;
    }
    if (known.switchover_to && !cluster.switchover_to && !cluster.deleting) note_switchover(sim_, known, cluster);
    c.id = id;
    c.deleting = cluster.deleting;
    if (before.pair > cluster.epoch.pair) sim_.violate("a record's pair goes back");
    if (before.pair == cluster.epoch.pair && before != cluster.epoch && met) {
      sim_.violate("a pair is used again with other content: " + to_string(before.pair));
    }
    if (before.pair != cluster.epoch.pair) {
      sim_.tell([&] { return told(id, cluster.epoch); });
      if (before.primary != cluster.epoch.primary && before.primary &&
          before.mode == EpochMode::kNormal) {
        sim_.coverage.hit(Mark::kSwitchover);
      }
      if (cluster.epoch.rebuilding) {
        sim_.coverage.hit(Mark::kRebuildNamed);
        c.may_throw_away.insert(*cluster.epoch.rebuilding);
        check_named_for_rebuild(sim_, truth_, c, before);
      }
      check_forced(sim_, truth_, c, events);
      if (by != nullptr) check_named(sim_, c, before, *by);
      check_primary_complete(sim_, truth_, c, before);
      check_held(sim_, truth_, c);
      check_quorum(sim_, truth_, c);
      check_followers(sim_, truth_, c);
    }
    if (!met) {
      for (std::uint64_t n = 1 + prng_.below(3); n > 0; --n) clients_->add_writer(id);
    }
  }
  for (auto& [id, c] : truth_.clusters) {
    if (state.clusters.contains(id) || c.gone || c.forgotten) continue;
    c.gone = c.deleting = true;
    if (!user_.deleted(c.cluster.spec.name))
      sim_.violate("a cluster is gone that nobody deleted: " + id.str());
  }
}

// What is recorded now is older than the truth, until the members have said what they hold.
void World::put_back(const SchedulerState& state) {
  sim_.coverage.hit(Mark::kPutBack);
  for (const auto& [id, cluster] : state.clusters) {
    Cluster& now = truth_.clusters.at(id).cluster;
    if (now.epoch.pair > cluster.epoch.pair) sim_.coverage.hit(Mark::kOldRecord);
    now = cluster;
    now.doubt = RecordDoubt{.why = "it was put back"};
  }
  for (auto& [id, c] : truth_.clusters) {
    if (state.clusters.contains(id) || c.gone || c.forgotten) continue;
    c.forgotten = true;
    sim_.coverage.hit(Mark::kForgotten);
    if (late_.chance(400)) continue;
    for (SimExecutor* e : containers()) {  // only what no task holds is offered
      if (e->spec().cluster != id || late_.chance(300)) continue;
      sim_.after(milliseconds(static_cast<long>(late_.below(8000))), [e] { e->container_dies(); });
    }
  }
}

void World::check_beat() {
  for (const auto& [id, c] : truth_.clusters) {
    if (c.gone) continue;
    if (!c.forgotten) check_followers(sim_, truth_, c);
    check_one_writer(sim_, truth_, c);
    const SchedulerCore* core = schedulers_.leader().alive() ? schedulers_.leader().core() : nullptr;
    if (core != nullptr && truth_.harmed.contains(id)) check_healthy(sim_, truth_, c, *core);
  }
  sim_.after(kCheckEvery, [this] { check_beat(); });
}

// ---- phases ----

void World::run_until(Instant until) {
  while (!sim_.violation && sim_.queue.next_at() <= until) {
    sim_.queue.run_one();
    sim_.trace.mix(static_cast<std::uint64_t>(sim_.now().time_since_epoch().count()));
  }
}

std::optional<std::string> World::unfinished() {
  if (!schedulers_.leader().alive()) return "the scheduler is away";
  for (const auto& [id, c] : truth_.clusters) {
    if (c.forgotten && sim_.now() < mended_ + kKeepsOrphans) return "what no cluster owns is looked at for a while";
    if (user_.adopts() && !user_.deleted(c.cluster.spec.name) && wanted_back(truth_, c)) {
      return c.cluster.spec.name + ": it is not adopted yet";
    }
    if (c.forgotten) continue;
    if (auto missing = not_converged(truth_, c, *schedulers_.leader().core(), sim_.now(), mended_)) {
      return fmt::format("{}: {}", c.cluster.spec.name, *missing);
    }
  }
  if (auto leak = leaks(master_, truth_, schedulers_.leader().committed_state())) return "left behind: " + *leak;
  return std::nullopt;
}

// Nobody helps: writes have to return by themselves.
void World::let_one_die() {
  if (one_died_ || sim_.violation || !one_dies_.strike()) return;
  one_died_ = true;
  user_.looks_away(true);
  std::optional<std::string> stuck;
  do {
    one_dies_.probe();
    run_until(sim_.now() + milliseconds(100));
    stuck = one_dies_.stuck();
  } while (stuck && !sim_.violation && !one_dies_.too_late());
  if (stuck && !sim_.violation) sim_.violate(*stuck);
  returned_in_ = one_dies_.since();
  user_.looks_away(false);
}

// As soon as a cluster calls itself healthy, although much may have yet to come back.
void World::let_one_die_early() {
  const Instant limit = sim_.now() + kHealthyWithin;
  while (!sim_.violation && sim_.now() < limit && !one_dies_.ready()) run_until(sim_.now() + milliseconds(100));
  if (!one_dies_.ready()) return;
  let_one_die();
  one_dies_.bring_back();
}

void World::converge() {
  nemesis_->mend_all();
  user_.faults_end();
  if (one_dies_.early()) let_one_die_early();
  mended_ = sim_.now();
  const Instant limit = mended_ + kConvergeWithin;
  std::optional<std::string> missing;
  while (!sim_.violation && sim_.now() < limit) {
    run_until(sim_.now() + milliseconds(500));
    missing = unfinished();
    if (!missing) break;
  }
  if (sim_.violation) return;
  if (missing)
    return sim_.violate(
        fmt::format("no convergence within {} s: {}", kConvergeWithin / seconds(1), *missing));
  converged_in_ = sim_.now() - mended_;
  sim_.coverage.hit(Mark::kConverged);
  for (const auto& [id, c] : truth_.clusters) {
    if (c.gone) sim_.coverage.hit(Mark::kDeleted);
    if (c.adopted && !c.forgotten && !c.gone) sim_.coverage.hit(Mark::kAdoptedServes);
    if (!c.deleting) check_held(sim_, truth_, c);
    for (const auto& agent : master_.agents()) {
      for (const auto& [volume, held] : agent->volumes()) {
        if (c.forgotten && held->cluster == id && held->data) sim_.coverage.hit(Mark::kOrphanKept);
      }
    }
  }
  let_one_die();
}

SeedResult World::run() {
  sim_.network.set_faults(NetworkFaults{});
  master_.start();
  for (const auto& agent : master_.agents()) agent->start();
  schedulers_.start();
  user_.begin(kQuietBefore + faults_for_);
  check_beat();
  if (prng_.chance(800)) run_until(sim_.now() + kQuietBefore);
  nemesis_->unleash();
  run_until(sim_.now() + faults_for_);
  if (!sim_.violation) converge();

  SeedResult result;
  result.violation = sim_.violation;
  sim_.trace.mix(sim_.prng.next());
  result.hash = sim_.trace.hash();
  result.events = sim_.queue.done();
  result.acked = clients_->told_ok();
  result.lived = sim_.now() - Instant{};
  result.converged_in = converged_in_;
  result.returned_in = returned_in_;
  result.coverage = sim_.coverage;
  return result;
}

}  // namespace

SeedResult run_seed(const SeedOptions& options) {
  World world(options);
  return world.run();
}

}  // namespace mysos::sim
