// SPDX-License-Identifier: Apache-2.0
// A member's way through Mesos, with every call lost once and the scheduler dead at every step.
#include <algorithm>

#include "core/provisioning/holdings.h"
#include "core/scenario/scheduler_scenario.h"
#include "core/state/records.h"

namespace mysos::scenario {
namespace {

struct Accepted {
  const mesos::Reserve* reserve = nullptr;
  const mesos::Create* create = nullptr;
  const mesos::TaskInfo* task = nullptr;
};
Accepted parts_of(const mesos::Accept& accept) {
  Accepted out;
  for (const mesos::Operation& o : accept.operations) {
    if (const auto* r = std::get_if<mesos::Reserve>(&o.what)) out.reserve = r;
    if (const auto* c = std::get_if<mesos::Create>(&o.what)) out.create = c;
    if (const auto* l = std::get_if<mesos::Launch>(&o.what)) out.task = &l->tasks.front();
  }
  return out;
}

// What carries our label anywhere, by resource id.
std::set<std::string> held_resource_ids(const ScriptedMesos& m) {
  std::set<std::string> out;
  const auto add = [&](const Resources& all) {
    for (const auto& [id, holding] : holdings_in(all, {FrameworkId("fw-1")})) out.insert(id);
  };
  for (const auto& [id, agent] : m.agents) add(agent.free);
  for (const auto& [id, task] : m.tasks) {
    if (!mesos::is_terminal(task.state)) add(task.info.resources);
  }
  return out;
}
std::set<std::string> recorded_resource_ids(const Cluster& c) {
  std::set<std::string> out;
  for (const Member& m : c.members) out.insert(m.place().resource_id);
  return out;
}

Scenario a_running_cluster(std::uint32_t members = 3) {
  Scenario s;
  EXPECT_TRUE(s.create("shop", members));
  s.run_until([&] { return s.all_running("shop"); }, seconds(10));
  return s;
}

TEST(Provisioning, ReservesCreatesAndLaunchesInOneAccept) {
  Scenario s(1);
  ASSERT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(5));

  const auto* accept = s.mesos.last<mesos::Accept>();
  ASSERT_NE(accept, nullptr);
  ASSERT_EQ(accept->operations.size(), 3U);
  const Accepted parts = parts_of(*accept);
  ASSERT_TRUE(parts.reserve && parts.create && parts.task);
  const Member& m = s.member("shop", 0);
  for (const Resource& r : parts.reserve->resources.list()) {
    ASSERT_EQ(r.reservations.size(), 1U);
    EXPECT_EQ(r.reservations[0].principal, "mysos");
    const Labels& labels = r.reservations[0].labels;
    EXPECT_EQ(labels.at("mysos_framework"), "fw-1");
    EXPECT_EQ(labels.at("mysos_cluster"), s.cluster("shop").id.value);
    EXPECT_EQ(labels.at("mysos_member"), m.id.value);
    EXPECT_EQ(labels.at("mysos_resource"), m.place().resource_id);
    EXPECT_EQ(labels.at("mysos_name"), "shop");
    EXPECT_EQ(labels.at("mysos_token_hash"), "hash");
  }
  EXPECT_EQ(parts.reserve->resources.milli("mem"), 1024 * 1000);
  ASSERT_EQ(parts.create->volumes.list().size(), 1U);
  EXPECT_EQ(parts.create->volumes.list()[0].volume, (Volume{m.place().volume, "mysos", "data"}));
  EXPECT_EQ(parts.create->volumes.list()[0].milli, 5120 * 1000);
  EXPECT_EQ(parts.task->resources,
            parts.reserve->resources - without_volumes(parts.create->volumes) + parts.create->volumes);
  EXPECT_EQ(parts.task->id, m.task);
  EXPECT_EQ(parts.task->executor.value, m.task.value);
  const auto spec = from_json_text<MemberSpec>(parts.task->data);
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->bind, "10.0.0.1");
  EXPECT_EQ(spec->port, m.place().port);
  EXPECT_NE(spec->port, spec->api_port);
  EXPECT_EQ(spec->token_hash, "hash");
  EXPECT_EQ(parts.task->data.find("sealed"), std::string::npos) << "no secret goes to Mesos";
  EXPECT_EQ(s.mesos.unacknowledged(), 0U);
}

