// SPDX-License-Identifier: Apache-2.0
// What proves that nothing of a deleted member is left on its agent.
#include "core/scenario/scheduler_scenario.h"

namespace mysos::scenario {
namespace {

void offer(Scenario& s, const AgentId& agent, const std::string& id, const Resources& what) {
  mesos::Offer offer;
  offer.id = OfferId(id);
  offer.agent = agent;
  offer.role = kRole;
  offer.resources = what;
  s.give(scheduler_input::FromMesos{mesos::Offers{{offer}}});
}

void offers_of_others_prove_nothing(Scenario& s, const AgentId& agent) {
  for (int i = 1; i <= 10; ++i) {
    s.run_for(seconds(2));
    offer(s, agent, "other-" + std::to_string(i), Resources{scalar("cpus", 1000)});
    ASSERT_FALSE(s.told(EventKind::kMemberReleased)) << "after " << 2 * i << " s";
  }
}

// The store is slow: that the offer with the volume is declined has not left yet, when something else of the agent is offered.
TEST(Release, AnOfferWithoutTheVolumeProvesNothingWhileTheOneThatHadItIsOpen) {
  Scenario s;
  ASSERT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(10));
  const Member& m = s.member("shop", 0);
  const AgentId agent = m.place().agent;
  const Resources held = s.mesos.tasks.at(m.task).info.resources;
  s.mesos.refused_operations = {"destroy", "unreserve"};
  ASSERT_TRUE(s.remove("shop"));
  s.run_until([&] { return s.times_told(EventKind::kOperationFailed) == 2; }, seconds(10));
  s.mesos.refused_operations.clear();
  s.lose_calls = true;
  offer(s, agent, "with-it", held);
  ASSERT_NO_FATAL_FAILURE(offers_of_others_prove_nothing(s, agent));
  s.lose_calls = false;
  s.give(scheduler_input::FromMesos{mesos::Disconnected{}});
  s.mesos.subscribe();
  s.run_until([&] { return s.core->state().clusters.empty(); }, minutes(3));
  EXPECT_TRUE(s.mesos.nothing_held());
}

// The same offer came before its cluster was deleted, while the member waited for its next launch.
TEST(Release, NorDoesItWhereTheVolumeWasOfferedBeforeTheDelete) {
  Scenario s;
  ASSERT_TRUE(s.create("shop", 1));
  s.run_until([&] { return s.all_running("shop"); }, seconds(10));
  const Member m = s.member("shop", 0);
  const Resources held = s.mesos.tasks.at(m.task).info.resources;
  s.lose_calls = true;
  offer(s, m.place().agent, "with-it", held);  // so the task has ended
  ASSERT_TRUE(s.told(EventKind::kMemberDown));
  ASSERT_TRUE(s.remove("shop"));
  ASSERT_NO_FATAL_FAILURE(offers_of_others_prove_nothing(s, m.place().agent));
}

}  // namespace
}  // namespace mysos::scenario
