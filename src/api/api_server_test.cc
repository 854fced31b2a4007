// SPDX-License-Identifier: Apache-2.0
// The API over HTTP on loopback, with a fake in the place of the scheduler.
#include "api/api_server.h"

#include "api/fake_control.h"
#include "base/http/client.h"
#include "base/secret.h"

namespace mysos {
namespace {
using namespace std::chrono_literals;

constexpr auto kToken = "the-admin-token";

struct Api : ::testing::Test {
  explicit Api(CottonAccess cotton = CottonAccess::kToken)
      : api(control, {hash_token(kToken), cotton, "http://127.0.0.1:1"}) {}
  TestLoop loop;
  FakeControl control{loop.io.get_executor()};
  ApiServer api;
  HttpServer server{loop.io.get_executor(),
                    [this](const HttpRequest& r, HttpExchange& x) { return api.handle(r, x); },
                    ApiServer::server_options()};
  std::uint16_t port = server.listen("127.0.0.1", 0).value();

  void TearDown() override { loop.run(server.stop()); }

  HttpResponse ask(std::string method, std::string target, std::string body = "",
                   HttpHeaders headers = {}, bool with_token = true) {
    if (with_token) headers.set("Authorization", std::string("Bearer ") + kToken);
    HttpRequest request{.method = std::move(method),
                        .target = std::move(target),
                        .headers = std::move(headers),
                        .body = std::move(body)};
    Result<HttpResponse> response = fail(Errc::kInternal, "never asked");
    loop.run([](auto executor, std::uint16_t to, HttpRequest wanted,
                Result<HttpResponse>& out) -> asio::awaitable<void> {
      out = co_await http_request(executor, {"127.0.0.1", to}, std::move(wanted), 10s);
    }(loop.io.get_executor(), port, std::move(request), response));
    EXPECT_TRUE(response) << response.error().message;
    return response.value_or(HttpResponse{});
  }
  static json::object object(const HttpResponse& response) {
    auto parsed = parse_json(response.body);
    return parsed && parsed->is_object() ? parsed->get_object() : json::object{};
  }
};

TEST_F(Api, MakesAClusterAndTellsItsPasswordOnce) {
  const auto made = ask("POST", "/v1/clusters", R"({"name":"shop"})");
  EXPECT_EQ(made.status, 202);
  EXPECT_EQ(made.headers.get("Location"), "/v1/clusters/shop");
  EXPECT_EQ(object(made)["password"], "made-by-the-fake");
  EXPECT_EQ(object(made)["state"], "creating");

  const auto shown = ask("GET", "/v1/clusters/shop");
  EXPECT_EQ(shown.status, 200);
  for (const char* key : {"name", "state", "epoch", "mode", "primary", "members", "user",
                          "endpoints", "waiting_for"}) {
    EXPECT_TRUE(object(shown).contains(key)) << key;
  }
  EXPECT_FALSE(object(shown).contains("password"));
  EXPECT_EQ(shown.body.find("made-by-the-fake"), std::string::npos);
}

TEST_F(Api, WaitsUntilAClusterIsHealthy) {
  control.states["shop"] = ClusterState::kHealthy;
  EXPECT_EQ(ask("POST", "/v1/clusters?wait=10", R"({"name":"shop"})").status, 201);
  EXPECT_EQ(ask("DELETE", "/v1/clusters/shop?wait=10").status, 204);
  EXPECT_EQ(ask("POST", "/v1/clusters?wait=soon", R"({"name":"shop"})").status, 422);
}

TEST_F(Api, AsksForAToken) {
  for (const char* target : {"/v1/clusters", "/v1/events", "/v1/clusters/shop/credentials"}) {
    const auto none = ask("GET", target, "", {}, false);
    EXPECT_EQ(none.status, 401);
    EXPECT_EQ(none.headers.get("WWW-Authenticate"), "Bearer realm=\"mysos\"");
    EXPECT_EQ(none.headers.get("Content-Type"), "application/problem+json");
  }
  EXPECT_EQ(ask("GET", "/v1/clusters", "", {{"Authorization", "Bearer wrong"}}, false).status, 401);
  EXPECT_EQ(
      ask("GET", "/v1/clusters", "", {{"Authorization", std::string("bearer ") + kToken}}, false)
          .status,
      200);
  EXPECT_EQ(ask("POST", "/clusters/shop", "cluster_user=a", {}, false).status, 401);
}

TEST_F(Api, IsOpenWhereNothingIsTold) {
  for (const char* target :
       {"/", "/app.js", "/style.css", "/icon.svg", "/healthz", "/readyz", "/metrics", "/v1/openapi.json"}) {
    EXPECT_EQ(ask("GET", target, "", {}, false).status, 200) << target;
  }
  EXPECT_NE(ask("GET", "/", "", {}, false)
                .headers.get("Content-Security-Policy")
                .find("default-src 'self'"),
            std::string::npos);
}

TEST_F(Api, IsClosedToForeignHostsAndPages) {
  for (const char* target : {"/", "/healthz", "/metrics", "/v1/clusters"}) {
    EXPECT_EQ(ask("GET", target, "", {{"Host", "evil.example"}}).status, 421) << target;
    EXPECT_EQ(ask("GET", target, "", {{"Origin", "http://evil.example"}}).status, 403) << target;
    const std::string self = "127.0.0.1:" + std::to_string(port);
    EXPECT_EQ(ask("GET", target, "", {{"Origin", "http://" + self}}).status, 200) << target;
  }
  EXPECT_EQ(ask("POST", "/v1/clusters", R"({"name":"shop"})", {{"Origin", "null"}}).status, 403);
  EXPECT_TRUE(control.made.empty());
}

TEST_F(Api, MetricsAreOpenOnThisMachineButNotThroughAProxy) {
  const auto metrics = ask("GET", "/metrics", "", {}, false);
  EXPECT_EQ(metrics.status, 200);
  EXPECT_NE(metrics.body.find("mysos_http_connections 1\n"), std::string::npos) << metrics.body;
  EXPECT_EQ(ask("GET", "/metrics", "", {{"X-Forwarded-For", "10.0.0.1"}}, false).status, 401);
  EXPECT_EQ(ask("GET", "/metrics", "", {{"Forwarded", "for=10.0.0.1"}}, false).status, 401);
  EXPECT_EQ(ask("GET", "/metrics", "", {{"X-Forwarded-For", "10.0.0.1"}}).status, 200);
}

TEST_F(Api, AnEncodedSlashIsPartOfAName) {
  ask("POST", "/v1/clusters", R"({"name":"shop"})");
  EXPECT_EQ(ask("GET", "/v1/clusters/shop/credentials").status, 200);
  EXPECT_EQ(ask("GET", "/v1/clusters/shop%2Fcredentials").status, 404);
  EXPECT_EQ(ask("GET", "/v1%2fclusters").status, 404);
}

TEST_F(Api, SaysWhatIsWrongInProblemDocuments) {
  const auto broken = ask("POST", "/v1/clusters", "{");
  EXPECT_EQ(broken.status, 400);
  const auto unknown = ask("POST", "/v1/clusters", R"({"name":"shop","membres":3})");
  EXPECT_EQ(unknown.status, 422);
  EXPECT_EQ(object(unknown)["field"], "membres");
  EXPECT_EQ(
      ask("POST", "/v1/clusters", R"({"name":"shop"})", {{"Content-Type", "text/plain"}}).status,
      415);
  EXPECT_EQ(ask("POST", "/v1/clusters", std::string(kMaxApiBody + 1, ' ')).status, 413);
  const auto method = ask("PATCH", "/v1/clusters/shop");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.get("Allow"), "GET, HEAD, DELETE");
  EXPECT_EQ(ask("GET", "/v2/clusters").status, 404);
  EXPECT_TRUE(control.made.empty());
}

TEST_F(Api, SuggestsTheNearestCluster) {
  ask("POST", "/v1/clusters", R"({"name":"shop"})");
  const auto missing = ask("GET", "/v1/clusters/shpo");
  EXPECT_EQ(missing.status, 404);
  EXPECT_NE(missing.body.find("shop"), std::string::npos);
  EXPECT_EQ(ask("DELETE", "/v1/clusters/other").status, 404);
  EXPECT_EQ(ask("POST", "/v1/clusters", R"({"name":"shop"})").status, 409);
}

TEST_F(Api, DoesAPostWithAnIdempotencyKeyOnce) {
  const HttpHeaders key{{"Idempotency-Key", "k1"}};
  const auto first = ask("POST", "/v1/clusters", R"({"name":"shop"})", key);
  const auto second = ask("POST", "/v1/clusters", R"({"name":"shop"})", key);
  EXPECT_EQ(second.status, 202);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(control.creates, 1);
  EXPECT_EQ(ask("POST", "/v1/clusters", R"({"name":"other"})", key).status, 422);
}

TEST_F(Api, PassesARefusalOn) {
  control.refusal =
      Error{Errc::kUnavailable, "the store takes no commits: no space left on device", {}};
  const auto refused = ask("POST", "/v1/clusters", R"({"name":"shop"})");
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("no space left"), std::string::npos);
}

