// SPDX-License-Identifier: Apache-2.0
// A cluster that the state does not know is taken back from what its members hold.
#include "core/provisioning/adoption.h"

#include <algorithm>

#include "core/provisioning/holdings.h"
#include "core/scenario/scheduler_scenario.h"

namespace mysos::scenario {
namespace {

// A state of before its cluster was made is put back; the members run on.
class Lost : public Scenario {
 public:
  explicit Lost(std::uint32_t members_ = 3, bool any_engine = false) {
    run_for(seconds(1));
    const auto before = records;
    report_to_each = true;
    let_members_live();
    ClusterSpec wanted = spec("shop", members_);
    wanted.any_engine = any_engine;
    EXPECT_TRUE(create(wanted));
    run_until([&] { return all_running("shop") && view("shop").state == ClusterState::kHealthy; }, minutes(1));
    truth = cluster("shop");
    records = before;
    events.clear();
    start();
    run_for(seconds(1));
  }
  void end_all() {
    for (auto& [id, task] : mesos.tasks) {
      if (!mesos::is_terminal(task.state)) mesos.end_task(id, mesos::TaskState::kFailed, "its machine was restarted");
    }
    members.clear();
    run_for(seconds(5));
  }
  // The members come back on their volumes with what they held.
  void remember(const std::map<MemberId, ObedientMember>& before) {
    for (const auto& [id, member] : before) {
      const auto now_at = members.find(id);
      if (now_at == members.end() || now_at->second.now.led == member.now.led) continue;
      now_at->second.now.promised = member.now.promised;
      now_at->second.now.led = member.now.led;
    }
  }
  // The agent of the third member is away when the cluster is adopted.
  const Member& adopt_without_the_third() {
    const Member& away = truth.members[2];
    mesos.set_unreachable(away.place().agent.value, true);
    start();
    run_for(seconds(2));
    EXPECT_TRUE(adopt("shop"));
    run_for(minutes(2));
    return away;
  }
  std::size_t kills() const { return mesos.count<mesos::Kill>(); }
  Cluster truth;
};

TEST(Adoption, TasksThatRunAreTakenOverAndNothingIsKilled) {
  Lost s(3, true);
  const auto told = s.core->orphans().tasks;
  ASSERT_EQ(told.size(), 3U);
  EXPECT_TRUE(std::ranges::all_of(told, &UnknownTask::identified));
  const std::size_t launches = s.mesos.tasks.size();

  ASSERT_TRUE(s.adopt("shop"));
  EXPECT_EQ(s.view("shop").state, ClusterState::kInDoubt);
  EXPECT_TRUE(s.core->orphans().tasks.empty());
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, minutes(1));

  const Cluster& now = s.cluster("shop");
  EXPECT_EQ(now.id, s.truth.id);
  EXPECT_EQ(now.spec, s.truth.spec);
  EXPECT_EQ(now.sealed_secrets, s.truth.sealed_secrets);
  EXPECT_EQ(now.token_hash, s.truth.token_hash);
  EXPECT_EQ(now.created, s.truth.created);
  EXPECT_GT(now.epoch.pair, s.truth.epoch.pair);
  for (std::size_t i = 0; i < 3; ++i) {
    Member expected = s.truth.members[i];
    expected.volume_name = now.members[i].volume_name;
    expected.server_id = now.members[i].server_id;
    EXPECT_EQ(now.members[i], expected) << i;
  }
  EXPECT_EQ(s.mesos.tasks.size(), launches) << "nothing was launched";
  EXPECT_EQ(s.kills(), 0U);
  EXPECT_EQ(s.times_told(EventKind::kClusterAdopted), 1U);
}

TEST(Adoption, MembersOfWhichOnlyTheVolumeIsLeftAreLaunchedOnItAndHandOverTheSecrets) {
  Lost s;
  const auto before = s.members;
  s.end_all();
  ASSERT_EQ(s.core->orphans().volumes.size(), 3U);
  s.executors_answer = false;

  ASSERT_TRUE(s.adopt("shop"));
  s.run_until([&] { return s.all_running("shop"); }, minutes(1));
  EXPECT_TRUE(s.cluster("shop").sealed_secrets.empty());
  EXPECT_NE(s.view("shop").waiting_for.find("secrets"), std::string::npos) << s.view("shop").waiting_for;
  EXPECT_TRUE(s.core->watch_targets().empty()) << "there is no token to show";
  for (const Member& m : s.cluster("shop").members) {
    EXPECT_EQ(m.place().volume, s.truth.find(m.id)->place().volume);
    EXPECT_EQ(m.place().resource_id, s.truth.find(m.id)->place().resource_id);
    EXPECT_NE(m.task, s.truth.find(m.id)->task) << "no task id is used twice";
  }

  s.start();  // a scheduler that dies meanwhile goes on
  s.executors_answer = true;
  s.keep_credentials = 2;
  s.run_until([&] { return !s.core->watch_targets().empty(); }, minutes(3));
  s.run_for(milliseconds(10));
  s.remember(before);
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, minutes(1));
  EXPECT_EQ(s.cluster("shop").spec, s.truth.spec);
  EXPECT_EQ(s.cluster("shop").sealed_secrets, "sealed");
  EXPECT_EQ(s.cluster("shop").credentials, 2U);
  EXPECT_TRUE(s.core->orphans().volumes.empty());
  EXPECT_FALSE(s.told(EventKind::kOrphanReleased));
}

