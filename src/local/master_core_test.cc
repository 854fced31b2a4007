// SPDX-License-Identifier: Apache-2.0
#include "local/master_core.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace mysos::local {
namespace {
using namespace std::chrono_literals;
using mesos::OperationState;
using mesos::TaskState;

const Reservation kOurs{"mysos", "mysos", {}};

mesos::FrameworkInfo a_framework() {
  mesos::FrameworkInfo info;
  info.user = "root";
  info.name = "test";
  info.role = "mysos";
  info.principal = "mysos";
  info.failover_timeout_s = 600;
  info.checkpoint = true;
  info.capabilities = {"MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE"};
  return info;
}

Resources machine() {
  return {scalar("cpus", 4000), scalar("mem", 4096'000), scalar("disk", 20000'000),
          ports({{31000, 31999}})};
}
Resources slice(std::int64_t cpus_milli, std::int64_t mem_mib) {
  return {scalar("cpus", cpus_milli), scalar("mem", mem_mib * 1000)};
}
Resource volume(const std::string& id, std::int64_t mib) {
  Resource r = scalar("disk", mib * 1000);
  r.reservations = {kOurs};
  r.volume = Volume{VolumeId(id), "mysos", "data"};
  return r;
}

// A master, one framework and scripted agents, with a clock that only moves when told.
struct World {
  MasterCore core{Registry{}, MasterOptions{}, "M", Instant{}};
  Instant now{};
  std::optional<Registry> persisted;
  std::vector<mesos::Event> events;  // not looked at yet
  std::vector<StreamId> closed;
  std::vector<ToAgent> to_agents;
  FrameworkId framework;
  std::map<std::string, AgentId> agents;