TEST_F(Api, SwitchesOverToAMemberThatIsThere) {
  ask("POST", "/v1/clusters", R"({"name":"shop"})");
  EXPECT_EQ(ask("POST", "/v1/clusters/shop/switchover", R"({"to":"id-shop-0"})").status, 202);
  ASSERT_TRUE(control.newest<command::Switchover>());
  EXPECT_EQ(control.newest<command::Switchover>()->to, MemberId("id-shop-0"));
  const auto wrong = ask("POST", "/v1/clusters/shop/switchover", R"({"to":"id-shop-9"})");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(object(wrong)["field"], "to");
}

TEST_F(Api, FailsOverAsAnOperatorWantsIt) {
  ask("POST", "/v1/clusters", R"({"name":"shop"})");
  EXPECT_EQ(ask("POST", "/v1/clusters/shop/failover", R"({"to":"id-shop-0","accept_loss":true})").status, 202);
  ASSERT_TRUE(control.newest<command::Failover>());
  EXPECT_EQ(control.newest<command::Failover>()->wanted, (FailoverRequest{MemberId("id-shop-0"), true}));
  EXPECT_EQ(object(ask("POST", "/v1/clusters/shop/failover", R"({"to":"id-shop-9"})"))["field"], "to");
  EXPECT_EQ(object(ask("POST", "/v1/clusters/shop/failover", R"({"accept_los":true})"))["field"], "accept_los");
}