TEST(Adoption, AMemberWhoseAgentIsAwayIsTakenWhenItComesBack) {
  Lost s;
  const Member& away = s.adopt_without_the_third();
  EXPECT_EQ(s.member("shop", 2).stage, MemberStage::kWanted);
  EXPECT_EQ(s.view("shop").state, ClusterState::kInDoubt);
  EXPECT_NE(s.view("shop").waiting_for.find(away.id.value), std::string::npos);

  s.mesos.set_unreachable(away.place().agent.value, false);
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, minutes(2));
  EXPECT_EQ(s.member("shop", 2).task, away.task);
  EXPECT_EQ(s.kills(), 0U);
}

TEST(Adoption, AVolumeThatIsOfferedAfterTheAdoptionIsItsMembers) {
  Lost s;
  const Member& away = s.adopt_without_the_third();
  ASSERT_EQ(s.member("shop", 2).stage, MemberStage::kWanted);

  s.mesos.end_task_in_silence(away.task);  // its machine was restarted
  s.mesos.set_unreachable(away.place().agent.value, false);
  s.run_until([&] { return s.member("shop", 2).stage == MemberStage::kRunning; }, minutes(2));
  EXPECT_EQ(s.member("shop", 2).place().volume, away.place().volume);
  EXPECT_TRUE(s.core->orphans().volumes.empty());
}

TEST(Adoption, WhatIsAwayForGoodIsGivenUpByAnOperatorAndPlacedAnew) {
  Lost s;
  const Member away = s.truth.members[2];
  s.mesos.set_unreachable(away.place().agent.value, true);
  s.start();
  s.run_for(seconds(2));
  ASSERT_TRUE(s.adopt("shop"));
  s.run_for(seconds(10));
  s.mesos.add_agent("4", 4, 4096, 20480);
  ASSERT_TRUE(s.ask("shop", command::Failover{{.accept_loss = true}}));
  s.run_until([&] { return s.member("shop", 2).stage == MemberStage::kRunning; }, minutes(2));
  EXPECT_EQ(s.member("shop", 2).place().agent, AgentId("4"));
  EXPECT_GT(s.member("shop", 2).launches, 1000U) << "a task id of the place before is never used twice";
  EXPECT_FALSE(s.cluster("shop").doubt);

  s.mesos.set_unreachable(away.place().agent.value, false);
  s.run_for(minutes(1));
  EXPECT_FALSE(s.cluster("shop").doubt) << "the task that comes back is of a launch that was given up";
}

TEST(Adoption, OnceMoreIsTheSame) {
  Lost s;
  const auto first = s.adopt("shop");
  const auto records = s.records;
  const auto again = s.adopt("shop");
  const auto by_id = s.adopt(s.truth.id.value);
  ASSERT_TRUE(first && again && by_id);
  EXPECT_EQ(*first, *again);
  EXPECT_EQ(*first, *by_id);
  EXPECT_EQ(s.records, records);
}

TEST(Adoption, ATakenNameIsRefusedAndAnotherMayBeGiven) {
  Lost s;
  ASSERT_TRUE(s.create("shop", 1));
  const auto refused = s.adopt(s.truth.id.value);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_NE(refused.error().message.find("--as"), std::string::npos);
  EXPECT_FALSE(s.adopt("shop", "Not a name"));
  EXPECT_EQ(s.core->state().clusters.size(), 1U);

  ASSERT_TRUE(s.adopt("shop", "store"));
  EXPECT_TRUE(s.adopt("shop", "store")) << "once more is the same";
  s.run_until([&] { return s.view("store").state == ClusterState::kHealthy; }, minutes(1));
  EXPECT_EQ(s.cluster("store").id, s.truth.id);
}

