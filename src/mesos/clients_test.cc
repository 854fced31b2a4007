// SPDX-License-Identifier: Apache-2.0
// Both clients against scripted peers on loopback.
#include "base/http/bearer.h"
#include "base/http/server.h"
#include "base/test_loop.h"
#include "mesos/call_codec.h"
#include "mesos/credential.h"
#include "mesos/event_codec.h"
#include "mesos/executor_client.h"
#include "mesos/scheduler_client.h"

namespace mysos::mesos {
namespace {
using namespace std::chrono_literals;

// Answers POSTs: a SUBSCRIBE with what the script says next, any other call with 202.
struct Peer {
  struct Answer {
    int status = 200;
    std::string location = {};
    std::vector<std::string> records = {};
    bool cut = false;  // ends the stream after the records
  };
  std::deque<Answer> script;
  std::vector<json::value> calls;
  std::vector<std::string> stream_ids;
  std::vector<std::string> authorizations;
  Signal released;
  bool cut = false;  // once: the stream under way ends
  HttpServer server;
  std::uint16_t port = 0;

  explicit Peer(asio::any_io_executor executor)
      : released(executor),
        server(executor, [this](const HttpRequest& r, HttpExchange& x) { return handle(r, x); }) {
    port = server.listen("127.0.0.1", 0).value();
  }
  asio::awaitable<void> handle(const HttpRequest& request, HttpExchange& exchange) {
    const auto body = parse_json(request.body).value();
    calls.push_back(body);
    stream_ids.emplace_back(request.headers.get("Mesos-Stream-Id"));
    authorizations.emplace_back(request.headers.get("Authorization"));
    if (body.at("type").as_string() != "SUBSCRIBE") {
      co_await exchange.reply(HttpResponse{202, {}, ""});
      co_return;
    }
    const Answer answer = script.empty() ? Answer{503} : script.front();
    if (!script.empty()) script.pop_front();
    if (answer.status != 200) {
      HttpResponse response{answer.status, {}, "no"};
      if (!answer.location.empty()) response.headers.set("Location", answer.location);
      co_await exchange.reply(std::move(response));
      co_return;
    }
    co_await exchange.start_stream(
        200, {{"Content-Type", "application/json"}, {"Mesos-Stream-Id", "stream-1"}});
    for (const auto& record : answer.records) co_await exchange.write_chunk(encode_record(record));
    if (answer.cut) co_return;
    exchange.when_closed([this] { released.notify_all(); });
    while (!exchange.closed() && !std::exchange(cut, false)) co_await released.wait_for(50ms);
  }
};

std::string subscribed(const std::string& id) {
  return json::serialize(
      encode_event(Subscribed{FrameworkId(id), 15, "M"}, {FrameworkId(id), {"127.0.0.1", 1}}));
}

std::string ack_of(const std::string& uuid) {
  return json::serialize(
      executor::encode_event(executor::Acknowledged{TaskId("t"), uuid}, FrameworkId("F")));
}

TEST(SchedulerClient, FindsTheLeaderAndComesBackUnderItsId) {
  TestLoop loop;
  Peer standby(loop.io.get_executor());
  Peer leader(loop.io.get_executor());
  const std::string to_leader =
      "//127.0.0.1:" + std::to_string(leader.port) + "/master/api/v1/scheduler";
  standby.script = {{503}, {404}, {307, to_leader}, {307, to_leader}};
  leader.script = {{200, "", {subscribed("F-1")}, true}, {200, "", {subscribed("F-1")}}};
  FrameworkInfo info;
  info.user = "u";
  info.name = "n";
  info.role = "r";
  std::vector<Event> events;
  SchedulerClientOptions options;
  options.masters = {{"127.0.0.1", standby.port}};
  options.backoff_first = 1ms;
  SchedulerClient client(
      loop.io.get_executor(), options, [&] { return info; },
      [&](const Event& e) {
        if (const auto* s = std::get_if<Subscribed>(&e)) info.id = s->framework;
        events.push_back(e);
      },
      Prng(1));
  EXPECT_FALSE(client.send(Revive{}));

  client.start();
  ASSERT_TRUE(loop.run_until([&] { return events.size() >= 3 && client.subscribed(); }));
  EXPECT_TRUE(client.send(Revive{}));
  EXPECT_TRUE(client.send(Kill{TaskId("t"), std::nullopt, std::nullopt}));
  ASSERT_TRUE(loop.run_until([&] { return leader.calls.size() == 4; }));

  EXPECT_TRUE(std::holds_alternative<Subscribed>(events[0]));
  EXPECT_TRUE(std::holds_alternative<Disconnected>(events[1]));
  EXPECT_TRUE(std::holds_alternative<Subscribed>(events[2]));
  EXPECT_FALSE(leader.calls[0].as_object().contains("framework_id"));
  EXPECT_EQ(leader.calls[1].at_pointer("/framework_id/value").as_string(), "F-1");
  EXPECT_EQ(leader.calls[2].at("type").as_string(), "REVIVE");
  EXPECT_EQ(leader.calls[3].at("type").as_string(), "KILL");
  EXPECT_EQ(leader.stream_ids[3], "stream-1");
  loop.run(client.stop());
  loop.run(standby.server.stop());
  loop.run(leader.server.stop());
}

TEST(SchedulerClient, StaysAwayAfterAnErrorUntilToldOtherwise) {
  TestLoop loop;
  Peer master(loop.io.get_executor());
  const std::string error = json::serialize(encode_event(MasterError{"Framework has been removed"},
                                                         {FrameworkId("F"), {"127.0.0.1", 1}}));
  master.script = {{200, "", {error}, true}, {200, "", {subscribed("F-2")}}};
  std::vector<Event> events;
  SchedulerClientOptions options;
  options.masters = {{"127.0.0.1", master.port}};
  options.backoff_first = 1ms;
  SchedulerClient client(
      loop.io.get_executor(), options, [] { return FrameworkInfo{}; },
      [&](const Event& e) { events.push_back(e); }, Prng(1));
  client.start();
  ASSERT_TRUE(loop.run_until([&] { return events.size() == 1; }));
  EXPECT_FALSE(loop.run_until([&] { return master.calls.size() > 1; }, 50ms));

  client.resubscribe();

  ASSERT_TRUE(loop.run_until([&] { return client.subscribed(); }));
  loop.run(client.stop());
  loop.run(master.server.stop());
}

TEST(SchedulerClient, SendsItsCredentialWithEachCallAndSaysWhenItIsRefused) {
  TestLoop loop;
  Peer master(loop.io.get_executor());
  master.script = {{401}, {200, "", {subscribed("F-1")}}};
  std::vector<Event> events;
  SchedulerClientOptions options;
  options.masters = {{"127.0.0.1", master.port}};
  options.authorization = basic_authorization({"mysos", "s3cret:with colon"});
  SchedulerClient client(
      loop.io.get_executor(), options, [] { return FrameworkInfo{}; },
      [&](const Event& e) { events.push_back(e); }, Prng(1));
  client.start();
  ASSERT_TRUE(loop.run_until([&] { return events.size() == 1; }));
  const auto* refused = std::get_if<MasterError>(&events[0]);
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->message.find("401"), std::string::npos);
  EXPECT_NE(refused->message.find("--secret-file"), std::string::npos);
  EXPECT_EQ(refused->message.find("s3cret"), std::string::npos);