TEST_F(Api, SetsHowElectionsSeeAMember) {
  ask("POST", "/v1/clusters", R"({"name":"shop"})");
  EXPECT_EQ(ask("POST", "/v1/clusters/shop/promotion", R"({"member":"id-shop-0","promotion":"avoid"})").status, 202);
  ASSERT_TRUE(control.newest<command::Promote>());
  EXPECT_EQ(control.newest<command::Promote>()->member, MemberId("id-shop-0"));
  EXPECT_EQ(control.newest<command::Promote>()->promotion, Promotion::kAvoid);
  EXPECT_EQ(object(ask("POST", "/v1/clusters/shop/promotion", R"({"member":"id-shop-0","promotion":"never"})"))["field"],
            "promotion");
  EXPECT_EQ(object(ask("POST", "/v1/clusters/shop/promotion", R"({"member":"x","promotion":"avoid"})"))["field"], "member");
}

TEST_F(Api, TellsEventsAfterASeqOrTheNewest) {
  ask("POST", "/v1/clusters", R"({"name":"shop"})");
  for (int i = 0; i < 5; ++i) control.add_event(i % 2 == 0 ? "id-shop" : "id-blog", "kind" + std::to_string(i));
  const auto newest = object(ask("GET", "/v1/events?limit=2"))["events"].as_array();
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[1].as_object().at("kind"), "kind4");
  const auto after = object(ask("GET", "/v1/events?after=1&limit=2"))["events"].as_array();
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0].as_object().at("seq"), 2);
  EXPECT_EQ(object(ask("GET", "/v1/clusters/shop/events?limit=2"))["events"].as_array().size(), 2u);
  EXPECT_EQ(object(ask("GET", "/v1/events?cluster_id=id-blog&limit=9"))["events"].as_array().size(), 2u);
  EXPECT_EQ(newest[1].as_object().at("cluster_id"), "id-shop");
  EXPECT_EQ(ask("GET", "/v1/clusters/none/events").status, 404);
  ask("DELETE", "/v1/clusters/shop", R"({"confirm":"shop"})");
  ASSERT_TRUE(control.made.empty());
  EXPECT_EQ(object(ask("GET", "/v1/clusters/shop/events"))["events"].as_array().size(), 3u) << "events outlive their cluster";
  EXPECT_EQ(ask("GET", "/v1/events?after=x").status, 422);
}