  void step(const MasterInput& input) {
    core.step(input, now);
    drain();
  }
  void drain() {
    auto out = core.take_output();
    if (out.persist) persisted = out.persist;
    for (auto& e : out.events) {
      if (const auto* s = std::get_if<mesos::Subscribed>(&e.event)) framework = s->framework;
      if (!std::holds_alternative<mesos::Heartbeat>(e.event)) events.push_back(std::move(e.event));
    }
    closed.insert(closed.end(), out.closed.begin(), out.closed.end());
    for (auto& a : out.agents) {
      if (const auto* r = std::get_if<Registered>(&a.message)) agents[r->link] = a.agent;
      to_agents.push_back(std::move(a));
    }
  }
  void advance(Duration by) {
    const Instant until = now + by;
    while (core.next_deadline() <= until) {
      now = std::max(now, core.next_deadline());
      step(Tick{});
    }
    now = until;
  }
  void subscribe(const std::string& stream = "s1") {
    auto info = a_framework();
    if (!framework.empty()) info.id = framework;
    step(SubscribeFramework{StreamId(stream), info});
  }
  void agent(const std::string& name, std::vector<AgentTask> tasks = {}) {
    RegisterAgent in{
        name, std::nullopt, {name, "127.0.0.1", 5051, {}}, machine(), std::move(tasks), {}, {}};
    if (agents.contains(name)) in.id = agents[name];
    step(in);
  }
  void call(mesos::Call c) { step(FrameworkCall{framework, std::move(c)}); }
  template <class T>
  std::vector<T> take() {
    std::vector<T> out;
    for (auto it = events.begin(); it != events.end();) {
      if (auto* e = std::get_if<T>(&*it)) {
        out.push_back(*e);
        it = events.erase(it);
      } else {
        ++it;
      }
    }
    return out;
  }
  template <class T>
  std::vector<T> take_told() {
    std::vector<T> out;
    for (auto it = to_agents.begin(); it != to_agents.end();) {
      if (auto* m = std::get_if<T>(&it->message)) {
        out.push_back(*m);
        it = to_agents.erase(it);
      } else {
        ++it;
      }
    }
    return out;
  }
  std::vector<mesos::Offer> offers() {
    std::vector<mesos::Offer> out;
    for (auto& o : take<mesos::Offers>()) out.insert(out.end(), o.offers.begin(), o.offers.end());
    return out;
  }
  mesos::Offer offer() {
    advance(10ms);
    auto all = offers();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? mesos::Offer{} : all.front();
  }
  mesos::TaskInfo task(const std::string& id, const AgentId& where) const {
    mesos::TaskInfo t;
    t.id = TaskId(id);
    t.name = id;
    t.agent = where;
    t.executor = ExecutorId("ex-" + id);
    t.executor_command = "exec true";
    t.executor_resources = slice(100, 64);
    t.resources = slice(500, 256);
    return t;
  }
  void update(const AgentId& where, const std::string& id, TaskState state,
              const std::string& uuid) {
    mesos::Update u;
    u.task = TaskId(id);
    u.state = state;
    u.source = "SOURCE_EXECUTOR";
    u.executor = ExecutorId("ex-" + id);
    u.uuid = uuid;
    step(AgentUpdate{where, framework, u});
  }
};

World a_running_task(const std::string& id = "t") {
  World w;
  w.subscribe();
  w.agent("a");
  const auto offer = w.offer();
  w.call(mesos::Accept{{offer.id}, {{mesos::Launch{{w.task(id, offer.agent)}}, {}}}, 0s});
  w.update(w.agents["a"], id, TaskState::kRunning, "u1");
  w.call(mesos::Acknowledge{w.agents["a"], TaskId(id), "u1"});
  w.advance(1s);
  w.events.clear();
  return w;
}

TEST(MasterOffers, OfferWhatIsFreeOnceToOneFramework) {
  World w;
  w.subscribe();
  w.agent("a");
  w.agent("b");
  w.advance(10ms);

  const auto offers = w.offers();

  ASSERT_EQ(offers.size(), 2u);
  EXPECT_EQ(offers[0].resources, machine().allocated_to("mysos"));
  w.advance(1h);
  EXPECT_TRUE(w.offers().empty());
}

TEST(MasterOffers, ComeBackWhenTheRefusalEnds) {
  World w;
  w.subscribe();
  w.agent("a");
  const auto first = w.offer();

  w.call(mesos::Decline{{first.id}, 3s});
  w.advance(2900ms);
  EXPECT_TRUE(w.offers().empty());
  w.advance(1100ms);

  EXPECT_EQ(w.offers().size(), 1u);
}

TEST(MasterOffers, ReviveClearsFiltersAndSuppression) {
  World w;
  w.subscribe();
  w.agent("a");
  w.call(mesos::Decline{{w.offer().id}, 1h});
  w.call(mesos::Suppress{});
  w.advance(2h);
  EXPECT_TRUE(w.offers().empty());

  w.call(mesos::Revive{});

  EXPECT_EQ(w.offer().resources, machine().allocated_to("mysos"));
}

TEST(MasterAccept, ReservesCreatesAndLaunchesInOneGo) {
  World w;
  w.subscribe();
  w.agent("a");
  const auto offer = w.offer();
  Resources reserved =
      Resources{scalar("cpus", 1000), scalar("mem", 512'000), scalar("disk", 1024'000)}.reserved_as(
          kOurs);
  auto task = w.task("t", offer.agent);
  task.resources = slice(500, 256).reserved_as(kOurs) + Resources{volume("vol-1", 1024)};
  task.executor_resources = slice(100, 64).reserved_as(kOurs);

  w.call(mesos::Accept{{offer.id},
                       {{mesos::Reserve{reserved}, OperationId("op-1")},
                        {mesos::Create{Resources{volume("vol-1", 1024)}}, {}},
                        {mesos::Launch{{task}}, {}}},
                       0s});

  const auto applied = w.take_told<ApplyOperation>();
  ASSERT_EQ(applied.size(), 2u);
  ASSERT_EQ(w.take_told<RunTask>().size(), 1u);
  EXPECT_TRUE(w.take<mesos::Update>().empty());
  w.advance(1s);
  const auto rest = w.offers();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].resources.milli("cpus"), 3400);
  EXPECT_EQ(rest[0].resources.milli("disk"), 18976'000);  // the volume is in use
}

