// SPDX-License-Identifier: Apache-2.0
// The disk of the embedded Mesos is full: nobody hears of what is not stored, and once it can be stored all goes on.
#include <filesystem>

#include "base/test_dir.h"
#include "local/test_scheduler.h"
#include "mesos/wire.h"

namespace mysos::local {
namespace {
using namespace std::chrono_literals;
using mesos::TaskState;

bool finished(const mesos::UpdateOperation& u) { return u.state == mesos::OperationState::kFinished; }

struct FullDiskTest : ::testing::Test {
  TestLoop loop;
  TestDir dir;
  std::unique_ptr<LocalMesos> local;
  std::unique_ptr<TestScheduler> scheduler;

  void SetUp() override {
    LocalMesosOptions options;
    options.agents = 1;
    options.resources = Resources{scalar("cpus", 4000), scalar("mem", 1024'000), scalar("disk", 10'000'000)};
    local = std::make_unique<LocalMesos>(loop.io.get_executor(), dir.path(), options);
    ASSERT_TRUE(local->start());
    scheduler = std::make_unique<TestScheduler>(loop, *local);
    scheduler->client.start();
  }
  void TearDown() override {
    loop.run(scheduler->client.stop());
    loop.run(local->stop(Containers::kEnd));
  }
  // A write of the file fails from now on: no file can take the place of a folder.
  void break_file(const std::string& file) {
    std::filesystem::remove(dir / file);
    std::filesystem::create_directories(dir / (file + "/full"));
  }
  void mend_file(const std::string& file) { std::filesystem::remove_all(dir / file); }
  mesos::Offer offer() {
    const auto found = scheduler->await_offer(1000);
    EXPECT_TRUE(found);
    return found.value_or(mesos::Offer{});
  }
  mesos::TaskInfo task(const std::string& id, const mesos::Offer& on) const {
    mesos::TaskInfo t;
    t.id = TaskId(id);
    t.name = id;
    t.agent = on.agent;
    t.executor = ExecutorId("ex-" + id);
    t.executor_command = "exec " MYSOS_FAKE_EXECUTOR;
    t.executor_resources = {scalar("cpus", 100), scalar("mem", 32'000)};
    t.resources = {scalar("cpus", 500), scalar("mem", 96'000)};
    return t;
  }
  void launch(const std::string& id) { launch(id, offer()); }
  void launch(const std::string& id, const mesos::Offer& on) {
    scheduler->client.send(mesos::Accept{{on.id}, {{mesos::Launch{{task(id, on)}}, {}}}, 0s});
  }
  [[nodiscard]] bool heard_of(const std::string& id, TaskState state) const {
    return std::ranges::any_of(scheduler->updates, [&](const auto& u) { return u.task.value == id && u.state == state; });
  }
  [[nodiscard]] bool connected() const {
    const auto& agents = local->master().core().agents();
    return std::ranges::any_of(agents, [](const auto& entry) { return entry.second.link == MasterCore::Link::kConnected; });
  }
  int ask_operator(const json::value& body) {
    int status = 0;
    HttpRequest request = mesos::json_post("/api/v1", body);
    request.headers.set("Authorization", mesos::basic_authorization(local->credential()));
    loop.run([](asio::any_io_executor io, Endpoint to, HttpRequest r, int* into) -> asio::awaitable<void> {
      const auto answer = co_await http_request(io, std::move(to), std::move(r), 10s);
      if (answer) *into = answer->status;
    }(loop.io.get_executor(), local->master_endpoint(), std::move(request), &status));
    return status;
  }
};

TEST_F(FullDiskTest, NoTaskIsStartedThatTheAgentCannotRemember) {
  const mesos::Offer on = offer();
  break_file("mesos/agent-0/agent.json");
  launch("t1", on);

  ASSERT_TRUE(loop.run_until([&] { return !connected(); })) << "it has taken its leave";
  EXPECT_TRUE(local->agent(0).state().tasks.empty());
  EXPECT_TRUE(local->agent(0).state().executors.empty());
  EXPECT_FALSE(heard_of("t1", TaskState::kRunning));

  mend_file("mesos/agent-0/agent.json");
  ASSERT_TRUE(loop.run_until([&] { return connected(); }));
  launch("t2");
  EXPECT_TRUE(scheduler->await_state("t2", TaskState::kRunning));
}

TEST_F(FullDiskTest, AnOperationIsAnsweredOnceItIsStored) {
  const mesos::Offer on = offer();
  const Resources reserved = Resources{scalar("cpus", 1000)}.reserved_as({"mysos", "mysos", {{"cluster", "c1"}}});
  break_file("mesos/agent-0/agent.json");
  scheduler->client.send(mesos::Accept{{on.id}, {{mesos::Reserve{reserved}, OperationId("op-1")}}, 0s});

  ASSERT_TRUE(loop.run_until([&] { return !connected(); }));
  EXPECT_TRUE(std::ranges::none_of(scheduler->operations, finished));

  mend_file("mesos/agent-0/agent.json");
  EXPECT_TRUE(loop.run_until([&] { return std::ranges::any_of(scheduler->operations, finished); }));
  EXPECT_NE(read_file(dir / "mesos/agent-0/agent.json").value_or("").find("reservation"), std::string::npos);
}

TEST_F(FullDiskTest, ExecutorsGoOnAndTheirUpdatesComeLater) {
  launch("t1");
  ASSERT_TRUE(scheduler->await_state("t1", TaskState::kRunning));
  ASSERT_TRUE(loop.run_until([&] { return local->agent(0).state().tasks.at(0).pending.empty(); }));
  const auto pid = local->agent(0).state().executors.at(0).pid;
  break_file("mesos/agent-0/agent.json");
  launch("t2");
  ASSERT_TRUE(loop.run_until([&] { return !connected(); }));
  ::kill(static_cast<pid_t>(pid), SIGKILL);
  ASSERT_TRUE(loop.run_until([&] { return local->agent(0).state().executors.empty(); }));
  EXPECT_FALSE(heard_of("t1", TaskState::kFailed)) << "a crash would take it back";

  mend_file("mesos/agent-0/agent.json");
  EXPECT_TRUE(scheduler->await_state("t1", TaskState::kFailed));
}

TEST_F(FullDiskTest, NobodyHearsOfAFrameworkThatTheMasterCannotRemember) {
  ASSERT_TRUE(loop.run_until([&] { return scheduler->client.subscribed(); }));
  const std::string id = scheduler->info.id->value;
  const json::object teardown{{"type", "TEARDOWN"},
                              {"teardown", json::object{{"framework_id", json::object{{"value", id}}}}}};
  const std::string before = read_file(dir / "mesos/master/registry.json").value_or("");
  break_file("mesos/master/registry.json");

  EXPECT_EQ(ask_operator(teardown), 503) << "it is not durable";
  EXPECT_EQ(ask_operator(json::object{{"type", "GET_HEALTH"}}), 503);
  TestScheduler second(loop, *local);
  second.client.start();
  EXPECT_FALSE(loop.run_until([&] { return second.client.subscribed(); }, 1s));

  mend_file("mesos/master/registry.json");
  EXPECT_TRUE(loop.run_until([&] { return second.client.subscribed(); }));
  EXPECT_NE(second.info.id->value, id);
  EXPECT_NE(read_file(dir / "mesos/master/registry.json").value_or(""), before);
  EXPECT_EQ(ask_operator(json::object{{"type", "GET_HEALTH"}}), 200);
  loop.run(second.client.stop());
}

}  // namespace
}  // namespace mysos::local
