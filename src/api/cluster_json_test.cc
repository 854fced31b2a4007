// SPDX-License-Identifier: Apache-2.0
#include "api/cluster_json.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

// The one member of a cluster, as it is shown.
json::value member_shown(MemberView member) {
  Cluster cluster;
  cluster.members.emplace_back();
  cluster.members[0].id = member.id = MemberId("c-0");
  cluster.members[0].stage = MemberStage::kRunning;
  ClusterView view;
  view.cluster = &cluster;
  view.members = {std::move(member)};
  return members_json(view).at(0);
}

json::value shown(const MemberReport& report) {
  MemberView member;
  member.report = report;
  return member_shown(std::move(member)).at("seeding");
}

TEST(ClusterJson, SaysFromWhomAndHowFarAMemberCopies) {
  MemberReport r;
  r.seeding = Seeding{};
  r.seeding->donor = MemberId("c-1");
  r.seeding->bytes = mib(3);
  r.seeding->took_ms = 4900;
  EXPECT_EQ(shown(r), (json::object{{"state", "copying"}, {"donor", "c-1"}, {"bytes", mib(3).value}, {"seconds", 4}}));
  r.seeding->state = SeedState::kFailed;
  r.needs_copy = true;
  EXPECT_EQ(shown(r), (json::object{{"state", "waiting"}, {"donor", nullptr}, {"bytes", 0}, {"seconds", 0}}));
  r.seeding->state = SeedState::kDone;
  r.needs_copy = false;
  EXPECT_EQ(shown(r), nullptr);
}

TEST(ClusterJson, SaysOnWhichVolumeOfWhichAgentTheDataAre) {
  Cluster cluster;
  Member& member = cluster.members.emplace_back();
  member.id = MemberId("c-0");
  member.granted = Granted{.place = {.agent = AgentId("S1"), .volume = VolumeId("mysos-c-0-1")}};
  ClusterView view{.cluster = &cluster};
  view.members = {MemberView{.id = member.id}};

  const json::value shown = members_json(view).at(0);

  EXPECT_EQ(shown.at("agent"), "S1");
  EXPECT_EQ(shown.at("volume"), "mysos-c-0-1");
}

TEST(ClusterJson, SaysWhyAMemberIsOfNoUse) {
  MemberView member;
  EXPECT_EQ(member_shown(member).at("state"), "unreachable");
  member.volume_lost = true;
  EXPECT_EQ(member_shown(member).at("state"), "volume_lost");
}

TEST(ClusterJson, NamesAFullVolumeBeforeWhatComesOfIt) {
  MemberView member;
  MemberReport r;
  r.problem = "mysqld does not answer";
  member.report = r;
  EXPECT_EQ(member_shown(member).at("problem"), "mysqld does not answer");
  r.write_trouble = "no space is left on the volume";
  member.report = r;
  EXPECT_EQ(member_shown(member).at("problem"), "no space is left on the volume");
}

TEST(ClusterJson, SaysWhereTheLagIsNotKnown) {
  MemberView member;
  EXPECT_EQ(member_shown(member).at("lag_ms"), nullptr) << "nothing was heard of it yet";
  const auto lag = [&](MemberRole role, std::int64_t told, bool connected) {
    MemberReport r;
    r.role = role;
    r.lag_ms = told;
    member.report = r;
    member.connected = connected;
    return member_shown(member).at("lag_ms");
  };
  EXPECT_EQ(lag(MemberRole::kReplica, 0, true), 0);
  EXPECT_EQ(lag(MemberRole::kReplica, -1, true), nullptr) << "its server does not answer, or it does not receive";
  EXPECT_EQ(lag(MemberRole::kReplica, 0, false), nullptr) << "unreachable";
  EXPECT_EQ(lag(MemberRole::kPrimary, -1, true), -1);
}

}  // namespace
}  // namespace mysos