TEST(Provisioning, NeverPutsTwoMembersOfAClusterOnOneAgent) {
  Scenario s(2);
  ASSERT_TRUE(s.create("shop", 3));
  s.run_for(seconds(20));

  EXPECT_EQ(s.mesos.live_tasks(), 2U);
  EXPECT_NE(s.view("shop").waiting_for.find("this cluster has 3, and 2 agents are known"), std::string::npos)
      << s.view("shop").waiting_for;

  s.mesos.add_agent("3", 4, 4096, 20480);
  s.run_until([&] { return s.all_running("shop"); }, seconds(5));
  std::set<AgentId> agents;
  for (const Member& m : s.cluster("shop").members) agents.insert(m.place().agent);
  EXPECT_EQ(agents.size(), 3U);
}

TEST(Provisioning, SaysWhichConstraintNoOfferMet) {
  Scenario s(3);
  auto big = s.spec("big", 3);
  big.mem = mib(3072);
  ASSERT_TRUE(s.create(big));
  s.run_until([&] { return s.all_running("big"); }, seconds(5));
  auto second = s.spec("second", 1);
  second.mem = gib(2);
  ASSERT_TRUE(s.create(second));
  s.run_for(seconds(5));

  EXPECT_EQ(s.view("second").waiting_for.substr(s.view("second").waiting_for.find("needs")),
            "needs room: no agent has 2GB of memory free (the most is 1GB on host-1)");
}

TEST(Provisioning, ALostAcceptIsFoundOutAndTheMemberIsLaunchedAnew) {
  Scenario s(1);
  ASSERT_TRUE(s.create("shop", 1));
  s.lose_accepts = true;
  s.run_until([&] { return s.told(EventKind::kMemberLaunched); }, seconds(5));
  s.lose_accepts = false;
  const TaskId lost = s.member("shop", 0).task;
  EXPECT_EQ(s.mesos.live_tasks(), 0U);

  s.run_until([&] { return s.all_running("shop"); }, minutes(2));
  EXPECT_NE(s.member("shop", 0).task, lost);
  EXPECT_FALSE(s.mesos.tasks.contains(lost));
  EXPECT_EQ(s.mesos.live_tasks(), 1U);
}

TEST(Provisioning, AHalfDoneAcceptIsFinishedFromTheNextOffer) {
  Scenario s(1);
  s.mesos.refused_operations = {"create"};
  ASSERT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.told(EventKind::kMemberDown); }, seconds(5));
  s.mesos.refused_operations.clear();
  const std::string resource_id = s.member("shop", 0).place().resource_id;
  s.run_until([&] { return s.all_running("shop"); }, minutes(1));

  EXPECT_EQ(s.member("shop", 0).place().resource_id, resource_id);
  const auto* accept = s.mesos.last<mesos::Accept>();
  EXPECT_EQ(accept->operations.size(), 2U) << "CREATE and LAUNCH: the reservation is there";
  EXPECT_TRUE(s.told(EventKind::kOperationFailed));
  EXPECT_EQ(held_resource_ids(s.mesos), std::set<std::string>{resource_id});
}

TEST(Provisioning, ARefusedReservationIsPlacedAnewUnderAnotherName) {
  Scenario s(1);
  s.mesos.refused_operations = {"reserve"};
  ASSERT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.told(EventKind::kMemberDown); }, seconds(5));
  const std::string refused = s.member("shop", 0).place().resource_id;
  s.mesos.refused_operations.clear();
  s.run_until([&] { return s.all_running("shop"); }, minutes(1));

  EXPECT_NE(s.member("shop", 0).place().resource_id, refused);
  EXPECT_TRUE(s.told(EventKind::kPlacementAbandoned));
}