TEST(Adoption, AnotherKeyIsRefusedAndNothingIsChanged) {
  Lost s;
  for (const char* kind : {"spec", "epoch", "secrets", "member"}) s.records.erase(kind);
  s.keep_sealed.clear();
  s.keep_problem = "an encrypted value was damaged, or encrypted with another key";
  s.start();
  s.run_for(seconds(2));
  const auto refused = s.adopt("shop");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_NE(refused.error().message.find("secret.key"), std::string::npos);
  EXPECT_TRUE(s.core->state().clusters.empty());
}

TEST(Adoption, WhatNobodySaysIsNotFound) {
  Lost s;
  EXPECT_EQ(s.adopt("other").error().code, Errc::kNotFound);
  s.executors_answer = false;
  s.start();
  s.run_for(seconds(2));
  EXPECT_EQ(s.adopt("shop").error().code, Errc::kUnavailable) << "its tasks have not said who they are";
}

TEST(Adoption, AVolumeThatAUserHasDestroyedIsNotTaken) {
  Lost s;
  s.end_all();
  s.lose_calls = true;
  ASSERT_TRUE(s.ask(s.core->orphans().volumes.at(0).id, command::DestroyOrphan{}));
  ASSERT_TRUE(s.adopt("shop"));
  EXPECT_EQ(s.member("shop", 0).stage, MemberStage::kWanted);
  EXPECT_EQ(s.member("shop", 1).stage, MemberStage::kDown);
}

TEST(Adoption, OfTwoPlacesOfAMemberTheNewerCounts) {
  std::vector<MemberFound> found(2);
  for (MemberFound& f : found) f.spec.member = MemberId("abc-0");
  found[0].spec.resource_id = "abc-0-10-xxxxxx";
  found[1].spec.resource_id = "abc-0-9-yyyyyy";
  EXPECT_EQ(newest_place(MemberId("abc-0"), found), &found[0]);
  EXPECT_EQ(newest_place(MemberId("abc-1"), found), nullptr);
}

TEST(Adoption, NoMemberGetsTheIndexOfOneThatWasFound) {
  std::vector<MemberFound> found(2);
  for (MemberFound& f : found) f.spec.members = 2;
  found[1].spec.index = 6;
  const auto cluster = rebuilt_record(found, "");
  ASSERT_TRUE(cluster) << cluster.error().message;
  EXPECT_EQ(cluster->members.size(), 2U);
  EXPECT_EQ(cluster->next_index, 7U);
}

TEST(Adoption, AnOlderRecordTakesTheNewerPasswordFromItsMembers) {
  Scenario s;
  s.let_members_live();
  ASSERT_TRUE(s.create("shop", 3));
  s.run_until([&] { return s.view("shop").state == ClusterState::kHealthy; }, minutes(1));
  s.keep_sealed = "newer";
  s.keep_credentials = 1;
  ObedientMember& m = s.members.at(s.member("shop", 0).id);
  m.now.credentials = 1;
  s.give(scheduler_input::Reported{m.beat()});
  s.run_for(seconds(1));
  EXPECT_EQ(s.cluster("shop").sealed_secrets, "newer");
  EXPECT_EQ(s.cluster("shop").credentials, 1U);
  EXPECT_EQ(s.times_told(EventKind::kSecretsFound), 1U);
}

TEST(Adoption, TheLabelOfAVolumeSaysWhatTheRecordDid) {
  Lost s(2, true);
  s.end_all();
  s.executors_answer = false;
  ASSERT_TRUE(s.adopt("shop"));
  EXPECT_EQ(s.cluster("shop").spec, s.truth.spec);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(s.member("shop", i).place().port, s.truth.members[i].place().port);
    EXPECT_EQ(s.member("shop", i).place().admin_port, s.truth.members[i].place().admin_port);
    EXPECT_EQ(s.member("shop", i).place().hostname, s.truth.members[i].place().hostname);
    EXPECT_EQ(s.member("shop", i).place().ip, s.truth.members[i].place().ip);
  }
}

}  // namespace
}  // namespace mysos::scenario