TEST(MasterAccept, JudgesLaterOperationsByWhatIsThere) {
  World w;
  w.subscribe();
  w.agent("a");
  const auto offer = w.offer();
  auto task = w.task("t", offer.agent);
  task.resources = slice(500, 256).reserved_as(kOurs);

  w.call(mesos::Accept{{offer.id},
                       {{mesos::Reserve{slice(100'000, 256).reserved_as(kOurs)}, OperationId("op")},
                        {mesos::Launch{{task}}, {}}},
                       0s});

  const auto operations = w.take<mesos::UpdateOperation>();
  ASSERT_EQ(operations.size(), 1u);
  EXPECT_EQ(operations[0].state, OperationState::kError);
  EXPECT_TRUE(operations[0].uuid.empty());
  EXPECT_FALSE(operations[0].agent);
  const auto updates = w.take<mesos::Update>();
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_EQ(updates[0].state, TaskState::kError);
  EXPECT_EQ(updates[0].reason, "REASON_TASK_INVALID");
  EXPECT_TRUE(updates[0].uuid.empty());
}

TEST(MasterAccept, DropsWhatWasLaunchedOnAStaleOffer) {
  World w;
  w.subscribe();
  w.agent("a");
  const auto offer = w.offer();
  w.call(mesos::Decline{{offer.id}, 1h});

  w.call(mesos::Accept{{offer.id}, {{mesos::Launch{{w.task("t", offer.agent)}}, {}}}, 0s});

  const auto updates = w.take<mesos::Update>();
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_EQ(updates[0].state, TaskState::kDropped);
  EXPECT_EQ(updates[0].reason, "REASON_INVALID_OFFERS");
}

TEST(MasterAccept, RefusesInvalidTasks) {
  World w = a_running_task();
  const auto launch = [&](auto change) {
    w.call(mesos::Revive{});
    const auto offer = w.offer();
    auto task = w.task("t2", w.agents["a"]);
    change(task);
    w.call(mesos::Accept{{offer.id}, {{mesos::Launch{{task}}, {}}}, 0s});
    const auto updates = w.take<mesos::Update>();
    return updates.size() == 1 && updates[0].state == TaskState::kError ? updates[0].message
                                                                        : "it was not refused";
  };
  for (const auto& [id, o] : std::map(w.core.offers())) w.call(mesos::Decline{{id}, 1h});

  EXPECT_EQ(launch([](auto& t) { t.id = TaskId("t"); }), "Task has duplicate ID: t");
  EXPECT_EQ(launch([](auto& t) { t.id = TaskId("t/2"); }), "'t/2' contains invalid characters");
  EXPECT_TRUE(launch([](auto& t) {
                t.executor = ExecutorId("ex-t");
                t.executor_command = "exec false";
              }).starts_with("ExecutorInfo is not compatible"));
  EXPECT_TRUE(
      launch([](auto& t) { t.resources = slice(50'000, 1); }).starts_with("Total resources"));
  EXPECT_TRUE(launch([](auto& t) { t.executor_command = ""; }).starts_with("Task should have"));
}

TEST(MasterUpdates, LeaveInOrderEachUntilItIsAcknowledged) {
  World w = a_running_task();
  const AgentId a = w.agents["a"];

  w.update(a, "t", TaskState::kKilling, "u2");
  w.update(a, "t", TaskState::kKilled, "u3");

  auto sent = w.take<mesos::Update>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].uuid, "u2");
  w.advance(31s);  // again after 10 s, after 20 s more
  EXPECT_EQ(w.take<mesos::Update>().size(), 2u);
  w.call(mesos::Acknowledge{a, TaskId("t"), "u2"});
  sent = w.take<mesos::Update>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].uuid, "u3");
  w.call(mesos::Acknowledge{a, TaskId("t"), "u3"});
  EXPECT_EQ(w.take_told<AcknowledgeUpdate>().size(), 3u);
  EXPECT_TRUE(w.core.frameworks().at(w.framework).tasks.empty());
}

TEST(MasterUpdates, OperationFeedbackIsRepeatedUntilAcknowledged) {
  World w;
  w.subscribe();
  w.agent("a");
  const auto offer = w.offer();
  w.call(mesos::Accept{
      {offer.id}, {{mesos::Reserve{slice(100, 64).reserved_as(kOurs)}, OperationId("op")}}, 0s});
  w.step(AgentOperationUpdate{
      offer.agent, w.framework, {OperationId("op"), OperationState::kFinished, "uu", {}, ""}});
  EXPECT_EQ(w.take<mesos::UpdateOperation>().size(), 1u);
  w.advance(11s);
  const auto again = w.take<mesos::UpdateOperation>();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].uuid, "uu");

  w.call(mesos::AcknowledgeOperation{OperationId("op"), "uu", offer.agent});
  w.advance(1h);

  EXPECT_TRUE(w.take<mesos::UpdateOperation>().empty());
  EXPECT_EQ(w.take_told<ForgetOperation>().size(), 1u);
  w.call(mesos::ReconcileOperations{{{OperationId("op"), offer.agent}}});
  EXPECT_EQ(w.take<mesos::UpdateOperation>().at(0).state, OperationState::kUnknown);
}

TEST(MasterAgents, AreUnreachableAfterATimeAndTheirTasksReturn) {
  World w = a_running_task();
  const AgentId a = w.agents["a"];
  ASSERT_EQ(w.core.offers().size(), 1u);

  w.step(AgentDisconnected{a});
  EXPECT_EQ(w.take<mesos::Rescind>().size(), 1u);
  w.advance(74s);
  EXPECT_TRUE(w.take<mesos::Update>().empty());
  w.advance(2s);

  auto updates = w.take<mesos::Update>();
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_EQ(updates[0].state, TaskState::kUnreachable);
  EXPECT_EQ(updates[0].reason, "REASON_AGENT_REMOVED");
  EXPECT_FALSE(w.take<mesos::Failure>().at(0).executor);
  w.call(mesos::Kill{TaskId("t"), a, std::nullopt});
  EXPECT_EQ(w.take<mesos::Update>().at(0).state, TaskState::kUnreachable);

  w.agent("a", {{w.framework, w.task("t", a), TaskState::kRunning, {}}});
  updates = w.take<mesos::Update>();
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_EQ(updates[0].state, TaskState::kRunning);
  EXPECT_EQ(updates[0].reason, "REASON_AGENT_REREGISTERED");
}

TEST(MasterAgents, AQuickReturnIsSilent) {
  World w = a_running_task();
  const AgentId a = w.agents["a"];

  w.step(AgentDisconnected{a});
  w.advance(3s);
  w.agent("a", {{w.framework, w.task("t", a), TaskState::kRunning, {}}});
  w.advance(1s);

  EXPECT_EQ(w.take<mesos::Rescind>().size(), 1u);
  EXPECT_EQ(w.offers().size(), 1u);
  EXPECT_TRUE(w.events.empty());
}

TEST(MasterAgents, ATaskThatNeverReachedItsAgentIsDropped) {
  World w;
  w.subscribe();
  w.agent("a");
  const auto offer = w.offer();
  w.call(mesos::Accept{{offer.id}, {{mesos::Launch{{w.task("t", offer.agent)}}, {}}}, 0s});

  w.agent("a");

  const auto updates = w.take<mesos::Update>();
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_EQ(updates[0].state, TaskState::kDropped);
}

TEST(MasterAgents, MarkedGoneIsForEver) {
  World w = a_running_task();
  const AgentId a = w.agents["a"];

  w.step(MarkAgentGone{a});

  EXPECT_EQ(w.take<mesos::Update>().at(0).state, TaskState::kGoneByOperator);
  EXPECT_EQ(w.take<mesos::Failure>().size(), 1u);
  EXPECT_EQ(w.take_told<ShutdownAgent>().size(), 1u);
  w.call(mesos::Reconcile{{{TaskId("t"), a}}});
  EXPECT_EQ(w.take<mesos::Update>().at(0).state, TaskState::kGoneByOperator);
  w.agent("a");
  EXPECT_EQ(w.take_told<ShutdownAgent>().size(), 1u);
}

TEST(MasterFrameworks, ASecondSubscriberTakesOver) {
  World w = a_running_task();
  w.update(w.agents["a"], "t", TaskState::kKilling, "u2");
  w.events.clear();

  w.subscribe("s2");

  EXPECT_EQ(w.take<mesos::MasterError>().at(0).message, "Framework failed over");
  EXPECT_EQ(w.closed, std::vector<StreamId>{StreamId("s1")});
  EXPECT_EQ(w.core.check_call(w.framework, StreamId("s1"))->status, 400);
  EXPECT_FALSE(w.core.check_call(w.framework, StreamId("s2")));
  w.advance(20ms);
  EXPECT_EQ(w.take<mesos::Update>().at(0).uuid, "u2");
}

TEST(MasterFrameworks, EndWhenTheFailoverTimeoutHasPassed) {
  World w = a_running_task();
  w.step(StreamClosed{StreamId("s1")});
  EXPECT_EQ(w.core.check_call(w.framework, StreamId("s1"))->status, 403);
  w.advance(599s);
  EXPECT_TRUE(w.take_told<ShutdownFramework>().empty());

  w.advance(2s);

  EXPECT_EQ(w.take_told<ShutdownFramework>().size(), 1u);
  w.subscribe("s2");
  EXPECT_EQ(w.take<mesos::MasterError>().at(0).message, "Framework has been removed");
  EXPECT_EQ(w.core.check_call(w.framework, StreamId("s2"))->status, 400);
}

TEST(MasterFrameworks, TeardownIsRememberedOverARestart) {
  World w = a_running_task();
  w.call(mesos::Teardown{});
  World after{.core = MasterCore(*w.persisted, MasterOptions{}, "M2", Instant{})};
  after.framework = w.framework;

  after.subscribe("s9");

  EXPECT_EQ(after.take<mesos::MasterError>().at(0).message, "Framework has been removed");
}

TEST(MasterRestart, IsSilentAboutAgentsThatHaveNotReturned) {
  World w = a_running_task();
  World after{.core = MasterCore(*w.persisted, MasterOptions{}, "M2", Instant{})};
  after.framework = w.framework;
  after.agents = w.agents;
  after.subscribe("s2");
  const AgentId a = w.agents["a"];

  after.call(mesos::Reconcile{{{TaskId("t"), a}, {TaskId("t"), std::nullopt}}});
  EXPECT_TRUE(after.take<mesos::Update>().empty());
  after.agent("a", {{w.framework, w.task("t", a), TaskState::kRunning, {}}});
  EXPECT_TRUE(after.take<mesos::Update>().empty());
  after.call(mesos::Reconcile{});

  EXPECT_EQ(after.take<mesos::Update>().at(0).state, TaskState::kRunning);
}

TEST(MasterReconciliation, TellsWhatItKnows) {
  World w = a_running_task();
  const AgentId a = w.agents["a"];

  w.call(mesos::Reconcile{{{TaskId("t"), a}, {TaskId("x"), a}, {TaskId("y"), std::nullopt}}});

  const auto updates = w.take<mesos::Update>();
  ASSERT_EQ(updates.size(), 3u);
  EXPECT_EQ(updates[0].state, TaskState::kRunning);
  EXPECT_EQ(updates[1].state, TaskState::kGone);
  EXPECT_EQ(updates[2].state, TaskState::kUnknown);
}

TEST(MasterUpdates, AnEndedExecutorGivesItsResourcesBack) {
  World w = a_running_task();
  for (const auto& [id, o] : std::map(w.core.offers())) w.call(mesos::Decline{{id}, 1h});
  const AgentId a = w.agents["a"];

  w.step(ExecutorEnded{a, w.framework, ExecutorId("ex-t"), 9});
  w.update(a, "t", TaskState::kFailed, "u2");

  EXPECT_EQ(w.take<mesos::Failure>().at(0).status, 9);
  EXPECT_EQ(w.take<mesos::Update>().at(0).state, TaskState::kFailed);
  EXPECT_EQ(w.offer().resources, machine().allocated_to("mysos"));
}

// Whatever a framework asks for, nothing is offered or held twice.
TEST(MasterAccept, NeverGivesMoreThanThereIs) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Prng prng(seed);
    World w;
    w.subscribe();
    w.agent("a");
    w.agent("b");
    int next = 0;
    for (int i = 0; i < 200; ++i) {
      w.advance(std::chrono::milliseconds(prng.below(1500)));
      const auto offers = w.core.offers();
      if (offers.empty() || prng.chance(100)) {
        w.call(mesos::Revive{});
        continue;
      }
      const auto& [id, offer] = *offers.begin();
      std::vector<mesos::Operation> operations;
      const auto part = slice(static_cast<std::int64_t>(prng.below(900)),
                              static_cast<std::int64_t>(prng.below(400)));
      if (prng.chance(500)) operations.push_back({mesos::Reserve{part.reserved_as(kOurs)}, {}});
      if (prng.chance(200)) operations.push_back({mesos::Unreserve{part.reserved_as(kOurs)}, {}});
      auto task = w.task("t" + std::to_string(next++), offer.agent);
      if (prng.chance(500)) task.resources = part.reserved_as(kOurs);
      if (prng.chance(500)) operations.push_back({mesos::Launch{{task}}, {}});
      w.call(mesos::Accept{{id}, operations, 0s});
      if (prng.chance(300)) {
        w.step(ExecutorEnded{offer.agent, w.framework, task.executor, 0});
        w.update(offer.agent, task.id.value, TaskState::kFailed, "u" + task.id.value);
      }
      for (const auto& [agent_id, agent] : w.core.agents()) {
        Resources sum = w.core.free_of(agent_id);
        for (const auto& [key, held] : agent.held) sum += held;
        for (const auto& [key, info] : agent.executors)
          sum += info.executor_resources.allocated_to("");
        for (const auto& [offer_id, o] : w.core.offers()) {
          if (o.agent == agent_id) sum += o.resources.allocated_to("");
        }
        ASSERT_EQ(sum, agent.total) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace mysos::local
