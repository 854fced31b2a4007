// SPDX-License-Identifier: Apache-2.0
// mysos-core-bench CLUSTERS: what a step of the scheduler costs with so many healthy clusters of three, as a line of JSON in
// microseconds. No Mesos and no server: members report what healthy members report. bench/core makes a table of it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <vector>

#include "core/scheduler_core.h"

namespace mysos {
namespace {

constexpr int kMembers = 3;
constexpr int kAgentsInBatch = 10;

std::string text_of(const char* what, int number) { return fmt::format("{}{:05}", what, number); }

class World {
 public:
  explicit World(int clusters) : clusters_(clusters), core_(state(clusters), config(), Prng(1), now_) {
    give(scheduler_input::FromMesos{mesos::Subscribed{FrameworkId("fw"), 15, "master"}});
    for (int i = 0; i < clusters; ++i) {
      for (int m = 0; m < kMembers; ++m) report(i, m);
    }
    for (int i = 0; i < clusters; ++i) {
      for (int m = 0; m < kMembers; ++m) report(i, m);  // each has heard of the others
    }
  }

  void report(int cluster, int member) {
    MemberReport& r = reports_[static_cast<std::size_t>(cluster * kMembers + member)];
    ++r.seq;
    give(scheduler_input::Reported{r});
  }
  void offers() {
    mesos::Offers batch;
    for (int i = 0; i < kAgentsInBatch; ++i) {
      const int agent = i % clusters_;
      mesos::Offer offer;
      offer.id = OfferId("offer" + std::to_string(++offers_));
      offer.agent = AgentId(text_of("agent", agent));
      offer.hostname = text_of("host", agent);
      offer.ip = "10.0.0.1";
      offer.role = "mysos";
      const Resources all{scalar("cpus", 1000), scalar("mem", 1'000'000), scalar("disk", 1'000'000)};
      offer.resources = all.allocated_to("mysos");
      batch.offers.push_back(std::move(offer));
    }
    give(scheduler_input::FromMesos{std::move(batch)});
  }
  void update(int cluster) {
    mesos::Update update;
    update.task = task_of_member(cluster, 1);
    update.agent = AgentId(text_of("agent", (cluster + 1) % clusters_));
    update.state = mesos::TaskState::kRunning;
    give(scheduler_input::FromMesos{std::move(update)});
  }
  void tick() { give(scheduler_input::Tick{}); }
  bool read(int cluster) const {
    const auto view = core_.view(text_of("shop", cluster), now_);
    return view && view->state == ClusterState::kHealthy;
  }

 private:
  void give(const SchedulerInput& input) {
    now_ += std::chrono::milliseconds(1);
    core_.step(input, now_);
    (void)core_.take_output();
  }
  static SchedulerConfig config() {
    SchedulerConfig c;
    c.executor_command = "exec mysos executor";
    c.versions = {{"mysql-9.7", Flavour::kMysql, mib(512)}};
    return c;
  }
  static MemberId member_of(int cluster, int member) { return MemberId(fmt::format("c{:05}-{}", cluster, member)); }
  static TaskId task_of_member(int cluster, int member) {
    return TaskId(fmt::format("shop{:05}.c{:05}.{}.1", cluster, cluster, member));
  }

