// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "sim/check_acked.h"
#include "sim/check_convergence.h"
#include "sim/check_epochs.h"
#include "sim/check_leaks.h"
#include "sim/nemesis.h"
#include "sim/sim_clients.h"

namespace mysos::sim {
namespace {

constexpr Duration kCheckEvery = milliseconds(100);
constexpr Duration kConvergeWithin = seconds(240);
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
  SimExecutor* executor_at(const std::string& ip, std::uint16_t api_port) override;
  std::optional<std::uint32_t> machine_at(const std::string& ip) override;
  void committed(const SchedulerState& state) override;
  void replied(const Reply& reply) override;

 private:
  void plan_user();
  void create(std::uint32_t index);
  void switch_over(const std::string& name);
  void fail_over(const std::string& name);
  void prefer(const std::string& name);
  const Cluster* known(const std::string& name);
  void remove(const std::string& name);
  void check_beat();
  void run_until(Instant until);
  std::optional<std::string> unfinished();
  void converge();
  const std::vector<SimExecutor*>& containers();

  SeedOptions options_;
  std::uint32_t machines_;
  Sim sim_;
  Truth truth_;
  SimMaster master_;
  SimLeadership schedulers_;
  std::unique_ptr<Nemesis> nemesis_;
  std::unique_ptr<SimClients> clients_;
  Prng prng_;
  std::uint64_t next_request_ = 1;
  std::map<RequestId, std::string> asked_;
  std::set<std::string> deletes_;  // asked for
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
    : options_(options),
      machines_(std::max(draw_machines(options.seed), options.members.value_or(0) + 1)),
      sim_(options.seed, executor_node(machines_), options.mutation, options.listener),
      master_(sim_, *this, machines_),
      schedulers_(sim_, *this, master_),
      prng_(sim_.prng.fork()) {
  truth_.containers = [this]() -> const std::vector<SimExecutor*>& { return containers(); };
  truth_.volume = [this](const VolumeId& id) -> const SimVolume* {
    for (const auto& agent : master_.agents()) {
      const auto found = agent->volumes().find(id);
      if (found != agent->volumes().end()) return found->second.get();
    }
    return nullptr;
  };
  clients_ = std::make_unique<SimClients>(sim_, truth_,
                                          milliseconds(20 + static_cast<long>(prng_.below(300))));
  nemesis_ = std::make_unique<Nemesis>(sim_, truth_, master_, schedulers_, machines_, options.only,
                                       options.rough_network);
  faults_for_ = options.faults_for.value_or(sim_.between(seconds(8), seconds(30)));
}

// ---- what the user asks for ----

void World::plan_user() {
  const std::uint32_t clusters = prng_.chance(250) ? 2 : 1;
  for (std::uint32_t i = 0; i < clusters; ++i) create(i);
  const auto in_faults = [&] { return sim_.between(seconds(2), kQuietBefore + faults_for_); };
  for (std::uint32_t i = 0; i < clusters; ++i) {
    const std::string name = fmt::format("shop-{}", i);
    for (std::uint64_t n = prng_.below(3); n > 0; --n)
      sim_.after(in_faults(), [this, name] { switch_over(name); });
    if (prng_.chance(250)) sim_.after(in_faults(), [this, name] { fail_over(name); });
    if (prng_.chance(250)) sim_.after(in_faults(), [this, name] { prefer(name); });
    if (prng_.chance(250)) sim_.after(in_faults(), [this, name] { remove(name); });
  }
}

void World::create(std::uint32_t index) {
  static constexpr std::uint32_t kSizes[] = {1, 2, 3, 3, 3, 5};
  scheduler_input::CreateCluster in;
  in.request = RequestId(fmt::format("r{}", next_request_++));
  in.spec.name = fmt::format("shop-{}", index);
  in.spec.members = options_.members.value_or(kSizes[prng_.below(std::size(kSizes))]);
  if (in.spec.members > machines_) in.spec.members = machines_;
  const Flavour flavour =
      options_.flavour.value_or(prng_.chance(500) ? Flavour::kMariadb : Flavour::kMysql);
  in.spec.version = flavour == Flavour::kMariadb ? "mariadb-10.11" : "mysql-9.7";
  in.spec.flavour = flavour;
  in.spec.user = "shop";
  in.sealed_secrets = "sealed";
  in.token_hash = "hash";
  if (!schedulers_.leader().alive()) {
    sim_.after(milliseconds(500), [this, index] { create(index); });
    return;
  }
  asked_[in.request] = in.spec.name;
  sim_.tell([&] {
    return fmt::format("user: create {} with {} x {}", in.spec.name, in.spec.members,
                       in.spec.version);
  });
  // A user whose request was lost asks again.
  sim_.after(seconds(3), [this, index, name = in.spec.name] {
    const bool known = std::ranges::any_of(
        truth_.clusters, [&](const auto& c) { return c.second.cluster.spec.name == name; });
    if (!known) create(index);
  });
  schedulers_.leader().request(std::move(in));
}

// As the store has it; null: there is none, or nobody to ask.
const Cluster* World::known(const std::string& name) {
  if (!schedulers_.leader().alive()) return nullptr;
  const Cluster* found = schedulers_.leader().committed_state().find_by_name(name);
  return found == nullptr || found->members.empty() ? nullptr : found;
}

void World::switch_over(const std::string& name) {
  const Cluster* c = known(name);
  if (c == nullptr) return;
  scheduler_input::Switchover in{RequestId(fmt::format("r{}", next_request_++)), name, {}};
  if (prng_.chance(500)) in.to = c->members[prng_.below(c->members.size())].id;
  sim_.tell([&] { return fmt::format("user: switch {} over to {}", name, in.to ? in.to->str() : "any"); });
  schedulers_.leader().request(std::move(in));
}

// An operator's failover, without evidence. A loss is never accepted: the checkers know none.
void World::fail_over(const std::string& name) {
  const Cluster* c = known(name);
  if (c == nullptr) return;
  scheduler_input::Failover in{RequestId(fmt::format("r{}", next_request_++)), name, {}};
  if (prng_.chance(500)) in.wanted.to = c->members[prng_.below(c->members.size())].id;
  sim_.tell([&] { return fmt::format("user: fail {} over to {}", name, in.wanted.to ? in.wanted.to->str() : "any"); });
  sim_.coverage.hit(Mark::kFailoverAsked);
  schedulers_.leader().request(std::move(in));
}

void World::prefer(const std::string& name) {
  const Cluster* c = known(name);
  if (c == nullptr) return;
  const MemberId member = c->members[prng_.below(c->members.size())].id;
  const Promotion wish = prng_.chance(500) ? Promotion::kPrefer : Promotion::kAvoid;
  sim_.tell([&] { return fmt::format("user: promotion of {} is to be '{}'", member.str(), enum_text(wish)); });
  schedulers_.leader().request(
      scheduler_input::Promote{RequestId(fmt::format("r{}", next_request_++)), name, member, wish});
}

void World::remove(const std::string& name) {
  const bool known = std::ranges::any_of(schedulers_.leader().committed_state().clusters, [&](const auto& c) {
    return c.second.spec.name == name && !c.second.deleting;
  });
  if (!schedulers_.leader().alive() || !known) return;
  sim_.tell([&] { return fmt::format("user: delete {}", name); });
  deletes_.insert(name);
  schedulers_.leader().request(
      scheduler_input::DeleteCluster{RequestId(fmt::format("r{}", next_request_++)), name});
  sim_.after(seconds(3), [this, name] { remove(name); });
}

void World::replied(const Reply& reply) {
  const auto found = asked_.find(reply.request);
  sim_.tell([&] {
    return fmt::format("reply to {}{}: {}", reply.request.str(),
                       found == asked_.end() ? "" : " (" + found->second + ")",
                       reply.result ? reply.result->str() : reply.result.error().message);
  });
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
    if (c->spec().port == port && c->server().alive() && machine_at(host) == c->machine())
      return &c->server();
  }
  return nullptr;
}

// ---- what is seen ----

void World::opened(SimServer& server) {
  const auto found = truth_.clusters.find(server.identity().cluster);
  if (found == truth_.clusters.end()) return;
  for (SimExecutor* c : containers()) {
    if (&c->server() == &server) server.opened_under = c->volume().promise.pair;
  }
  found->second.opened = std::max(found->second.opened, server.opened_under.epoch);
  check_one_writer(sim_, truth_, found->second);
}

void World::begun(SimServer& server, TxnId txn) {
  const auto found = truth_.clusters.find(server.identity().cluster);
  if (found != truth_.clusters.end())
    truth_.begun[txn] = {server.opened_under.epoch, found->second.opened};
}

void World::released(SimServer& server, TxnId txn, const std::set<MemberId>& acked_by) {
  const auto found = truth_.clusters.find(server.identity().cluster);
  if (found == truth_.clusters.end()) return;
  ClusterTruth& c = found->second;
  sim_.coverage.hit(Mark::kWriteAcked);
  check_late_ack(sim_, truth_, c, server, txn);
  check_acked_on_release(sim_, truth_, c, txn);
  check_ackers(sim_, c, server, txn, acked_by);
  c.acked.push_back(txn);
  c.last_ack = sim_.now();
}

void World::relay_lost(SimServer& server, bool any) {
  if (any) sim_.coverage.hit(Mark::kAmnesia);
  const auto found = truth_.clusters.find(server.identity().cluster);
  if (any && found != truth_.clusters.end()) check_acked_somewhere(sim_, truth_, found->second);
}

void World::committed(const SchedulerState& state) {
  for (const auto& [id, cluster] : state.clusters) {
    const bool met = truth_.clusters.contains(id);
    ClusterTruth& c = truth_.clusters[id];
    const EpochRecord before = c.cluster.epoch;
    if (met && c.cluster == cluster) continue;
    c.id = id;
    c.cluster = cluster;
    c.deleting = cluster.deleting;
    if (before.pair > cluster.epoch.pair) sim_.violate("a record's pair goes back");
    if (before.pair == cluster.epoch.pair && before != cluster.epoch && met) {
      sim_.violate("a pair is used again with other content: " + to_string(before.pair));
    }
    if (before.pair != cluster.epoch.pair) {
      sim_.tell([&] {
        const EpochRecord& r = cluster.epoch;
        std::string ackers;
        for (const MemberId& m : r.ackers) ackers += " " + m.str();
        return fmt::format(
            "RECORD {} {} {}{} primary={} ackers=[{} ] d={} leaving={} joining={} shut_out={} "
            "floor={}",
            id.str(), to_string(r.pair), enum_text(r.mode), r.electing ? " electing" : "",
            r.primary ? r.primary->str() : "-", ackers, r.d, r.leaving.size(), r.joining.size(),
            r.shut_out.size(), r.floor.to_string());
      });
      if (before.primary != cluster.epoch.primary && before.primary &&
          before.mode == EpochMode::kNormal) {
        sim_.coverage.hit(Mark::kSwitchover);
      }
      check_acked_on_commit(sim_, truth_, c, before);
      check_acked_somewhere(sim_, truth_, c);
      check_followers(sim_, truth_, c);
    }
    if (!met) {
      for (std::uint64_t n = 1 + prng_.below(3); n > 0; --n) clients_->add_writer(id);
    }
  }
  for (auto& [id, c] : truth_.clusters) {
    if (state.clusters.contains(id) || c.gone) continue;
    c.gone = c.deleting = true;
    if (!deletes_.contains(c.cluster.spec.name))
      sim_.violate("a cluster is gone that nobody deleted: " + id.str());
  }
}

void World::check_beat() {
  for (const auto& [id, c] : truth_.clusters) {
    if (c.gone) continue;
    check_followers(sim_, truth_, c);
    check_one_writer(sim_, truth_, c);
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
    if (auto missing = not_converged(truth_, c, *schedulers_.leader().core(), sim_.now(), mended_)) {
      return fmt::format("{}: {}", c.cluster.spec.name, *missing);
    }
  }
  if (auto leak = leaks(master_, schedulers_.leader().committed_state())) return "left behind: " + *leak;
  return std::nullopt;
}

void World::converge() {
  nemesis_->mend_all();
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
    if (!c.deleting) check_acked_somewhere(sim_, truth_, c);
  }
}

SeedResult World::run() {
  sim_.network.set_faults(NetworkFaults{});
  master_.start();
  for (const auto& agent : master_.agents()) agent->start();
  schedulers_.start();
  plan_user();
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
  result.coverage = sim_.coverage;
  return result;
}

}  // namespace

SeedResult run_seed(const SeedOptions& options) {
  World world(options);
  return world.run();
}

}  // namespace mysos::sim