TEST_F(Api, StreamsEventsAsTheyHappen) {
  control.add_event("shop", "before");
  loop.run([](Api& t) -> asio::awaitable<void> {
    HttpStream stream(t.loop.io.get_executor());
    HttpRequest request{.target = "/v1/events?after=0",
                        .headers = {{"Accept", "text/event-stream"},
                                    {"Authorization", std::string("Bearer ") + kToken}}};
    const auto opened = co_await stream.open({"127.0.0.1", t.port}, std::move(request), 10s);
    EXPECT_TRUE(opened);
    if (!opened) co_return;
    EXPECT_EQ(opened->headers.get("Content-Type"), "text/event-stream");
    std::string seen;
    bool added = false;
    while (seen.find("later") == std::string::npos) {
      const auto more = co_await stream.read_some(10s);
      EXPECT_TRUE(more && !more->empty());
      if (!more || more->empty()) co_return;
      seen += *more;
      if (!added && seen.find("before") != std::string::npos) {
        t.control.add_event("shop", "later");
        added = true;
      }
    }
    EXPECT_NE(seen.find("id: 2\ndata: {"), std::string::npos);
    stream.close();
  }(*this));
}

TEST_F(Api, HealthSaysWhatFails) {
  control.said_health = Health{false, ""};
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  EXPECT_EQ(ask("GET", "/readyz").status, 503);
  control.said_health = Health{true, "no space left on device"};
  const auto sick = ask("GET", "/healthz", "", {}, false);
  EXPECT_EQ(sick.status, 503);
  EXPECT_NE(sick.body.find("no space left"), std::string::npos);
}

TEST_F(Api, ReadyzSaysWhyMesosIsAway) {
  control.said_health = Health{false, "", "Mesos has removed this framework"};
  const auto away = ask("GET", "/readyz", "", {}, false);
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(object(away)["mesos_problem"], "Mesos has removed this framework");
}

TEST_F(Api, RegistersAnewForWhoHoldsTheTokenOnly) {
  EXPECT_EQ(ask("POST", "/v1/register", "", {}, false).status, 401);
  EXPECT_TRUE(control.commanded.empty());
  EXPECT_EQ(ask("POST", "/v1/register").status, 202);
  EXPECT_TRUE(control.newest<command::Register>());
  control.refusal = Error{Errc::kConflict, "there is nothing to do", {}};
  EXPECT_EQ(ask("POST", "/v1/register").status, 409);
}

TEST_F(Api, ListsOrphansAndDestroysOne) {
  control.said_orphans.volumes.push_back({.id = "abc-0-1-x", .cluster_name = "shop", .hostname = "host-1",
                                          .volume = VolumeId("mysos-abc-0-1-x"), .disk = gib(5)});
  control.said_orphans.tasks.push_back({.task = TaskId("shop.abc.1.1"), .index = 1});
  EXPECT_EQ(ask("GET", "/v1/orphans", "", {}, false).status, 401);
  const auto listed = ask("GET", "/v1/orphans");
  EXPECT_EQ(object(listed)["orphans"].at(0).at("id"), "abc-0-1-x");
  EXPECT_EQ(object(listed)["orphans"].at(0).at("disk"), "5GB");
  EXPECT_EQ(object(listed)["orphans"].at(0).at("fate"), "kept");
  EXPECT_EQ(object(listed)["tasks"].at(0).at("task"), "shop.abc.1.1");
  EXPECT_EQ(ask("POST", "/v1/orphans/abc-0-1-x/destroy", "", {}, false).status, 401);
  EXPECT_EQ(ask("POST", "/v1/orphans/abc-0-1-x/destroy").status, 202);
  EXPECT_TRUE(control.newest<command::DestroyOrphan>());
  EXPECT_EQ(control.commanded.back().first, "abc-0-1-x");

  control.unknown["shop"].id = ClusterId("c1");
  control.unknown["shop"].spec.name = "shop";
  EXPECT_EQ(ask("POST", "/v1/orphans/adopt", R"({"cluster":"shop"})", {}, false).status, 401);
  const auto adopted = ask("POST", "/v1/orphans/adopt", R"({"cluster":"shop","as":"store"})");
  EXPECT_EQ(adopted.status, 202);
  EXPECT_EQ(object(adopted)["name"], "shop");
  EXPECT_EQ(object(adopted)["adopted"], true);
  ASSERT_TRUE(control.newest<command::Adopt>());
  EXPECT_EQ(control.newest<command::Adopt>()->cluster, "shop");
  EXPECT_EQ(control.newest<command::Adopt>()->as, "store");
  const auto again = ask("POST", "/v1/orphans/adopt", R"({"cluster":"shop"})");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(object(again)["adopted"], false) << "the state has it already";
  EXPECT_EQ(ask("POST", "/v1/orphans/adopt", R"({"cluster":""})").status, 422);
  EXPECT_EQ(ask("POST", "/v1/orphans/adopt", R"({"cluster":"shop","other":1})").status, 422);
  EXPECT_EQ(ask("GET", "/v1/orphans/adopt").status, 405);
  control.refusal = Error{Errc::kNotFound, "there is no such orphan", "id"};
  EXPECT_EQ(ask("POST", "/v1/orphans/abc/destroy").status, 404);
}