TEST(Provisioning, ARescindedOfferCostsOneTry) {
  Scenario s(1);
  ASSERT_TRUE(s.create("shop", 1));
  s.lose_accepts = true;
  s.run_until([&] { return s.told(EventKind::kMemberLaunched); }, seconds(5));
  s.lose_accepts = false;
  s.mesos.rescind_all();
  const Instant before = s.now;
  s.run_until([&] { return s.all_running("shop"); }, minutes(1));
  EXPECT_LT(s.now - before, seconds(20)) << "a rescinded offer is asked about at once";
}

// How many calls of its last output a dying scheduler still sends.
class Deaths : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(CallsSent, Deaths, testing::Values(0, 1, 2));

TEST_P(Deaths, AreSurvivedAtEveryStepOfACreate) {
  int cuts = 0;
  for (int cut = 0;; ++cut) {
    Scenario s;
    s.dies_after = cut;
    s.calls_before_death = GetParam();
    (void)s.create("shop", 3);
    s.run_for(seconds(3));
    if (s.core->state().find_by_name("shop") == nullptr) {
      s.dies_after.reset();
      ASSERT_TRUE(s.create("shop", 3));
    }
    const bool died = !s.dies_after.has_value();
    s.dies_after.reset();
    s.run_until([&] { return s.all_running("shop"); }, minutes(3));
    ASSERT_FALSE(testing::Test::HasFailure()) << "cut " << cut;
    EXPECT_EQ(s.mesos.live_tasks(), 3U) << "cut " << cut;
    s.run_for(minutes(5));  // the orphans' grace
    EXPECT_EQ(held_resource_ids(s.mesos), recorded_resource_ids(s.cluster("shop"))) << "cut " << cut;
    EXPECT_EQ(s.mesos.unacknowledged(), 0U) << "cut " << cut;
    if (!died) break;
    ++cuts;
    ASSERT_LT(cuts, 100);
  }
  EXPECT_GT(cuts, 5);
}

TEST_P(Deaths, AreSurvivedAtEveryStepOfADelete) {
  int cuts = 0;
  for (int cut = 0;; ++cut) {
    Scenario s = a_running_cluster();
    s.outputs = 0;
    s.dies_after = cut;
    s.calls_before_death = GetParam();
    (void)s.remove("shop");
    s.run_for(seconds(3));
    const bool died = !s.dies_after.has_value();
    s.dies_after.reset();
    s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(3));
    ASSERT_FALSE(testing::Test::HasFailure()) << "cut " << cut;
    s.run_for(minutes(5));
    EXPECT_TRUE(s.mesos.nothing_held()) << "cut " << cut;
    EXPECT_EQ(s.mesos.live_tasks(), 0U) << "cut " << cut;
    EXPECT_EQ(s.mesos.unacknowledged(), 0U) << "cut " << cut;
    if (!died) break;
    ++cuts;
    ASSERT_LT(cuts, 100);
  }
  EXPECT_GT(cuts, 5);
}

