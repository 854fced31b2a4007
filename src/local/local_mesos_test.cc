// SPDX-License-Identifier: Apache-2.0
// The embedded Mesos end to end: a real scheduler client, real executors in real containers, HTTP
// on loopback.
#include "local/local_mesos.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "base/fs.h"
#include "local/test_scheduler.h"

namespace mysos::local {
namespace {
using namespace std::chrono_literals;
using mesos::TaskState;

const Reservation kOurs{"mysos", "mysos", {{"cluster", "c1"}}};

struct LocalMesosTest : ::testing::Test {
  TestLoop loop;
  std::string dir;
  LocalMesosOptions options;
  std::unique_ptr<LocalMesos> local;
  std::unique_ptr<TestScheduler> scheduler;

  LocalMesosTest() {
    char name[] = "/tmp/mysos-local-XXXXXX";
    dir = ::mkdtemp(name);
    options.agents = 1;
    options.resources =
        Resources{scalar("cpus", 4000), scalar("mem", 1024'000), scalar("disk", 10'000'000)};
    options.agent.executor_reregistration_timeout = 5s;
  }
  void TearDown() override {
    if (scheduler) loop.run(scheduler->client.stop());
    if (local) loop.run(local->stop(Containers::kEnd));
    std::filesystem::remove_all(dir);
  }
  void start() {
    local = std::make_unique<LocalMesos>(loop.io.get_executor(), dir, options);
    const auto started = local->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  void start_all() {
    start();
    scheduler = std::make_unique<TestScheduler>(loop, *local);
    scheduler->client.start();
  }
  void stop(Containers containers) {
    loop.run(local->stop(containers));
    local.reset();
  }
  static Resources slice(std::int64_t cpus, std::int64_t mem) {
    return {scalar("cpus", cpus), scalar("mem", mem * 1000)};
  }
  static Resource volume(const std::string& id) {
    Resource r = scalar("disk", 100'000);
    r.reservations = {kOurs};
    r.volume = Volume{VolumeId(id), "mysos", "data"};
    return r;
  }
  static mesos::TaskInfo task(const std::string& id, const mesos::Offer& offer) {
    mesos::TaskInfo t;
    t.id = TaskId(id);
    t.name = id;
    t.agent = offer.agent;
    t.executor = ExecutorId("ex-" + id);
    t.executor_command = "exec " MYSOS_FAKE_EXECUTOR;
    t.executor_resources = slice(100, 32);
    t.resources = slice(500, 96);
    t.shutdown_grace = 5s;
    return t;
  }
  // Launches it and waits until it runs.
  mesos::Offer launch(const std::string& id, std::function<void(mesos::TaskInfo&)> change = {}) {
    const auto offer = scheduler->await_offer(1000);
    EXPECT_TRUE(offer);
    if (!offer) return {};
    auto t = task(id, *offer);
    if (change) change(t);
    scheduler->client.send(mesos::Accept{{offer->id}, {{mesos::Launch{{t}}, {}}}, 0s});
    return *offer;
  }
  mesos::Offer launch_running(const std::string& id) {
    auto offer = launch(id);
    EXPECT_TRUE(scheduler->await_state(id, TaskState::kRunning));
    return offer;
  }
  void tell(const mesos::Offer& offer, const std::string& id, const std::string& what) {
    scheduler->client.send(mesos::Message{offer.agent, ExecutorId("ex-" + id), what});
  }
  bool heard(const std::string& message) {
    return loop.run_until([&] {
      return std::ranges::find(scheduler->messages, message) != scheduler->messages.end();
    });
  }
  // Messages to an executor that has not come back yet are lost.
  bool answers(const mesos::Offer& offer, const std::string& id) {
    for (int i = 0; i < 100; ++i) {
      tell(offer, id, "hello");
      const auto heard_it = [&] {
        return std::ranges::find(scheduler->messages, "echo:hello") != scheduler->messages.end();
      };
      if (loop.run_until(heard_it, 200ms)) return true;
    }
    return false;
  }
  pid_t pid_of(const std::string& id) const {
    for (const auto& e : local->agent(0).state().executors) {
      if (e.info.executor.value == "ex-" + id) return static_cast<pid_t>(e.pid);
    }
    return -1;
  }
};

TEST_F(LocalMesosTest, RunsTalksAndKillsATask) {
  start_all();
  const auto offer = launch_running("t1");

  tell(offer, "t1", "hello");
  EXPECT_TRUE(heard("echo:hello"));
  scheduler->client.send(mesos::Kill{TaskId("t1"), offer.agent, std::nullopt});

  ASSERT_TRUE(scheduler->await_state("t1", TaskState::kKilled));
  scheduler->client.send(mesos::Shutdown{ExecutorId("ex-t1"), offer.agent});
  ASSERT_TRUE(loop.run_until([&] { return !scheduler->failures.empty(); }));
  EXPECT_EQ(scheduler->failures[0].status, 0);
  EXPECT_TRUE(loop.run_until([&] { return local->agent(0).state().tasks.empty(); }));
}

TEST_F(LocalMesosTest, KeepsVolumesOverTasksAndRestarts) {
  start_all();
  const auto offer = scheduler->await_offer(1000);
  ASSERT_TRUE(offer);
  const Resource vol = volume("vol-1");
  auto t = task("t1", *offer);
  t.executor_command = "echo precious > data/file; exec " MYSOS_FAKE_EXECUTOR;
  t.resources = slice(500, 96).reserved_as(kOurs) + Resources{vol};
  t.executor_resources = slice(100, 32).reserved_as(kOurs);
  const Resources reserved =
      (slice(600, 128) + Resources{scalar("disk", 100'000)}).reserved_as(kOurs);
  scheduler->client.send(mesos::Accept{{offer->id},
                                       {{mesos::Reserve{reserved}, OperationId("op-1")},
                                        {mesos::Create{Resources{vol}}, OperationId("op-2")},
                                        {mesos::Launch{{t}}, {}}},
                                       0s});
  ASSERT_TRUE(scheduler->await_state("t1", TaskState::kRunning));
  ASSERT_TRUE(loop.run_until([&] { return scheduler->operations.size() >= 2; }));
  EXPECT_EQ(scheduler->operations[0].state, mesos::OperationState::kFinished);
  EXPECT_TRUE(loop.run_until([&] { return local->agent(0).state().operations.empty(); }));

  loop.run(scheduler->client.stop());
  stop(Containers::kEnd);
  const std::string file = dir + "/mesos/agent-0/volumes/roles/mysos/vol-1/file";
  EXPECT_EQ(read_file(file).value_or(""), "precious\n");
  start();
  scheduler.reset();
  scheduler = std::make_unique<TestScheduler>(loop, *local);
  scheduler->client.start();
  const auto again = scheduler->await_offer(1000);

  ASSERT_TRUE(again);
  ASSERT_TRUE(again->resources.contains(Resources{vol}.allocated_to("mysos")))
      << describe(again->resources);
  scheduler->client.send(mesos::Accept{
      {again->id},
      {{mesos::Destroy{Resources{vol}}, {}}, {mesos::Unreserve{reserved}, OperationId("op-3")}},
      0s});
  ASSERT_TRUE(loop.run_until([&] { return !scheduler->operations.empty(); }));
  EXPECT_EQ(scheduler->operations[0].state, mesos::OperationState::kFinished)
      << scheduler->operations[0].message;
  EXPECT_FALSE(path_exists(file));
}

TEST_F(LocalMesosTest, TellsHowAnExecutorEnded) {
  start_all();
  const auto offer = launch_running("t1");

  tell(offer, "t1", "exit 7");

  const auto* failed = scheduler->await_state("t1", TaskState::kFailed);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->reason, "REASON_EXECUTOR_TERMINATED");
  EXPECT_EQ(failed->source, "SOURCE_AGENT");
  EXPECT_EQ(scheduler->failures.at(0).status, 7 << 8);
}

TEST_F(LocalMesosTest, AMissingProgramIsExit127) {
  start_all();
  launch("t1", [](auto& t) { t.executor_command = "exec /no/such/binary"; });

  ASSERT_TRUE(scheduler->await_state("t1", TaskState::kFailed));
  EXPECT_EQ(scheduler->failures.at(0).status, 32512);
}

TEST_F(LocalMesosTest, EndsAnExecutorThatNeverSubscribes) {
  options.agent.executor_registration_timeout = 300ms;
  start_all();
  launch("t1", [](auto& t) { t.executor_env["FAKE_NEVER_SUBSCRIBE"] = "1"; });

  const auto* failed = scheduler->await_state("t1", TaskState::kFailed);

  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->reason, "REASON_EXECUTOR_REGISTRATION_TIMEOUT");
  EXPECT_EQ(scheduler->failures.at(0).status, 9);
}

TEST_F(LocalMesosTest, AKillBeforeTheExecutorSubscribedEndsIt) {
  start_all();
  const auto offer = launch("t1", [](auto& t) { t.executor_env["FAKE_NEVER_SUBSCRIBE"] = "1"; });
  ASSERT_TRUE(loop.run_until([&] { return pid_of("t1") > 0; }));

  scheduler->client.send(mesos::Kill{TaskId("t1"), offer.agent, std::nullopt});

  const auto* killed = scheduler->await_state("t1", TaskState::kKilled);
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->reason, "REASON_TASK_KILLED_DURING_LAUNCH");
  EXPECT_TRUE(loop.run_until([&] { return !scheduler->failures.empty(); }));
}

TEST_F(LocalMesosTest, ForcesAnExecutorThatIgnoresShutdown) {
  start_all();
  const auto offer = launch("t1", [](auto& t) { t.shutdown_grace = 300ms; });
  ASSERT_TRUE(scheduler->await_state("t1", TaskState::kRunning));
  tell(offer, "t1", "hang");
  ASSERT_TRUE(heard("hanging"));

  scheduler->client.send(mesos::Shutdown{ExecutorId("ex-t1"), offer.agent});

  ASSERT_TRUE(scheduler->await_state("t1", TaskState::kFailed));
  EXPECT_EQ(scheduler->failures.at(0).status, 9);
}

TEST_F(LocalMesosTest, LimitsMemoryAndTakesTheWholeContainerAlong) {
  start_all();
  if (!local->uses_cgroups()) GTEST_SKIP() << "no cgroups may be made here";
  const auto offer = launch_running("t1");
  tell(offer, "t1", "fork");
  ASSERT_TRUE(heard("forked"));
  tell(offer, "t1", "alloc 400");

  const auto* failed = scheduler->await_state("t1", TaskState::kFailed);

  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->reason, "REASON_CONTAINER_LIMITATION_MEMORY");
  EXPECT_EQ(scheduler->failures.at(0).status, 9);
}

TEST_F(LocalMesosTest, ExecutorsOutliveARestartOfTheirAgent) {
  start_all();
  const auto offer = launch_running("t1");
  const pid_t pid = pid_of("t1");

  loop.run(local->stop_agent(0));
  ASSERT_TRUE(local->start_agent(0));
  EXPECT_TRUE(answers(offer, "t1"));

  EXPECT_EQ(pid_of("t1"), pid);
  EXPECT_TRUE(scheduler->failures.empty());
  scheduler->client.send(mesos::Kill{TaskId("t1"), offer.agent, std::nullopt});
  EXPECT_TRUE(scheduler->await_state("t1", TaskState::kKilled));
}

TEST_F(LocalMesosTest, TellsOfAnExecutorThatDiedWhileItsAgentWasDown) {
  start_all();
  launch_running("t1");
  const pid_t pid = pid_of("t1");
  loop.run(local->stop_agent(0));
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(loop.run_until([&] { return !process_start_time(pid); }));

  ASSERT_TRUE(local->start_agent(0));

  const auto* failed = scheduler->await_state("t1", TaskState::kFailed);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->reason, "REASON_EXECUTOR_TERMINATED");
}

// As if the agent had been killed between the start of the executor and the record of its process, and as version 0.1, which
// had no record of the executor by then.
TEST_F(LocalMesosTest, ATaskWhoseLaunchWasCutOffByTheEndOfItsAgentHasFailed) {
  start_all();
  const std::string file = dir + "/mesos/agent-0/agent.json";
  for (const char* known : {"\"executors\":[{", "\"executors\":[],\"was\":[{"}) {
    const std::string id = known[13] == '{' ? "t1" : "t2";
    launch(id, [](auto& t) { t.executor_env["FAKE_NEVER_SUBSCRIBE"] = "1"; });
    ASSERT_TRUE(loop.run_until([&] { return pid_of(id) > 0; }));
    const pid_t pid = pid_of(id);
    loop.run(local->stop_agent(0));
    std::string state = read_file(file).value_or("");
    const auto replace = [&](const std::string& old, const std::string& by) {
      const auto at = state.find(old);
      ASSERT_NE(at, std::string::npos) << old;
      state.replace(at, old.size(), by);
    };
    replace("\"pid\":" + std::to_string(pid), "\"pid\":0");
    replace("\"executors\":[{", known);
    ASSERT_TRUE(write_file_atomic(file, state, 0600));

    ASSERT_TRUE(local->start_agent(0));

    const auto* failed = scheduler->await_state(id, TaskState::kFailed);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->reason, "REASON_EXECUTOR_TERMINATED");
    EXPECT_EQ(pid_of(id), -1);
    ::kill(pid, SIGKILL);
  }
}

// As if the agent had been killed between the record of a DESTROY and the removal of the folder.
TEST_F(LocalMesosTest, TheFolderOfADestroyedVolumeGoesAfterACrashToo) {
  start_all();
  ASSERT_TRUE(scheduler->await_offer(1000));
  const std::string volumes = dir + "/mesos/agent-0/volumes/roles/mysos/";
  for (const char* name : {"destroyed", "unknown"}) std::filesystem::create_directories(volumes + name + "/mysql");
  loop.run(local->stop_agent(0));
  const std::string file = dir + "/mesos/agent-0/agent.json";
  std::string state = read_file(file).value_or("");
  const std::string none = "\"doomed_volumes\":[]";
  ASSERT_NE(state.find(none), std::string::npos) << state;
  state.replace(state.find(none), none.size(), "\"doomed_volumes\":[\"" + volumes + "destroyed\"]");
  ASSERT_TRUE(write_file_atomic(file, state, 0600));

  ASSERT_TRUE(local->start_agent(0));

  EXPECT_FALSE(path_exists(volumes + "destroyed"));
  EXPECT_TRUE(path_exists(volumes + "unknown")) << "nothing goes that was not destroyed";
}

TEST_F(LocalMesosTest, EverythingGoesOnAfterARestartOfAllOfIt) {
  start_all();
  const auto offer = launch_running("t1");
  const pid_t pid = pid_of("t1");
  const auto framework = scheduler->info.id;

  stop(Containers::kKeep);
  EXPECT_EQ(::kill(pid, 0), 0);
  start();

  ASSERT_TRUE(loop.run_until([&] { return scheduler->client.subscribed(); }));
  EXPECT_EQ(scheduler->info.id, framework);
  scheduler->updates.clear();
  scheduler->client.send(mesos::Reconcile{});
  EXPECT_TRUE(scheduler->await_state("t1", TaskState::kRunning));
  EXPECT_EQ(pid_of("t1"), pid);
  EXPECT_TRUE(answers(offer, "t1"));
}

TEST_F(LocalMesosTest, ARestartedMasterKnowsItsFrameworksAndTasks) {
  start_all();
  launch_running("t1");
  const auto framework = scheduler->info.id;
  bool ok = false;

  loop.run([](LocalMesos* l, bool* out) -> asio::awaitable<void> {
    const auto restarted = co_await l->restart_master();
    *out = restarted.has_value();
  }(local.get(), &ok));

  ASSERT_TRUE(ok);
  ASSERT_TRUE(loop.run_until([&] { return scheduler->client.subscribed(); }));
  EXPECT_EQ(scheduler->info.id, framework);
  scheduler->updates.clear();
  scheduler->client.send(mesos::Reconcile{});
  EXPECT_TRUE(scheduler->await_state("t1", TaskState::kRunning));
}

TEST_F(LocalMesosTest, KeepsTheNewestSandboxesOnly) {
  options.agent.kept_sandboxes = 1;
  start_all();
  std::vector<std::string> sandboxes;
  for (const char* id : {"t1", "t2"}) {
    const auto offer = launch_running(id);
    sandboxes.push_back(local->agent(0).state().executors.at(0).sandbox);
    tell(offer, id, "exit 0");
    ASSERT_TRUE(scheduler->await_state(id, TaskState::kFailed));
  }

  EXPECT_FALSE(path_exists(sandboxes[0]));
  EXPECT_TRUE(path_exists(sandboxes[1] + "/stdout"));
}

TEST_F(LocalMesosTest, RefusesADirectoryThatIsInUse) {
  start();
  LocalMesos other(loop.io.get_executor(), dir, options);

  EXPECT_EQ(other.start().error().code, Errc::kConflict);
}

}  // namespace
}  // namespace mysos::local