TEST_F(Api, ACommandCarriesWhoGaveItAndFromWhere) {
  const Caller admin{"admin", "127.0.0.1"};
  ask("POST", "/v1/clusters", R"({"name":"shop"})");
  EXPECT_EQ(std::exchange(control.called_by, {}), admin);
  ask("POST", "/v1/clusters/shop/switchover");
  EXPECT_EQ(std::exchange(control.called_by, {}), admin);
  ask("GET", "/v1/clusters/shop/credentials");
  EXPECT_EQ(std::exchange(control.called_by, {}), admin);
  ask("POST", "/v1/clusters/shop/credentials/rotate");
  EXPECT_EQ(std::exchange(control.called_by, {}), admin);
  ask("DELETE", "/v1/clusters/shop");
  EXPECT_EQ(std::exchange(control.called_by, {}), admin);
}

TEST_F(Api, APasswordThatIsGivenAgainIsReadAgain) {
  const HttpHeaders key{{"Idempotency-Key", "k1"}};
  ask("POST", "/v1/clusters", R"({"name":"shop"})", key);
  EXPECT_EQ(control.passwords_read, 0);
  EXPECT_EQ(ask("POST", "/v1/clusters", R"({"name":"shop"})", key).status, 202);
  EXPECT_EQ(control.passwords_read, 1);
}

TEST_F(Api, ACommandWithoutFieldsTakesNone) {
  EXPECT_EQ(ask("POST", "/v1/register", "{}").status, 202);
  const auto refused = ask("POST", "/v1/register", R"({"force":true})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(object(refused)["field"], "force");
  EXPECT_EQ(ask("POST", "/v1/register", "force").status, 400);
}

TEST_F(Api, TheDescriptionIsJson) {
  const auto description = ask("GET", "/v1/openapi.json");
  ASSERT_TRUE(object(description).contains("paths"));
  EXPECT_EQ(object(description)["openapi"], "3.1.0");
}

struct OpenCotton : Api {
  OpenCotton() : Api(CottonAccess::kOpen) {}
};

TEST_F(OpenCotton, MakesAndDeletesLikeCotton) {
  const auto made =
      ask("POST", "/clusters/shop",
          "cluster_user=anna&num_nodes=3&size=&backup_id=&cluster_password=", {}, false);
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(object(made)["cluster_url"], "http://127.0.0.1:1/v1/clusters/shop");
  const std::string password(object(made)["cluster_password"].as_string());
  EXPECT_EQ(ask("POST", "/clusters/shop", "cluster_user=anna", {}, false).status, 409);
  EXPECT_EQ(ask("POST", "/clusters/blog", "cluster_user=anna&num_nodes=x", {}, false).status, 400);
  EXPECT_EQ(ask("POST", "/clusters/blog", "cluster_user=anna&backup_id=1", {}, false).status, 400);
  EXPECT_EQ(ask("DELETE", "/clusters/blog", "password=x", {}, false).status, 404);
  EXPECT_EQ(ask("DELETE", "/clusters/shop", "", {}, false).status, 400);
  EXPECT_EQ(ask("DELETE", "/clusters/shop", "password=wrong", {}, false).status, 403);
  EXPECT_EQ(ask("DELETE", "/clusters/shop", "password=" + password, {}, false).status, 200);
  EXPECT_EQ(control.called_by, (Caller{"cotton", "127.0.0.1"})) << "nobody showed a token";
}

TEST_F(OpenCotton, IsClosedToWebPages) {
  EXPECT_EQ(
      ask("POST", "/clusters/shop", "cluster_user=anna", {{"Origin", "http://evil.example"}}, false)
          .status,
      403);
  EXPECT_TRUE(control.made.empty());
}

}  // namespace
}  // namespace mysos