TEST(Provisioning, AMemberThatEndsComesBackOnItsOwnVolume) {
  Scenario s = a_running_cluster();
  const Member before = s.member("shop", 1);
  s.mesos.end_task(before.task, mesos::TaskState::kFailed, "REASON_EXECUTOR_TERMINATED");
  s.run_until([&] { return s.told(EventKind::kMemberDown); }, seconds(1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(10));

  const Member& after = s.member("shop", 1);
  EXPECT_NE(after.task, before.task);
  EXPECT_EQ(after.place().volume, before.place().volume);
  EXPECT_EQ(after.place().port, before.place().port);
  const auto* accept = s.mesos.last<mesos::Accept>();
  EXPECT_EQ(accept->operations.size(), 1U) << "LAUNCH alone: everything is there";
  EXPECT_EQ(s.mesos.live_tasks(), 3U);
}

// The records of "shop" as they would be if somebody had changed them so; a scheduler starts on them.
void change_records(Scenario& s, const std::function<void(Cluster&)>& change) {
  const Cluster before = s.cluster("shop");
  Cluster after = before;
  change(after);
  for (const Record& r : cluster_records(&before, &after)) s.records[r.kind][r.key] = *r.json;
  s.start();
}

TEST(Provisioning, AMemberIsLaunchedAgainAsItWasGrantedWhateverIsWantedMeanwhile) {
  Scenario s = a_running_cluster(2);
  const Granted before = *s.member("shop", 1).granted;
  change_records(s, [](Cluster& c) {
    c.spec.cpus_milli *= 2;
    c.spec.mem = gib(2);
    c.spec.disk = gib(7);
    c.spec.version = "mysql-10";
    c.spec.any_engine = true;
  });
  s.mesos.end_task(s.member("shop", 1).task, mesos::TaskState::kFailed, "it ends");
  s.run_until([&] { return s.told(EventKind::kMemberDown); }, seconds(1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(10));

  EXPECT_EQ(s.member("shop", 1).granted, before);
  const mesos::TaskInfo& task = s.mesos.tasks.at(s.member("shop", 1).task).info;
  EXPECT_EQ(task.resources.milli("cpus"), 1000);
  EXPECT_EQ(task.resources.milli("mem"), 1024 * 1000);
  const auto spec = from_json_text<MemberSpec>(task.data);
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->cpus_milli, 1000);
  EXPECT_EQ(spec->mem, gib(1));
  EXPECT_EQ(spec->disk, gib(5));
  EXPECT_EQ(spec->version, before.version);
  EXPECT_FALSE(spec->any_engine);
}

TEST(Provisioning, AMemberThatIsPlacedIsGrantedWhatIsWantedThen) {
  Scenario s(1);
  ASSERT_TRUE(s.create("shop", 2));
  s.run_for(seconds(5));
  change_records(s, [](Cluster& c) {
    c.spec.mem = gib(2);
    c.spec.version = "mysql-10";
  });
  s.mesos.add_agent("2", 4, 4096, 20480);
  s.run_until([&] { return s.all_running("shop"); }, seconds(30));

  EXPECT_EQ(s.member("shop", 0).granted->size.mem, gib(1));
  EXPECT_EQ(s.member("shop", 1).granted->size.mem, gib(2));
  EXPECT_EQ(s.member("shop", 1).granted->version, "mysql-10");
  EXPECT_EQ(s.mesos.tasks.at(s.member("shop", 1).task).info.resources.milli("mem"), 2048 * 1000);
}

// A word about one member, not about its cluster.
TEST(Provisioning, OneMemberThatLeavesIsEndedAndGivenBackAndTheOthersStay) {
  Scenario s = a_running_cluster();
  const Member leaving = s.member("shop", 1);
  change_records(s, [](Cluster& c) {
    c.spec.members = 2;
    c.members[1].leaves = true;
    c.members[1].stage = MemberStage::kKilling;
  });
  s.run_until([&] { return s.cluster("shop").members.size() == 2; }, minutes(1));
  s.run_for(minutes(1));

  EXPECT_EQ(s.cluster("shop").find(leaving.id), nullptr);
  EXPECT_TRUE(s.all_running("shop"));
  EXPECT_EQ(s.mesos.live_tasks(), 2U);
  EXPECT_EQ(held_resource_ids(s.mesos), recorded_resource_ids(s.cluster("shop")));
  EXPECT_FALSE(held_resource_ids(s.mesos).contains(leaving.place().resource_id));
  EXPECT_EQ(s.cluster("shop").next_index, 3U) << "its index is not used again";
}

TEST(Provisioning, AMemberWhosePortIsTakenGetsOthersOnItsOwnVolume) {
  Scenario s = a_running_cluster();
  const Member before = s.member("shop", 1);
  const std::string taken = "port " + std::to_string(before.place().port) + " at 10.0.0.2 " + std::string(kPortTaken);
  s.mesos.end_task(before.task, mesos::TaskState::kFailed, taken);
  s.run_until([&] { return s.told(EventKind::kMemberDown); }, seconds(1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(10));

  const Member after = s.member("shop", 1);
  EXPECT_TRUE(s.told(EventKind::kPortsChanged));
  EXPECT_EQ(after.place().volume, before.place().volume);
  for (const std::uint16_t old : {before.place().port, before.place().api_port, before.place().admin_port}) {
    for (const std::uint16_t now : {after.place().port, after.place().api_port, after.place().admin_port}) EXPECT_NE(now, old);
  }
  const auto* accept = s.mesos.last<mesos::Accept>();
  EXPECT_EQ(accept->operations.size(), 2U) << "RESERVE and LAUNCH";

  s.mesos.end_task(after.task, mesos::TaskState::kFailed, "something else");
  s.run_until([&] { return s.member("shop", 1).stage == MemberStage::kDown; }, seconds(1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(20));
  EXPECT_EQ(s.member("shop", 1).place().port, after.place().port) << "they are its own from now on";
  ASSERT_TRUE(s.core->state().clusters.size() == 1);
}

TEST(Provisioning, PortsThatAnAcceptLostWithItAreReservedWithTheNextOffer) {
  Scenario s = a_running_cluster(1);
  const Member before = s.member("shop", 0);
  s.lose_accepts = true;
  s.mesos.end_task(before.task, mesos::TaskState::kFailed, "port 31000 " + std::string(kPortTaken));
  s.run_until([&] { return s.told(EventKind::kPortsChanged); }, seconds(10));
  s.run_for(seconds(1));
  s.lose_accepts = false;

  s.run_until([&] { return s.all_running("shop"); }, minutes(2));
  EXPECT_EQ(s.member("shop", 0).place().volume, before.place().volume);
  EXPECT_NE(s.member("shop", 0).place().port, before.place().port);
}

TEST(Provisioning, LaunchesThatDoNotLastAreTriedEverMoreRarely) {
  Scenario s = a_running_cluster(1);
  std::vector<Duration> pauses;
  for (int i = 0; i < 5; ++i) {
    s.mesos.end_task(s.member("shop", 0).task, mesos::TaskState::kFailed, "the executor's words");
    const Instant ended = s.now;
    s.run_until([&] { return s.member("shop", 0).stage == MemberStage::kDown; }, seconds(1));
    const std::string why = std::to_string(i + 1) + " before did not last: TASK_FAILED, the executor's words";
    EXPECT_TRUE(s.view("shop").waiting_for.ends_with(why)) << s.view("shop").waiting_for;
    s.run_until([&] { return s.all_running("shop"); }, minutes(2));
    pauses.push_back(s.now - ended);
  }
  EXPECT_LT(pauses[0], seconds(3));
  EXPECT_GT(pauses[4], 3 * pauses[1]);
}

TEST(Provisioning, SilenceAndDoubtNeverLaunchASecondTask) {
  Scenario s = a_running_cluster();
  const TaskId task = s.member("shop", 0).task;
  const auto launched = s.mesos.tasks.size();
  for (const auto doubt : {mesos::TaskState::kUnknown, mesos::TaskState::kLost, mesos::TaskState::kUnreachable}) {
    s.mesos.say(task, doubt);
    s.run_for(minutes(1));
    EXPECT_EQ(s.member("shop", 0).stage, MemberStage::kRunning);
  }
  s.mesos.set_unreachable(s.member("shop", 0).place().agent.value, true);
  s.run_for(minutes(20));
  EXPECT_NE(s.view("shop").waiting_for.find("to be reachable again"), std::string::npos);
  EXPECT_EQ(s.member("shop", 0).stage, MemberStage::kRunning);
  EXPECT_EQ(s.mesos.tasks.size(), launched);

  s.mesos.set_unreachable(s.member("shop", 0).place().agent.value, false);
  s.run_for(seconds(1));
  EXPECT_EQ(s.member("shop", 0).task, task);
}

TEST(Provisioning, AnOfferedVolumeProvesThatNoTaskHoldsIt) {
  Scenario s = a_running_cluster(1);
  const Member before = s.member("shop", 0);
  s.mesos.disconnect();
  s.mesos.end_task_in_silence(before.task);
  s.mesos.tasks.erase(before.task);  // nobody remembers it, and no update will ever come
  s.mesos.answers_reconcile = false;
  s.start();
  s.run_until([&] { return s.all_running("shop") && s.member("shop", 0).task != before.task; }, minutes(1));
  EXPECT_EQ(s.member("shop", 0).place().volume, before.place().volume);
}

TEST(Provisioning, AnAgentThatIsGoneTakesItsVolumeAlongAndThatIsSaid) {
  Scenario s = a_running_cluster();
  const std::string agent = s.member("shop", 2).place().agent.value;
  s.mesos.mark_gone(agent);
  s.run_for(minutes(5));

  EXPECT_EQ(s.member("shop", 2).stage, MemberStage::kDown);
  EXPECT_NE(s.view("shop").waiting_for.find("its volume will not return"), std::string::npos);
  EXPECT_TRUE(s.view("shop").members[2].task_ended);

  ASSERT_TRUE(s.remove("shop"));
  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(1));
  EXPECT_TRUE(s.mesos.nothing_held());
}

TEST(Provisioning, IsNeverLaunchedOnAnEmptyVolumeInsteadOfItsOwn) {
  Scenario s = a_running_cluster(1);
  const auto launched = s.mesos.tasks.size();
  // An operator destroys the volume under a member that is down; its reservation stays.
  const TaskId task = s.member("shop", 0).task;
  s.mesos.tasks.at(task).info.resources = [&] {
    Resources out;
    for (Resource r : s.mesos.tasks.at(task).info.resources.list()) {
      r.volume.reset();
      out += Resources{r};
    }
    return out;
  }();
  s.mesos.end_task(task, mesos::TaskState::kFailed, "");
  s.run_for(minutes(10));

  EXPECT_EQ(s.member("shop", 0).stage, MemberStage::kDown);
  EXPECT_EQ(s.times_told(EventKind::kVolumeMissing), 1U);
  EXPECT_NE(s.view("shop").waiting_for.find("without the volume"), std::string::npos);
  EXPECT_EQ(s.mesos.tasks.size(), launched);
  EXPECT_EQ(s.mesos.count<mesos::Accept>(), 1U);
}

TEST(Provisioning, ADeleteGivesEverythingBackAndOnlyThenFreesTheName) {
  Scenario s = a_running_cluster();
  ASSERT_TRUE(s.remove("shop"));
  EXPECT_EQ(s.view("shop").state, ClusterState::kDeleting);
  EXPECT_EQ(s.create("shop", 1).error().code, Errc::kConflict);
  EXPECT_EQ(s.remove("shop").error().code, Errc::kNotFound);

  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(1));
  EXPECT_TRUE(s.mesos.nothing_held());
  EXPECT_TRUE(s.told(EventKind::kClusterDeleted));
  for (const char* kind : {"spec", "epoch", "secrets", "member"}) EXPECT_TRUE(s.records[kind].empty()) << kind;
  const auto* kill = s.mesos.last<mesos::Kill>();
  ASSERT_NE(kill, nullptr);
  EXPECT_EQ(kill->grace, Scenario::config().kill_grace);
  EXPECT_GE(s.mesos.count<mesos::Shutdown>(), 3U);
  EXPECT_TRUE(s.create("shop", 1));
}

TEST(Provisioning, AMemberThatWasNeverPlacedVanishesAtOnce) {
  Scenario s(0);
  ASSERT_TRUE(s.create("shop", 3));
  s.run_for(seconds(1));
  EXPECT_NE(s.view("shop").waiting_for.find("no agent has offered anything yet"), std::string::npos);
  ASSERT_TRUE(s.remove("shop"));
  EXPECT_TRUE(s.core->state().clusters.empty());
  EXPECT_TRUE(s.told(EventKind::kClusterDeleted));
}

TEST(Provisioning, KillsAreRepeatedUntilTheTaskHasEnded) {
  Scenario s = a_running_cluster(1);
  s.mesos.set_unreachable(s.member("shop", 0).place().agent.value, true);
  s.run_for(seconds(1));
  ASSERT_TRUE(s.remove("shop"));
  s.run_for(minutes(3));
  EXPECT_GE(s.mesos.count<mesos::Kill>(), 4U);
  EXPECT_LE(s.mesos.count<mesos::Kill>(), 12U);
  EXPECT_NE(s.view("shop").waiting_for.find("(unreachable)"), std::string::npos) << s.view("shop").waiting_for;

  s.mesos.set_unreachable(s.member("shop", 0).place().agent.value, false);
  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(2));
  EXPECT_TRUE(s.mesos.nothing_held());
}

