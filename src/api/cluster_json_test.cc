// SPDX-License-Identifier: Apache-2.0
#include "api/cluster_json.h"

#include <gtest/gtest.h>

namespace mysos {
namespace {

// The "seeding" of the one member of a cluster, as it is shown.
json::value shown(const MemberReport& report) {
  Cluster cluster;
  cluster.members.emplace_back();
  cluster.members[0].id = MemberId("c-0");
  ClusterView view;
  view.cluster = &cluster;
  view.members.emplace_back();
  view.members[0].id = MemberId("c-0");
  view.members[0].report = report;
  return members_json(view).at(0).at("seeding");
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

}  // namespace
}  // namespace mysos
