// SPDX-License-Identifier: Apache-2.0
// Who may speak to the embedded Mesos, and as whom it runs what it is given.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/http/bearer.h"
#include "local/local_mesos.h"
#include "local/test_scheduler.h"
#include "mesos/wire.h"

namespace mysos::local {
namespace {
using namespace std::chrono_literals;
using mesos::TaskState;

struct StrangersTest : ::testing::Test {
  TestLoop loop;
  std::string dir;
  std::unique_ptr<LocalMesos> local;
  std::unique_ptr<TestScheduler> scheduler;

  StrangersTest() {
    char name[] = "/tmp/mysos-strangers-XXXXXX";
    dir = ::mkdtemp(name);
    ::chmod(dir.c_str(), 0711);
  }
  void TearDown() override {
    if (scheduler) loop.run(scheduler->client.stop());
    if (local) loop.run(local->stop(Containers::kEnd));
    std::filesystem::remove_all(dir);
  }
  void start() {
    LocalMesosOptions options;
    options.agents = 1;
    options.resources = Resources{scalar("cpus", 4000), scalar("mem", 1024'000), scalar("disk", 10'000'000)};
    local = std::make_unique<LocalMesos>(loop.io.get_executor(), dir, options);
    const auto started = local->start();
    ASSERT_TRUE(started) << started.error().message;
    scheduler = std::make_unique<TestScheduler>(loop, *local);
    scheduler->client.start();
  }
  void restart() {
    loop.run(scheduler->client.stop());
    scheduler.reset();
    loop.run(local->stop(Containers::kKeep));
    local.reset();
  }
  void launch(const std::string& id, const std::string& command, const std::string& user = "") {
    const auto offer = scheduler->await_offer(1000);
    ASSERT_TRUE(offer);
    mesos::TaskInfo t;
    t.id = TaskId(id);
    t.name = id;
    t.agent = offer->agent;
    t.executor = ExecutorId("ex-" + id);
    t.executor_command = command;
    t.executor_user = user;
    t.executor_resources = {scalar("cpus", 100), scalar("mem", 32'000)};
    t.resources = {scalar("cpus", 500), scalar("mem", 96'000)};
    scheduler->client.send(mesos::Accept{{offer->id}, {{mesos::Launch{{t}}, {}}}, 0s});
  }
  void launch_running(const std::string& id) {
    launch(id, "exec " MYSOS_FAKE_EXECUTOR);
    ASSERT_TRUE(scheduler->await_state(id, TaskState::kRunning));
  }
  [[nodiscard]] pid_t pid_of(const std::string& id) const {
    for (const auto& e : local->agent(0).state().executors) {
      if (e.info.executor.value == "ex-" + id) return static_cast<pid_t>(e.pid);
    }
    return -1;
  }
  [[nodiscard]] std::string token_of(const std::string& id) const {
    const auto environment = read_file("/proc/" + std::to_string(pid_of(id)) + "/environ").value_or("");
    const std::string name = "MESOS_EXECUTOR_AUTHENTICATION_TOKEN=";
    const auto at = environment.find(name);
    return at == std::string::npos ? "" : environment.c_str() + at + name.size();
  }
  HttpResponse send(Endpoint to, HttpRequest request) {
    HttpResponse out;
    loop.run([](asio::any_io_executor io, Endpoint endpoint, HttpRequest r, HttpResponse* into) -> asio::awaitable<void> {
      auto answer = co_await http_request(io, std::move(endpoint), std::move(r), 10s);
      if (answer) *into = *std::move(answer);
    }(loop.io.get_executor(), std::move(to), std::move(request), &out));
    return out;
  }
  HttpResponse ask_master(const std::string& path, const json::value& body, const std::string& authorization) {
    HttpRequest request = mesos::json_post(path, body);
    if (!authorization.empty()) request.headers.set("Authorization", authorization);
    return send(local->master_endpoint(), std::move(request));
  }
  // A harmless call of that executor.
  int speak_for(const std::string& id, const std::string& token) {
    const json::object body{{"type", "MESSAGE"},
                            {"executor_id", json::object{{"value", "ex-" + id}}},
                            {"framework_id", json::object{{"value", scheduler->info.id->value}}},
                            {"message", json::object{{"data", "aGk="}}}};
    HttpRequest request = mesos::json_post("/slave(1)/api/v1/executor", body);
    if (!token.empty()) request.headers.set("Authorization", bearer_authorization(token));
    return send({"127.0.0.1", local->agent(0).port()}, std::move(request)).status;
  }
};

TEST_F(StrangersTest, OnlyTheHolderOfTheSecretIsHeard) {
  start();
  ASSERT_TRUE(loop.run_until([&] { return scheduler->client.subscribed(); }));
  const std::string framework = scheduler->info.id->value;
  const json::object id{{"value", framework}};
  const json::object by_operator{{"type", "TEARDOWN"}, {"teardown", json::object{{"framework_id", id}}}};
  const json::object by_framework{{"type", "TEARDOWN"}, {"framework_id", id}};
  const json::object subscribe{{"type", "SUBSCRIBE"}};
  const mesos::Credential good = local->credential();

  for (const std::string& authorization :
       {std::string(), mesos::basic_authorization({good.principal, "guessed"}),
        mesos::basic_authorization({"other", good.secret}), mesos::basic_authorization({good.principal, ""}),
        bearer_authorization(good.secret), std::string("Basic ###"), std::string("Basic ")}) {
    for (const auto& [path, body] : std::vector<std::pair<std::string, json::value>>{
             {"/master/api/v1", by_operator}, {"/api/v1", by_operator}, {"/master/api/v1/scheduler", by_framework},
             {"/api/v1/scheduler", subscribe}, {"/api/v1/", by_operator}}) {
      const auto answer = ask_master(path, body, authorization);
      EXPECT_EQ(answer.status, 401) << path << " " << authorization;
      EXPECT_TRUE(answer.headers.get("WWW-Authenticate").starts_with("Basic realm=")) << path;
    }
  }

  EXPECT_TRUE(scheduler->client.subscribed());
  EXPECT_TRUE(local->master().core().frameworks().contains(FrameworkId(framework)));
  EXPECT_EQ(ask_master("/api/v1", by_operator, mesos::basic_authorization(good)).status, 200);
  EXPECT_FALSE(local->master().core().frameworks().contains(FrameworkId(framework)));
}

TEST_F(StrangersTest, TheSecretIsMadeOnceAndForItsOwnerOnly) {
  start();
  const std::string secret = local->credential().secret;
  struct stat info{};
  ASSERT_EQ(::stat((dir + "/mesos/secret").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  for (const char* folder : {"/mesos", "/mesos/agent-0", "/mesos/agent-0/volumes", "/mesos/agent-0/volumes/roles"}) {
    ASSERT_EQ(::stat((dir + folder).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0711U) << folder;
  }

  restart();
  start();

  EXPECT_EQ(local->credential().secret, secret);
}

TEST_F(StrangersTest, AnExecutorSpeaksForItselfOnly) {
  start();
  launch_running("t1");
  launch_running("t2");
  const std::string own = token_of("t1");
  ASSERT_FALSE(own.empty());
  EXPECT_NE(own, token_of("t2"));

  EXPECT_EQ(speak_for("t1", own), 202);
  EXPECT_EQ(speak_for("t1", token_of("t2")), 403);
  EXPECT_EQ(speak_for("t1", "guessed"), 401);
  EXPECT_EQ(speak_for("t1", ""), 401);
  EXPECT_EQ(speak_for("t1", local->credential().secret), 401);
  const std::string state = read_file(dir + "/mesos/agent-0/agent.json").value_or("");
  EXPECT_EQ(state.find(own), std::string::npos) << "the token itself is in the executor's environment only";
}

TEST_F(StrangersTest, TokensOutliveARestart) {
  start();
  launch_running("t1");
  const pid_t pid = pid_of("t1");

  restart();
  start();

  ASSERT_TRUE(loop.run_until([&] { return scheduler->client.subscribed(); }));
  EXPECT_TRUE(loop.run_until([&] { return local->agent(0).state().executors.size() == 1 && pid_of("t1") == pid; }));
  EXPECT_EQ(::kill(pid, 0), 0);
}

// A directory of version 0.1, whose executors run on and have no token.
TEST_F(StrangersTest, ExecutorsFromBeforeTheTokensAreTakenBack) {
  start();
  launch_running("t1");
  const pid_t pid = pid_of("t1");
  const auto framework = scheduler->info.id;
  restart();
  const std::string file = dir + "/mesos/agent-0/agent.json";
  auto state = parse_json(read_file(file).value()).value();
  for (auto& executor : state.as_object().at("executors").as_array()) executor.as_object().erase("token_hash");
  ASSERT_TRUE(write_file_atomic(file, json::serialize(state), 0600));
  ASSERT_TRUE(remove_file(dir + "/mesos/secret"));

  start();
  scheduler->info.id = framework;

  ASSERT_TRUE(loop.run_until([&] { return speak_for("t1", "") == 202; })) << "it has subscribed again";
  EXPECT_EQ(pid_of("t1"), pid);
  launch_running("t2");
  EXPECT_EQ(speak_for("t2", ""), 401) << "who is started from now on has one";
  EXPECT_EQ(speak_for("t2", token_of("t2")), 202);
}

TEST_F(StrangersTest, ATaskRunsAsTheUserItAsksForOrNotAtAll) {
  start();
  launch("t1", "exec sleep 60", "nobody");

  if (::geteuid() == 0) {
    ASSERT_TRUE(loop.run_until([&] { return pid_of("t1") > 0; }));
    struct stat info{};
    ASSERT_EQ(::stat(("/proc/" + std::to_string(pid_of("t1"))).c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 65534U);
  } else {
    const auto* failed = scheduler->await_state("t1", TaskState::kFailed);
    ASSERT_TRUE(failed);
    EXPECT_NE(failed->message.find("nobody"), std::string::npos) << failed->message;
  }
}

TEST_F(StrangersTest, AUserThatIsNotThereIsNotReplacedByAnother) {
  start();
  launch("t1", "exec sleep 60", "no-such-user");

  const auto* failed = scheduler->await_state("t1", TaskState::kFailed);
  ASSERT_TRUE(failed);
  EXPECT_NE(failed->message.find("no-such-user"), std::string::npos) << failed->message;
}

// Any local process can open as many connections as it likes. The oldest that waits is closed to make room, but not one whose
// caller has shown a secret.
TEST_F(StrangersTest, AKnownCallersConnectionOutlivesACrowd) {
  start();
  ASSERT_TRUE(loop.run_until([&] { return scheduler->client.subscribed(); }));
  const auto connect = [&] {
    asio::ip::tcp::socket s(loop.io);
    s.connect({asio::ip::make_address("127.0.0.1"), local->master_endpoint().port});
    s.non_blocking(true);
    return s;
  };
  const auto answered = [&](asio::ip::tcp::socket& s, const std::string& authorization) {
    const std::string body = R"({"type":"GET_HEALTH"})";
    const std::string text = "POST /api/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: " +
                             std::to_string(body.size()) + "\r\nAuthorization: " + authorization + "\r\n\r\n" + body;
    error_code ec;
    s.write_some(asio::buffer(text), ec);
    std::string got;
    const bool came = loop.run_until(
        [&] {
          char buffer[4096];
          const std::size_t n = s.read_some(asio::buffer(buffer), ec);
          got.append(buffer, n);
          return ec == asio::error::eof || ec == asio::error::connection_reset || got.contains("\r\n\r\n");
        },
        5s);
    return came && got.contains(" 200 ");
  };
  asio::ip::tcp::socket known = connect();
  const std::string authorization = mesos::basic_authorization(local->credential());
  ASSERT_TRUE(answered(known, authorization));

  std::vector<asio::ip::tcp::socket> crowd;
  for (int i = 0; i < 400; ++i) {  // more than one peer's share of the places
    crowd.push_back(connect());
    loop.run_until([] { return false; }, 1ms);
  }

  EXPECT_TRUE(answered(known, authorization));
  EXPECT_TRUE(scheduler->client.subscribed());
}

}  // namespace
}  // namespace mysos::local