TEST(Provisioning, AnExecutorThatLetsItsGracePassIsShutDown) {
  Scenario s = a_running_cluster(1);
  s.mesos.deaf = true;
  ASSERT_TRUE(s.remove("shop"));
  s.run_for(seconds(30));
  EXPECT_EQ(s.mesos.count<mesos::Shutdown>(), 0U);
  s.run_for(minutes(1));
  EXPECT_GE(s.mesos.count<mesos::Shutdown>(), 1U);
  EXPECT_EQ(s.mesos.last<mesos::Shutdown>()->executor.value, s.member("shop", 0).task.value);
}

TEST(Provisioning, ATaskThatLivesAfterAllIsKilledBeforeItsVolumeIsReleased) {
  Scenario s = a_running_cluster(1);
  s.mesos.deaf = true;
  ASSERT_TRUE(s.remove("shop"));
  const TaskId task = s.member("shop", 0).task;
  s.mesos.say(task, mesos::TaskState::kGone);
  s.run_for(seconds(1));
  ASSERT_EQ(s.member("shop", 0).stage, MemberStage::kReleasing);
  s.mesos.say(task, mesos::TaskState::kRunning);
  s.run_for(seconds(1));
  EXPECT_EQ(s.member("shop", 0).stage, MemberStage::kKilling);
  s.mesos.deaf = false;
  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(1));
  EXPECT_TRUE(s.mesos.nothing_held());
}