  SchedulerState state(int clusters) {
    SchedulerState s;
    s.framework = FrameworkId("fw");
    const GtidSet executed = *GtidSet::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-100");
    for (int i = 0; i < clusters; ++i) {
      Cluster c;
      c.id = ClusterId(text_of("c", i));
      c.spec.name = text_of("shop", i);
      c.spec.members = kMembers;
      c.spec.version = "mysql-9.7";
      c.spec.flavour = Flavour::kMysql;
      c.sealed_secrets = "sealed";
      c.epoch.pair = {1, 1};
      c.epoch.mode = EpochMode::kNormal;
      c.epoch.primary = member_of(i, 0);
      std::vector<Peer> peers;
      for (int m = 0; m < kMembers; ++m) {
        if (m > 0) c.epoch.ackers.insert(member_of(i, m));
        c.members.push_back(member(i, m, clusters));
        peers.push_back({c.members.back().id, c.members.back().place().ip, c.members.back().place().api_port});
      }
      for (int m = 0; m < kMembers; ++m) reports_.push_back(healthy(c, m, peers, executed));
      s.clusters.emplace(c.id, std::move(c));
    }
    return s;
  }
  static Member member(int cluster, int index, int agents) {
    Member m;
    m.id = member_of(cluster, index);
    m.index = static_cast<std::uint32_t>(index);
    m.stage = MemberStage::kRunning;
    Place& at = m.granted.emplace().place;
    at.agent = AgentId(text_of("agent", (cluster + index) % agents));
    at.hostname = text_of("host", (cluster + index) % agents);
    at.ip = "10.0.0.1";
    at.port = static_cast<std::uint16_t>(31000 + 3 * index);
    at.api_port = static_cast<std::uint16_t>(at.port + 1);
    at.admin_port = static_cast<std::uint16_t>(at.port + 2);
    at.resource_id = m.id.value + "-1-abcdef";
    at.volume = VolumeId("mysos-" + at.resource_id);
    m.task = task_of_member(cluster, index);
    m.launches = 1;
    m.holds_data = true;
    m.volume_name = "volume";
    return m;
  }
  static MemberReport healthy(const Cluster& cluster, int index, std::vector<Peer> peers, const GtidSet& executed) {
    const Member& m = cluster.members[static_cast<std::size_t>(index)];
    std::erase_if(peers, [&](const Peer& p) { return p.member == m.id; });
    MemberReport r;
    r.member = m.id;
    r.task = m.task;
    r.executor = "process";
    r.promised = cluster.epoch.pair;
    r.led = index == 0 ? 1 : 0;
    r.has_secrets = true;
    r.server = ServerState::kRunning;
    r.incarnation = "1";
    r.volume = m.volume_name;
    r.executed = r.received = executed;
    r.gtid_source = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    r.peers = std::move(peers);
    r.port = m.place().port;
    if (index == 0) {
      r.role = MemberRole::kPrimary;
      r.writable = r.user_ready = true;
      r.semi_sync_d = 1;
      r.semi_sync_clients = kMembers - 1;
      return r;
    }
    r.role = MemberRole::kReplica;
    r.source = cluster.members[0].id;
    r.receiver_running = r.receiver_connected = r.applier_running = r.acking = true;
    r.lag_ms = 0;
    return r;
  }

  Instant now_{std::chrono::seconds(1000)};
  int clusters_;
  std::vector<MemberReport> reports_;
  SchedulerCore core_;
  std::uint64_t offers_ = 0;
};

// Microseconds of one call: the median of `rounds` batches.
double cost(int rounds, int batch, const std::function<void(int)>& call) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seen;
  int number = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto began = Clock::now();
    for (int i = 0; i < batch; ++i) call(number++);
    seen.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count() / batch);
  }
  std::ranges::nth_element(seen, seen.begin() + rounds / 2);
  return seen[static_cast<std::size_t>(rounds / 2)];
}

int measure(int clusters) {
  World world(clusters);
  for (int i = 0; i < clusters; ++i) {
    if (world.read(i)) continue;
    fmt::print(stderr, "cluster {} is not healthy: the figures would be of something else\n", i);
    return 1;
  }
  const double report = cost(21, 100, [&](int i) { world.report((i / kMembers) % clusters, i % kMembers); });
  const double read = cost(21, 100, [&](int i) { (void)world.read(i % clusters); });
  const double update = cost(21, 100, [&](int i) { world.update(i % clusters); });
  const double tick = cost(21, 100, [&](int) { world.tick(); });
  const double offers = cost(21, 10, [&](int) { world.offers(); });
  fmt::print(R"({{"clusters": {}, "report": {:.2f}, "read": {:.2f}, "update": {:.2f}, )", clusters, report, read, update);
  fmt::print(R"("tick": {:.2f}, "offers": {:.2f}}})", tick, offers);
  fmt::print("\n");
  return 0;
}

}  // namespace
}  // namespace mysos

int main(int argc, char** argv) {
  const int clusters = argc == 2 ? std::atoi(argv[1]) : 0;
  if (clusters < 1 || clusters > 30'000) {
    fmt::print(stderr, "usage: mysos-core-bench CLUSTERS, 1 to 30000\n");
    return 2;
  }
  return mysos::measure(clusters);
}
