// SPDX-License-Identifier: Apache-2.0
// The life under an agent: the lane against an agent on loopback that launches, acknowledges and
// kills. The server program only says its version: none is started before a Setup.
#include "executor/agent_lane.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/secret.h"
#include "base/test_dir.h"
#include "base/test_loop.h"
#include "member/member_client.h"
#include "mesos/recordio.h"

namespace mysos {
namespace {

namespace ex = mesos::executor;
using std::chrono::seconds;

// Notes the updates it is sent, and acknowledges them.
class ScriptedAgent {
 public:
  explicit ScriptedAgent(const asio::any_io_executor& executor)
      : changed_(executor),
        server(executor, [this](const HttpRequest& r, HttpExchange& x) { return handle(r, x); }) {
    port_ = server.listen("127.0.0.1", 0).value();
  }
  void send(ex::Event event) {
    outgoing_.push_back(std::move(event));
    changed_.notify_all();
  }
  [[nodiscard]] bool has(mesos::TaskState state) const {
    return std::ranges::any_of(updates, [&](const mesos::Update& u) { return u.state == state; });
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  std::vector<mesos::Update> updates;

 private:
  asio::awaitable<void> handle(const HttpRequest& request, HttpExchange& exchange) {
    const auto call = ex::decode_call(parse_json(request.body).value());
    EXPECT_TRUE(call);
    if (!call) co_return;
    if (const auto* update = std::get_if<ex::SendUpdate>(&call->call)) {
      updates.push_back(update->status);
      send(ex::Acknowledged{update->status.task, update->status.uuid});
    }
    if (!std::holds_alternative<ex::Subscribe>(call->call)) {
      HttpResponse accepted{202, {}, ""};
      co_await exchange.reply(std::move(accepted));
      co_return;
    }
    HttpHeaders headers{{"Content-Type", "application/json"}};
    co_await exchange.start_stream(200, std::move(headers));
    exchange.when_closed([this] { changed_.notify_all(); });
    while (!exchange.closed()) {
      while (!outgoing_.empty()) {
        std::string text = json::serialize(ex::encode_event(outgoing_.front(), FrameworkId("F")));
        outgoing_.pop_front();
        std::string record = mesos::encode_record(text);
        if (!co_await exchange.write_chunk(std::move(record))) co_return;
      }
      co_await changed_.wait_for(std::chrono::milliseconds(100));
    }
  }
  Signal changed_;
  std::deque<ex::Event> outgoing_;
  std::uint16_t port_ = 0;

 public:
  HttpServer server;
};

class AgentLaneTest : public testing::Test {
 protected:
  AgentLaneTest() {
    ::chmod(dir_.path().c_str(), 0755);
    EXPECT_TRUE(make_dirs(dir_ / "root/usr/sbin"));
    EXPECT_TRUE(make_dirs(dir_ / "sandbox/data"));
    const std::string script = "#!/bin/sh\necho 'mysqld  Ver 9.7.4 for Linux on x86_64 (MySQL)'\n";
    EXPECT_TRUE(write_file_atomic(dir_ / "root/usr/sbin/mysqld", script, 0755));
    mesos::ExecutorEnvironment env;
    env.framework = FrameworkId("F");
    env.executor = ExecutorId("E");
    env.endpoint = {"127.0.0.1", agent_.port()};
    env.sandbox = dir_ / "sandbox";
    MemberShellConfig base;
    base.mysql_roots = {dir_ / "root"};
    base.template_dir = dir_ / "templates";
    if (!mysql::server_user("")) base.mysql_user = "nobody";  // where root has made no user for servers
    lane_.emplace(loop_.io.get_executor(), std::move(env), std::move(base));
    HttpServer probe(loop_.io.get_executor(), {});
    spec_.api_port = probe.listen("127.0.0.1", 0).value();
    loop_.run(probe.stop());
    spec_.cluster = ClusterId("k3x9a2bq");
    spec_.member = MemberId("k3x9a2bq-0");
    spec_.task = TaskId("k3x9a2bq-0.1");
    spec_.version = "mysql-9.7";
    spec_.flavour = Flavour::kMysql;
    spec_.mem = gib(1);
    spec_.bind = "127.0.0.1";
    spec_.token_hash = hash_token("token");
  }