TEST(Provisioning, AKillIsRepeatedAtOnceOnANewStream) {
  Scenario s = a_running_cluster(1);
  s.mesos.deaf = true;
  ASSERT_TRUE(s.remove("shop"));
  s.run_for(minutes(5));
  const auto before = s.mesos.count<mesos::Kill>();
  s.give(scheduler_input::FromMesos{mesos::Disconnected{}});
  s.mesos.subscribe();
  s.run_for(milliseconds(1));
  EXPECT_EQ(s.mesos.count<mesos::Kill>(), before + 1);
}

TEST(Provisioning, AReleaseWhoseAnswersAreLostIsProvedByTheNextOffers) {
  Scenario s = a_running_cluster();
  s.mesos.silent_operations = true;
  ASSERT_TRUE(s.remove("shop"));
  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(2));
  EXPECT_TRUE(s.mesos.nothing_held());
  EXPECT_GE(s.mesos.count<mesos::ReconcileOperations>(), 1U);
}

TEST(Provisioning, ARefusedReleaseIsTriedAgain) {
  Scenario s = a_running_cluster(1);
  s.mesos.refused_operations = {"unreserve"};
  ASSERT_TRUE(s.remove("shop"));
  s.run_for(seconds(30));
  EXPECT_TRUE(s.member("shop", 0).released_volume);
  EXPECT_LT(s.times_told(EventKind::kOperationFailed), 10U);
  s.mesos.refused_operations.clear();
  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(3));
  EXPECT_TRUE(s.mesos.nothing_held());
}

