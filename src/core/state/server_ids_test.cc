// SPDX-License-Identifier: Apache-2.0
// No two data directories of a cluster ever have one server id: not after a rebuild, a replacement, an upgrade, nor where an
// old record is put back.
#include "core/state/server_ids.h"

#include <limits>
#include <set>

#include "core/scenario/scheduler_scenario.h"
#include "core/state/doubt.h"
#include "core/state/records.h"

namespace mysos::scenario {
namespace {

std::set<std::uint32_t> ids_of_data(const Scenario& s) {
  std::set<std::uint32_t> ids;
  for (const auto& [id, member] : s.members) ids.insert(member.now.data_server_id);
  return ids;
}

// It holds what nobody else does, so its data are rebuilt.
void rebuild(Scenario& s, const MemberId& id) {
  ObedientMember& member = s.members.at(id);
  const std::uint64_t before = member.now.generation;
  member.now.executed = member.now.received = *GtidSet::parse("0-101-1");
  member.now.role = MemberRole::kErrant;
  member.now.receiver_running = member.now.receiver_connected = member.now.acking = false;
  s.give(scheduler_input::Reported{member.beat()});
  s.run_until([&] { return member.now.generation > before; }, minutes(2));
}

TEST(ServerIds, AreGrantedOnceAndNeverAsVersion01ChoseThem) {
  Cluster cluster;
  std::set<std::uint32_t> granted;
  for (int i = 0; i < 2000; ++i) EXPECT_TRUE(granted.insert(grant_server_id(cluster)).second);
  for (std::uint32_t index = 0; index < kMaxMembers; ++index) {
    for (std::uint64_t generation = 0; generation < 100; ++generation) {
      const std::uint32_t old = server_id_of_0_1(index, generation);
      EXPECT_NE(old, 0U);
      EXPECT_FALSE(granted.contains(old)) << old;
    }
  }
  EXPECT_EQ(server_id_of_0_1(0, 0), 1U);
  EXPECT_EQ(server_id_of_0_1(2, 5), 5U * 256 + 3);
  EXPECT_EQ(server_id_of_0_1(0, std::uint64_t{1} << 24), 0U) << "there is none";
}

TEST(ServerIds, EndRatherThanBeginAgain) {
  Cluster cluster;
  cluster.next_server_id = std::numeric_limits<std::uint32_t>::max();
  EXPECT_TRUE(has_server_id_left(cluster));
  EXPECT_EQ(grant_server_id(cluster), std::numeric_limits<std::uint32_t>::max());
  EXPECT_FALSE(has_server_id_left(cluster));
  EXPECT_EQ(grant_server_id(cluster), 0U);
  EXPECT_EQ(grant_server_id(cluster), 0U);
}

TEST(ServerIds, EachMemberHasOneThatIsDurableBeforeItIsLaunched) {
  const Scenario s = a_healthy_cluster();
  EXPECT_EQ(ids_of_data(s).size(), 3U);
  for (const Member& m : s.cluster("shop").members) {
    EXPECT_EQ(s.members.at(m.id).now.data_server_id, m.server_id);
    EXPECT_LT(m.server_id, s.cluster("shop").next_server_id);
  }
}

TEST(ServerIds, DataThatAreMadeAnewGetAnotherOne) {
  Scenario s = a_healthy_cluster();
  std::set<std::uint32_t> used = ids_of_data(s);
  const MemberId id = s.member("shop", 2).id;
  for (int times = 0; times < 3; ++times) {
    rebuild(s, id);
    const std::uint32_t now = s.members.at(id).now.data_server_id;
    EXPECT_TRUE(used.insert(now).second) << now;
    EXPECT_EQ(s.member("shop", 2).server_id, now);
    EXPECT_LT(now, s.cluster("shop").next_server_id);
  }
}

TEST(ServerIds, AnOrderThatIsSentAgainNamesTheSameOne) {
  SchedulerState state;
  Cluster shop;
  shop.id = ClusterId("c");
  shop.members.resize(1);
  shop.members[0].id = MemberId("c-0");
  shop.members[0].server_id = grant_server_id(shop);
  state.clusters.emplace(shop.id, shop);
  Ledger ledger(state, Prng(1));
  MemberView view;
  view.id = MemberId("c-0");
  view.report = MemberReport{};
  view.report->data_server_id = shop.members[0].server_id;
  std::string waits;
  const auto ordered = [&] {
    const auto order = with_server_id(ledger, shop.id, view, order::Rebuild{{2, 1}}, waits);
    return order ? std::get<order::Rebuild>(*order).server_id : 0;
  };
  const std::uint32_t first = ordered();
  EXPECT_NE(first, shop.members[0].server_id);
  EXPECT_EQ(ordered(), first) << "its member has not made data yet";
  ledger.seal();
  const SchedulerOutput out = ledger.take();
  ASSERT_EQ(out.records.size(), 2U) << "the member's, and the counter's";

  view.report->data_server_id = first;
  view.report->needs_copy = true;
  EXPECT_EQ(ordered(), first) << "the copy broke off: no data have it";
  view.report->needs_copy = false;
  EXPECT_GT(ordered(), first);

  ledger.edit(shop.id).next_server_id = std::uint64_t{1} << 32;
  view.report->data_server_id = ledger.find(shop.id)->members[0].server_id;
  EXPECT_EQ(ordered(), 0U);
  EXPECT_TRUE(waits.contains("no server id is left")) << waits;
}

TEST(ServerIds, AMemberThatIsPlacedAnewGetsAnotherOne) {
  for (const char* refused : {"reserve", "create"}) {
    Scenario s(1);
    s.mesos.refused_operations = {refused};
    ASSERT_TRUE(s.create("shop", 1));
    s.run_until([&] { return s.told(EventKind::kMemberDown); }, seconds(5));
    const std::uint32_t first = s.member("shop", 0).server_id;
    EXPECT_NE(first, 0U);
    s.mesos.refused_operations.clear();
    s.run_until([&] { return s.all_running("shop"); }, minutes(1));
    EXPECT_GT(s.member("shop", 0).server_id, first) << refused;
  }
}

// Members that go and come take no id of those before: the counter is the cluster's, not the member's.
TEST(ServerIds, AMemberThatGoesLeavesItsIdBehind) {
  Cluster shop;
  shop.id = ClusterId("c");
  std::set<std::uint32_t> used;
  for (int times = 0; times < 5; ++times) {
    shop.members.assign(1, Member{});
    shop.members[0].server_id = grant_server_id(shop);
    EXPECT_TRUE(used.insert(shop.members[0].server_id).second);
    shop.members.clear();
  }
}

// ---- old records ----

TEST(ServerIds, AnOldRecordThatIsPutBackGrantsNoneAgain) {
  Scenario s = a_healthy_cluster();
  s.report_to_each = true;
  const auto copy = s.records;
  std::set<std::uint32_t> used = ids_of_data(s);
  const MemberId id = s.member("shop", 2).id;
  for (int restores = 0; restores < 3; ++restores) {
    for (int times = 0; times < 2; ++times) {
      rebuild(s, id);
      EXPECT_TRUE(used.insert(s.members.at(id).now.data_server_id).second) << s.members.at(id).now.data_server_id;
      s.run_for(seconds(30));
      EXPECT_EQ(s.view("shop").state, ClusterState::kHealthy) << s.view("shop").waiting_for;
    }
    s.records = copy;
    s.orders.clear();
    s.start();
    s.give(scheduler_input::StatePutBack{"state.db was put back"});
    s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, minutes(2));
    for (const Member& m : s.cluster("shop").members) EXPECT_FALSE(used.contains(m.server_id)) << "it was granted before";
  }
}

TEST(ServerIds, ThatTheRecordHasNotGrantedProveThatItIsOld) {
  Scenario s = a_healthy_cluster();
  MemberReport report = s.members.at(s.member("shop", 1).id).beat();
  report.data_server_id = server_id_of_0_1(1, 5000);
  s.give(scheduler_input::Reported{report});
  EXPECT_FALSE(s.cluster("shop").doubt) << "data of version 0.1";
  ++report.seq;
  report.data_server_id = static_cast<std::uint32_t>(s.cluster("shop").next_server_id);
  s.give(scheduler_input::Reported{report});
  ASSERT_TRUE(s.cluster("shop").doubt);
  EXPECT_TRUE(s.cluster("shop").doubt->why.contains("server id")) << s.cluster("shop").doubt->why;
}

TEST(ServerIds, TheEndOfADoubtLeavesOutWhatMembersHaveAndWhatNobodySaw) {
  Cluster shop;
  shop.id = ClusterId("c");
  shop.doubt = RecordDoubt{.why = "a test"};
  shop.members.resize(2);
  std::vector<MemberView> views(2);
  views[0].report = MemberReport{};
  views[0].report->data_server_id = 77'000;
  Prng prng(1);
  end_doubt(shop, views, prng);
  for (const Member& m : shop.members) EXPECT_GT(m.server_id, 77'000U + 100'000U);
  EXPECT_NE(shop.members[0].server_id, shop.members[1].server_id);

  Cluster again;
  again.doubt = RecordDoubt{.why = "a test"};
  again.members.resize(1);
  end_doubt(again, views, prng);
  EXPECT_NE(again.members[0].server_id, shop.members[0].server_id) << "two restores of one copy";
}

TEST(ServerIds, OfAnAdoptedClusterAreNotGrantedAgain) {
  Scenario s;
  s.run_for(seconds(1));
  const auto before = s.records;
  s.report_to_each = true;
  s.let_members_live();
  ASSERT_TRUE(s.create("shop", 3));
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, minutes(1));
  const std::set<std::uint32_t> used = ids_of_data(s);
  s.records = before;
  s.events.clear();
  s.start();
  s.run_for(seconds(5));
  ASSERT_TRUE(s.adopt("shop"));
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, minutes(2));
  EXPECT_EQ(ids_of_data(s), used) << "the data that are there keep theirs";
  for (const Member& m : s.cluster("shop").members) EXPECT_FALSE(used.contains(m.server_id)) << m.server_id;
}

}  // namespace
}  // namespace mysos::scenario