  void launch() {
    mesos::TaskInfo task;
    task.id = spec_.task;
    task.name = "m";
    task.executor = ExecutorId("E");
    task.data = to_json_text(spec_);
    agent_.send(ex::LaunchTask{std::move(task)});
  }
  // Runs the lane to its end, beside `body`.
  int run(asio::awaitable<void> body) {
    int code = -1;
    auto whole = [](AgentLaneTest& t, asio::awaitable<void> inner,
                    int& result) -> asio::awaitable<void> {
      TaskGroup beside(t.loop_.io.get_executor());
      beside.spawn("body", std::move(inner));
      result = co_await t.lane_->run();
      co_await beside.join();
      co_await t.agent_.server.stop();
    };
    loop_.run(whole(*this, std::move(body), code));
    return code;
  }
  [[nodiscard]] std::vector<mesos::TaskState> states() const {
    std::vector<mesos::TaskState> out;
    for (const mesos::Update& u : agent_.updates) out.push_back(u.state);
    return out;
  }

  TestDir dir_;
  TestLoop loop_;
  ScriptedAgent agent_{loop_.io.get_executor()};
  MemberSpec spec_;
  std::optional<AgentLane> lane_;
};

using enum mesos::TaskState;

TEST_F(AgentLaneTest, RunsOnceItsApiListensAndEndsWithAKill) {
  launch();
  auto body = [&]() -> asio::awaitable<void> {
    EXPECT_TRUE(co_await eventually([&] { return agent_.has(kRunning); }));
    MemberClient client(loop_.io.get_executor(), {"127.0.0.1", spec_.api_port}, "token");
    const auto report = co_await client.status(seconds(5));
    EXPECT_TRUE(report);
    if (report) {
      EXPECT_EQ(report->member, spec_.member);
      EXPECT_EQ(report->task, spec_.task);
      EXPECT_EQ(report->server, ServerState::kNone);
    }
    agent_.send(ex::KillTask{spec_.task, std::nullopt});
  };

  EXPECT_EQ(run(body()), 0);
  EXPECT_EQ(states(), (std::vector{kStarting, kRunning, kKilling, kKilled}));
}

TEST_F(AgentLaneTest, AShutdownEndsItToo) {
  launch();
  auto body = [&]() -> asio::awaitable<void> {
    EXPECT_TRUE(co_await eventually([&] { return agent_.has(kRunning); }));
    agent_.send(ex::Shutdown{});
  };

  EXPECT_EQ(run(body()), 0);
  EXPECT_EQ(states(), (std::vector{kStarting, kRunning, kKilling, kKilled}));
}

TEST_F(AgentLaneTest, WithoutTheServerItIsAskedForTheTaskFailsInOneSentence) {
  spec_.version = "mysql-8.4";
  launch();
  auto body = []() -> asio::awaitable<void> { co_return; };

  EXPECT_NE(run(body()), 0);
  EXPECT_EQ(states(), (std::vector{kStarting, kFailed}));
  EXPECT_NE(agent_.updates.back().message.find("there is no mysql-8.4 here"), std::string::npos)
      << agent_.updates.back().message;
}

TEST_F(AgentLaneTest, ATaskWhoseDataAreNoSpecFails) {
  spec_.bind = "not an address";
  launch();
  auto body = []() -> asio::awaitable<void> { co_return; };

  EXPECT_NE(run(body()), 0);
  EXPECT_EQ(states(), (std::vector{kStarting, kFailed}));
}

TEST_F(AgentLaneTest, AVolumeOfAnotherExecutorIsLeftAlone) {
  const MemberVolume volume = MemberVolume::open(dir_ / "sandbox/data").value();
  const auto held = volume.lock();
  ASSERT_TRUE(held);
  launch();
  auto body = []() -> asio::awaitable<void> { co_return; };

  EXPECT_NE(run(body()), 0);
  EXPECT_EQ(states(), (std::vector{kStarting, kFailed}));
  EXPECT_NE(agent_.updates.back().message.find("another executor"), std::string::npos);
}

}  // namespace
}  // namespace mysos