TEST(Provisioning, StrangersReservationsAreNeverTouched) {
  Scenario s;
  const Resources theirs = s.mesos.reserve_for("1", {{"mysos_framework", "another"}, {"mysos_resource", "x"}}, 1);
  const Resources plain = s.mesos.reserve_for("1", {}, 1);
  ASSERT_TRUE(s.create("shop", 3));
  s.run_until([&] { return s.all_running("shop"); }, seconds(5));
  s.run_for(hours(1));
  ASSERT_TRUE(s.remove("shop"));
  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(1));
  s.run_for(hours(1));

  const Resources& left = s.mesos.agents.at(AgentId("1")).free;
  EXPECT_TRUE(left.contains(theirs));
  EXPECT_TRUE(left.contains(plain));
  EXPECT_EQ(s.times_told(EventKind::kFrameworkUnknown), 1U) << "it is told of, once";
  EXPECT_FALSE(s.told(EventKind::kOrphanFound));
}

TEST(Provisioning, OrphansOfOursAreGivenBackAfterTheGrace) {
  Scenario s;
  s.run_for(milliseconds(1));
  s.mesos.disconnect();
  const Resources orphan = s.mesos.reserve_for("2", {{"mysos_framework", "fw-1"}, {"mysos_resource", "lost"}}, 1);
  s.start();
  s.run_for(seconds(100));
  EXPECT_TRUE(s.told(EventKind::kOrphanFound));
  EXPECT_TRUE(s.mesos.agents.at(AgentId("2")).free.contains(orphan)) << "before the grace it is left alone";

  s.run_for(seconds(60));
  EXPECT_EQ(s.times_told(EventKind::kOrphanReleased), 1U);
  EXPECT_TRUE(s.mesos.nothing_held());
}

