// SPDX-License-Identifier: Apache-2.0
// What a state leaves behind that was put back to one of before: volumes and tasks of clusters that it does not know.
#include <algorithm>

#include "core/scenario/scheduler_scenario.h"
#include "core/state/records.h"

namespace mysos::scenario {
namespace {

// The state of before its cluster was made is put back; its members run on.
Scenario put_back(std::uint32_t members = 2) {
  Scenario s;
  s.run_for(seconds(1));
  const auto before = s.records;
  EXPECT_TRUE(s.create("shop", members));
  s.run_until([&] { return s.all_running("shop"); }, seconds(10));
  s.records = before;
  s.events.clear();
  s.start();
  return s;
}

std::size_t volumes_in(const ScriptedMesos& m) {
  std::size_t n = 0;
  const auto count = [&](const Resources& all) {
    n += static_cast<std::size_t>(std::ranges::count_if(all.list(), [](const Resource& r) { return r.volume.has_value(); }));
  };
  for (const auto& [id, agent] : m.agents) count(agent.free);
  for (const auto& [id, task] : m.tasks) {
    if (!mesos::is_terminal(task.state)) count(task.info.resources);
  }
  return n;
}

void end_all(Scenario& s) {
  for (auto& [id, task] : s.mesos.tasks) {
    if (!mesos::is_terminal(task.state)) s.mesos.end_task(id, mesos::TaskState::kFailed, "its machine was restarted");
  }
}

Result<ClusterId> destroy(Scenario& s, const std::string& id) {
  return s.ask(id, command::DestroyOrphan{});
}

TEST(Orphans, TasksOfAnUnknownClusterAreFoundAtOnceAndLeftAlone) {
  Scenario s = put_back();
  s.run_for(seconds(1));

  EXPECT_EQ(s.times_told(EventKind::kClusterUnknown), 1U);
  const OrphansView view = s.core->orphans();
  ASSERT_EQ(view.tasks.size(), 2U);
  EXPECT_EQ(view.tasks[0].cluster_name, "shop");
  s.run_for(hours(1));
  EXPECT_EQ(s.mesos.live_tasks(), 2U);
  EXPECT_FALSE(s.told(EventKind::kStrayTaskKilled));
  EXPECT_EQ(s.mesos.unacknowledged(), 0U);
}

TEST(Orphans, AVolumeOfAnUnknownClusterIsKeptForEver) {
  Scenario s = put_back();
  s.run_for(seconds(1));
  end_all(s);
  s.run_for(hours(30));

  EXPECT_EQ(s.times_told(EventKind::kOrphanFound), 2U);
  EXPECT_FALSE(s.told(EventKind::kOrphanReleased));
  EXPECT_EQ(volumes_in(s.mesos), 2U);
  const OrphansView view = s.core->orphans();
  EXPECT_TRUE(view.tasks.empty());
  ASSERT_EQ(view.volumes.size(), 2U);
  const OrphanVolume& v = view.volumes[0];
  EXPECT_EQ(v.cluster_name, "shop");
  EXPECT_EQ(v.fate, OrphanFate::kKept);
  EXPECT_EQ(v.disk, gib(5));
  EXPECT_EQ(v.member.value, v.cluster.value + "-0");
  EXPECT_FALSE(v.hostname.empty());
}

TEST(Orphans, AnotherClusterIsNeverPlacedOnAKeptVolume) {
  Scenario s = put_back(3);
  s.run_for(seconds(1));
  end_all(s);
  s.run_for(seconds(5));

  ASSERT_TRUE(s.create("shop", 3));
  s.run_until([&] { return s.all_running("shop"); }, minutes(1));
  EXPECT_EQ(volumes_in(s.mesos), 6U);
}

TEST(Orphans, AUserDestroysOneAndOnlyThatOne) {
  Scenario s = put_back();
  s.run_for(seconds(1));
  end_all(s);
  s.run_for(seconds(5));
  const std::string id = s.core->orphans().volumes.at(0).id;

  ASSERT_TRUE(destroy(s, id));
  EXPECT_TRUE(s.records.at("orphan").contains(id)) << "it is durable before the DESTROY is sent";
  ASSERT_TRUE(destroy(s, id)) << "once more is the same";
  s.run_for(minutes(10));

  EXPECT_EQ(s.times_told(EventKind::kOrphanDestroyed), 1U);
  EXPECT_EQ(volumes_in(s.mesos), 1U);
  ASSERT_EQ(s.core->orphans().volumes.size(), 1U);
  EXPECT_NE(s.core->orphans().volumes[0].id, id);
  EXPECT_TRUE(s.core->state().orphans.empty());
  EXPECT_EQ(destroy(s, "nothing").error().code, Errc::kNotFound);
}

TEST(Orphans, ADestroyWhoseAnswersAreLostIsCarriedOutOnceByTheNextScheduler) {
  Scenario s = put_back(1);
  s.run_for(seconds(1));
  end_all(s);
  s.run_for(seconds(5));
  const std::string id = s.core->orphans().volumes.at(0).id;
  s.lose_calls = true;
  ASSERT_TRUE(destroy(s, id));
  s.run_for(seconds(1));
  s.lose_calls = false;
  s.mesos.silent_operations = true;
  s.start();
  s.run_for(minutes(30));

  EXPECT_TRUE(s.mesos.nothing_held());
  EXPECT_TRUE(s.core->state().orphans.empty());
}

TEST(Orphans, AVolumeOnWhichNothingEverRanIsGivenBackByAnySchedulerAfter) {
  Scenario t(1);
  t.run_for(seconds(1));
  const OrphanWord unused{OrphanFate::kUnused, AgentId("1")};
  t.records["orphan"]["aaaaaaaa-0-1-abcdef"] = *orphan_record("aaaaaaaa-0-1-abcdef", &unused).json;
  t.mesos.disconnect();
  (void)t.mesos.reserve_for("1", {{"mysos_framework", "fw-1"}, {"mysos_resource", "aaaaaaaa-0-1-abcdef"}}, 1);
  t.start();
  t.mesos.stray_task("1", TaskId("shop.aaaaaaaa.0.1"));
  t.run_for(minutes(5));

  EXPECT_TRUE(t.told(EventKind::kStrayTaskKilled)) << "the store knows that this launch was given up";
  EXPECT_TRUE(t.told(EventKind::kOrphanReleased));
  EXPECT_TRUE(t.core->state().orphans.empty());
}

TEST(Orphans, ALaunchThatWasGivenUpIsKilled) {
  Scenario s(2);
  ASSERT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(5));
  const TaskId first = s.member("shop", 0).task;
  s.mesos.end_task(first, mesos::TaskState::kFailed, "it ends");
  s.run_for(seconds(20));
  ASSERT_NE(s.member("shop", 0).task, first);
  s.mesos.stray_task("2", first);
  s.run_for(seconds(1));

  EXPECT_TRUE(s.told(EventKind::kStrayTaskKilled));
}

}  // namespace
}  // namespace mysos::scenario
