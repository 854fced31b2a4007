// SPDX-License-Identifier: Apache-2.0
#include "discovery/router_core.h"

#include <gtest/gtest.h>

namespace mysos::discovery {
namespace {

RoutedCluster shop(std::uint64_t epoch, const std::string& primary, bool serves) {
  RoutedCluster c{.id = "x", .name = "shop"};
  for (const char* id : {"m0", "m1", "m2"}) {
    const auto n = static_cast<std::uint16_t>(id[1] - '0');
    c.members.push_back({id, "10.0.0.1", static_cast<std::uint16_t>(1000 + n),
                         static_cast<std::uint16_t>(2000 + n)});
  }
  c.reign = {.epoch = epoch, .electing = primary.empty(), .primary = primary, .serves = serves};
  return c;
}

// HAProxy as it is after it was given the clusters: who is up at the read-write port.
struct World {
  Servers servers;
  explicit World(const RoutedCluster& c) {
    for (const RoutedMember& m : c.members) {
      const ServerState state{m.host, m.port, m.api_port, false, false};
      servers[read_write_name(c) + "/" + m.id] = state;
      servers[read_only_name(c) + "/" + m.id] = state;
      servers[read_only_name(c) + "/" + backup_name(m)] = state;
    }
  }
  ServerState& rw(const std::string& id) { return servers["shop.x.rw/" + id]; }
};

using Commands = std::vector<std::string>;

struct Case {
  RouterCore core{PortTable({100, 199}), {}};
  World world{shop(1, "m0", true)};
  void api(const RoutedCluster& c) {
    core.clusters_seen({c}, [](std::uint16_t) { return true; });
  }
  Case() {
    api(shop(1, "m0", true));
    world.rw("m0").up = true;
    core.step(world.servers);
  }
};

TEST(RouterCore, ANewClusterNeedsAReloadAndAKnownOneDoesNot) {
  RouterCore core(PortTable({100, 199}), {});
  core.clusters_seen({shop(1, "m0", true)}, [](std::uint16_t) { return true; });
  EXPECT_TRUE(core.step({}).reload);
  EXPECT_EQ(core.clusters()[0].ports, (PortPair{100, 101}));
  EXPECT_FALSE(core.step(World(shop(1, "m0", true)).servers).reload);

  core.clusters_seen({}, [](std::uint16_t) { return true; });
  EXPECT_TRUE(core.step(World(shop(1, "m0", true)).servers).reload);
}

// Another process takes ports between the check and HAProxy's start.
TEST(RouterCore, AClusterWhosePortsWereNeverOpenGetsOthersIfTheyAreTaken) {
  RouterCore core(PortTable({100, 199}), {});
  core.clusters_seen({shop(1, "m0", true)}, [](std::uint16_t) { return true; });
  ASSERT_EQ(core.clusters()[0].ports, (PortPair{100, 101}));
  EXPECT_FALSE(core.ports_refused({}, [](std::uint16_t) { return true; })) << "the ports are not the reason";
  EXPECT_TRUE(core.ports_refused({}, [](std::uint16_t port) { return port != 101; }));
  EXPECT_EQ(core.clusters()[0].ports, (PortPair{102, 103}));
  EXPECT_FALSE(core.clusters()[0].taken);
}

TEST(RouterCore, AClusterWhosePortsClientsKnowWaitsForThemAndTheOthersAreServed) {
  Case t;
  RoutedCluster other = shop(1, "m0", true);
  other.id = "y";
  other.name = "other";
  t.core.clusters_seen({shop(1, "m0", true), other}, [](std::uint16_t) { return true; });
  const auto taken = [](std::uint16_t port) { return port != 100; };
  EXPECT_FALSE(t.core.ports_refused(t.world.servers, taken)) << "the HAProxy that runs has port 100 open itself";
  EXPECT_TRUE(t.core.ports_refused({}, taken));
  EXPECT_TRUE(t.core.clusters()[0].taken);
  EXPECT_EQ(t.core.clusters()[0].ports, (PortPair{100, 101}));
  EXPECT_TRUE(listens(t.core.clusters()[1]));
  EXPECT_FALSE(t.core.step(World(t.core.clusters()[1]).servers).reload) << "HAProxy serves the other cluster only";
  ASSERT_EQ(t.core.status().size(), 2U);
  EXPECT_TRUE(t.core.status()[0].taken);

  t.core.clusters_seen({shop(1, "m0", true), other}, taken);
  t.core.look_at_taken(taken);
  EXPECT_TRUE(t.core.clusters()[0].taken);
  t.core.look_at_taken([](std::uint16_t) { return true; });
  EXPECT_FALSE(t.core.clusters()[0].taken);
  EXPECT_TRUE(t.core.step(World(t.core.clusters()[1]).servers).reload);
}

TEST(RouterCore, NothingIsSaidWhileAllIsAsItShouldBe) {
  Case t;
  t.api(shop(1, "m0", true));
  const auto out = t.core.step(t.world.servers);
  EXPECT_TRUE(out.commands.empty());
  EXPECT_EQ(t.core.status()[0].primary, "m0");
}

TEST(RouterCore, AFailoverCutsTheFormerPrimaryAndRaisesTheNewOne) {
  Case t;
  t.api(shop(2, "m1", true));
  EXPECT_EQ(t.core.step(t.world.servers).commands,
            (Commands{"set server shop.x.rw/m0 state drain",
                      "shutdown sessions server shop.x.rw/m0",
                      "set server shop.x.rw/m1 health up"}));
}

TEST(RouterCore, NobodyIsServedByAPrimaryThatIsBeingReplaced) {
  Case t;
  t.api(shop(2, "", false));
  EXPECT_EQ(t.core.step(t.world.servers).commands[0], "set server shop.x.rw/m0 state drain");
}

TEST(RouterCore, APrimaryIsRaisedOnceAReignThenItsCheckDecides) {
  Case t;
  t.api(shop(2, "m1", true));
  t.core.step(t.world.servers);
  t.world.rw("m0").up = false;
  t.api(shop(2, "m1", true));
  EXPECT_TRUE(t.core.step(t.world.servers).commands.empty());
}

TEST(RouterCore, ASchedulerThatHasNotHeardOfItsMembersYetCutsNobody) {
  Case t;
  t.api(shop(1, "m0", false));
  EXPECT_TRUE(t.core.step(t.world.servers).commands.empty());
}

TEST(RouterCore, ADrainedMemberIsMadeReadyWhenItServesNoMore) {
  Case t;
  t.world.rw("m2") = {"10.0.0.1", 1002, 2002, false, true};
  t.api(shop(1, "m0", true));
  EXPECT_EQ(t.core.step(t.world.servers).commands,
            Commands{"set server shop.x.rw/m2 state ready"});
}

TEST(RouterCore, WithoutTheApiALaterEpochIsThePrimary) {
  Case t;
  t.core.api_silent();
  t.world.rw("m0").up = false;
  t.world.rw("m1").up = true;
  auto out = t.core.step(t.world.servers);
  EXPECT_TRUE(out.commands.empty()) << "HAProxy has followed by itself: its sessions go on";
  ASSERT_EQ(out.suspects.size(), 1U);
  t.core.claim_seen(out.suspects[0], 2);
  out = t.core.step(t.world.servers);
  EXPECT_TRUE(out.commands.empty());
  EXPECT_TRUE(out.suspects.empty());
  EXPECT_EQ(t.core.clusters()[0].reign.primary, "m1");

  t.world.rw("m0").up = true;  // the old one comes back, and knows nothing
  out = t.core.step(t.world.servers);
  ASSERT_EQ(out.suspects.size(), 1U);
  t.core.claim_seen(out.suspects[0], 1);
  EXPECT_EQ(t.core.step(t.world.servers).commands[0], "set server shop.x.rw/m0 state drain");
}

TEST(RouterCore, AMemberThatMovedIsFollowedWithoutAReload) {
  Case t;
  RoutedCluster moved = shop(1, "m0", true);
  moved.members[2] = {"m2", "10.0.0.9", 3306, 3307};
  t.api(moved);
  const auto out = t.core.step(t.world.servers);
  EXPECT_FALSE(out.reload);
  EXPECT_EQ(out.commands,
            (Commands{"set server shop.x.rw/m2 addr 10.0.0.9 port 3306",
                      "set server shop.x.rw/m2 check-port 3307",
                      "set server shop.x.ro/m2 addr 10.0.0.9 port 3306",
                      "set server shop.x.ro/m2 check-port 3307",
                      "set server shop.x.ro/m2.primary addr 10.0.0.9 port 3306"}));
}

TEST(RouterCore, KeptClustersAreServedBeforeTheApiAnswers) {
  RoutedCluster kept = shop(3, "m2", false);
  kept.ports = {100, 101};
  RouterCore core(PortTable({100, 199}, {{"shop", {100, 101}, true}}), {kept});
  EXPECT_TRUE(core.step({}).reload);
  EXPECT_EQ(core.clusters()[0].ports, (PortPair{100, 101}));
}

}  // namespace
}  // namespace mysos::discovery