TEST(Provisioning, SuppressesWhatNobodyWantsAndRevivesRarely) {
  Scenario s = a_running_cluster();
  s.run_for(seconds(10));
  EXPECT_TRUE(s.mesos.suppressed);
  const auto revives = s.mesos.count<mesos::Revive>();
  s.run_for(minutes(10));
  EXPECT_EQ(s.mesos.count<mesos::Revive>(), revives) << "a healthy cluster asks for nothing";

  for (int i = 0; i < 5; ++i) ASSERT_TRUE(s.create("more" + std::to_string(i), 1));
  s.run_for(milliseconds(1500));
  EXPECT_LE(s.mesos.count<mesos::Revive>(), revives + 3);
  s.run_for(seconds(5));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(s.all_running("more" + std::to_string(i)));
  s.run_for(minutes(20));
  EXPECT_GT(s.mesos.count<mesos::Revive>(), revives + 1) << "what may have been left behind is looked for";
  EXPECT_TRUE(s.mesos.suppressed);
}

TEST(Provisioning, ReconcilesAfterEachSubscriptionAndOnceInAWhile) {
  Scenario s = a_running_cluster();
  const auto before = s.mesos.count<mesos::Reconcile>();
  s.give(scheduler_input::FromMesos{mesos::Disconnected{}});
  EXPECT_FALSE(s.core->connected());
  s.mesos.subscribe();
  s.run_for(milliseconds(1));
  EXPECT_TRUE(s.core->connected());
  ASSERT_EQ(s.mesos.count<mesos::Reconcile>(), before + 2) << "what is known, and all that the master knows";
  EXPECT_TRUE(s.mesos.last<mesos::Reconcile>()->tasks.empty());
  std::erase_if(s.mesos.calls, [](const mesos::Call& c) {
    const auto* reconcile = std::get_if<mesos::Reconcile>(&c);
    return reconcile != nullptr && reconcile->tasks.empty();
  });
  EXPECT_EQ(s.mesos.last<mesos::Reconcile>()->tasks.size(), 3U);
  EXPECT_TRUE(s.mesos.last<mesos::Reconcile>()->tasks[0].second.has_value()) << "with the agent: TASK_GONE can be told";
  const auto asked = s.mesos.count<mesos::Reconcile>();
  s.run_for(minutes(1));
  EXPECT_EQ(s.mesos.count<mesos::Reconcile>(), asked) << "all were answered";
  s.run_for(minutes(16));
  EXPECT_EQ(s.mesos.count<mesos::Reconcile>(), asked + 1);
  EXPECT_TRUE(s.mesos.last<mesos::Reconcile>()->tasks.empty());
}

TEST(Provisioning, UnansweredQuestionsAreAskedAgainEverMoreRarely) {
  Scenario s = a_running_cluster(1);
  s.give(scheduler_input::FromMesos{mesos::Disconnected{}});
  s.mesos.subscribe();
  s.lose_calls = true;
  const auto before = s.outputs;
  s.run_for(minutes(5));
  EXPECT_GE(s.outputs - before, 6);
  EXPECT_LE(s.outputs - before, 20);
}

}  // namespace
}  // namespace mysos::scenario