  client.resubscribe();
  ASSERT_TRUE(loop.run_until([&] { return client.subscribed(); }));
  ASSERT_TRUE(client.send(Revive{}));
  ASSERT_TRUE(loop.run_until([&] { return master.calls.size() == 3; }));

  for (const std::string& given : master.authorizations) {
    const auto credential = basic_credential(given);
    ASSERT_TRUE(credential) << given;
    EXPECT_EQ(credential->principal, "mysos");
    EXPECT_EQ(credential->secret, "s3cret:with colon");
  }
  loop.run(client.stop());
  loop.run(master.server.stop());
}

TEST(Credential, OnlyWhatIsOfItsSchemeIsRead) {
  EXPECT_EQ(basic_authorization({"mysos", "nope"}), "Basic bXlzb3M6bm9wZQ==");
  EXPECT_TRUE(basic_credential("basic bXlzb3M6bm9wZQ=="));
  for (const char* bad : {"", "Basic", "Basic ", "Basic ###", "Basic bXlzb3M=", "Bearer bXlzb3M6bm9wZQ=="})
    EXPECT_FALSE(basic_credential(bad)) << bad;
  EXPECT_EQ(bearer_token({.headers = {{"authorization", "bearer abc"}}}), "abc");
  for (const char* none : {"Basic abc", "Bearer", "Bearer ", ""})
    EXPECT_EQ(bearer_token({.headers = {{"Authorization", none}}}), "") << none;
}

TEST(ExecutorClient, SendsAgainWhatWasNotAcknowledged) {
  TestLoop loop;
  Peer agent(loop.io.get_executor());
  agent.script = {{503}, {200, "", {}, false}};
  ExecutorEnvironment environment;
  environment.framework = FrameworkId("F");
  environment.executor = ExecutorId("E");
  environment.endpoint = {"127.0.0.1", agent.port};
  environment.checkpoint = true;
  environment.token = "a-token";
  ExecutorClient client(loop.io.get_executor(), environment, [](const executor::Event&) {});
  client.start();
  ASSERT_TRUE(loop.run_until([&] { return client.subscribed(); }));

  Update update;
  update.task = TaskId("t");
  update.state = TaskState::kRunning;
  const std::string uuid = client.update(update);
  ASSERT_TRUE(loop.run_until([&] { return agent.calls.size() == 3; }));
  EXPECT_EQ(agent.calls[2].at_pointer("/update/status/uuid").as_string(), uuid);
  EXPECT_EQ(agent.authorizations, std::vector<std::string>(3, "Bearer a-token"));

  agent.script = {{200, "", {ack_of(uuid)}, false}};
  agent.cut = true;  // the agent restarts
  ASSERT_TRUE(loop.run_until([&] { return client.unacknowledged() == 0; }));

  EXPECT_EQ(
      agent.calls[3].at_pointer("/subscribe/unacknowledged_updates/0/status/uuid").as_string(),
      uuid);
  loop.run(client.stop());
  loop.run(agent.server.stop());
}

TEST(ExecutorEnvironment, IsReadFromWhatAnAgentGives) {
  const std::map<std::string, std::string> env{{"MESOS_FRAMEWORK_ID", "F"},
                                               {"MESOS_EXECUTOR_ID", "E"},
                                               {"MESOS_SLAVE_ID", "S0"},
                                               {"MESOS_AGENT_ENDPOINT", "127.0.0.1:5051"},
                                               {"MESOS_DIRECTORY", "/sandbox"},
                                               {"MESOS_CHECKPOINT", "1"},
                                               {"MESOS_RECOVERY_TIMEOUT", "15mins"},
                                               {"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "3secs"}};

  const auto parsed = parse_executor_environment(env);

  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->endpoint, (Endpoint{"127.0.0.1", 5051}));
  EXPECT_EQ(parsed->sandbox, "/sandbox");
  EXPECT_TRUE(parsed->checkpoint);
  EXPECT_EQ(parsed->recovery_timeout, 15min);
  EXPECT_EQ(parsed->shutdown_grace, 3s);
  auto without = env;
  without.erase("MESOS_AGENT_ENDPOINT");
  EXPECT_EQ(parse_executor_environment(without).error().field, "MESOS_AGENT_ENDPOINT");
  auto bad = env;
  bad["MESOS_RECOVERY_TIMEOUT"] = "soon";
  EXPECT_FALSE(parse_executor_environment(bad));
}

}  // namespace
}  // namespace mysos::mesos
