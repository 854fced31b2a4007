// SPDX-License-Identifier: Apache-2.0
// The member API over real HTTP on loopback, in front of a service that says what each test wants
// said.
#include "executor/member_api.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/http/client.h"
#include "base/secret.h"
#include "base/task_group.h"
#include "member/member_client.h"

namespace mysos {
namespace {

constexpr Duration kDeadline = std::chrono::seconds(5);

class FixedService final : public MemberService {
 public:
  explicit FixedService(const asio::any_io_executor& executor) : changed_(executor) {}
  MemberReport report() override {
    MemberReport r = says;
    r.seq = ++seq_;
    return r;
  }
  asio::awaitable<Result<MemberReport>> obey(Order order, json::object secrets) override {
    given.emplace_back(std::move(order), std::move(secrets));
    if (refusal) co_return std::unexpected(*refusal);
    co_return report();
  }
  Signal& changed() override { return changed_; }
  [[nodiscard]] std::uint64_t version() const override { return version_; }
  std::string metrics() override { return "mysos_member_up 1\n"; }
  void change() {
    ++version_;
    changed_.notify_all();
  }

  MemberReport says;
  std::optional<Error> refusal;
  std::vector<std::pair<Order, json::object>> given;

 private:
  Signal changed_;
  std::uint64_t version_ = 0;
  std::uint64_t seq_ = 0;
};

class FixedSnapshot final : public SnapshotService {
 public:
  [[nodiscard]] bool accepts(std::string_view token) const override { return token == "copy"; }
  asio::awaitable<void> serve(HttpExchange& exchange) override {
    HttpHeaders headers;
    if (!co_await exchange.start_stream(200, std::move(headers))) co_return;
    co_await exchange.write_chunk("data");
    if (whole) co_await exchange.finish();
  }
  bool whole = true;
};

class MemberApiTest : public ::testing::Test {
 protected:
  MemberApiTest()
      : server_(io_.get_executor(), [this](const HttpRequest& request, HttpExchange& exchange) {
          return api_.handle(request, exchange);
        }) {
    endpoint_ = {"127.0.0.1", server_.listen("127.0.0.1", 0).value()};
  }

  void run(std::function<asio::awaitable<void>()> body) {
    TaskGroup tasks(io_.get_executor());
    bool done = false;
    auto whole = [&]() -> asio::awaitable<void> {
      co_await body();
      co_await server_.stop();
      done = true;
    };
    tasks.spawn("test", whole());
    io_.run_for(std::chrono::seconds(20));
    EXPECT_TRUE(done);
    if (!done) io_.stop();
  }
  asio::awaitable<HttpResponse> ask(std::string method, std::string target,
                                    std::string token = "good", std::string body = "") {
    HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
    auto response =
        co_await http_request(io_.get_executor(), endpoint_, std::move(request), kDeadline);
    EXPECT_TRUE(response);
    co_return response ? *response : HttpResponse{.status = 0};
  }
  asio::awaitable<int> status_of(std::string method, std::string target, std::string token = "good",
                                 std::string body = "") {
    const HttpResponse response =
        co_await ask(std::move(method), std::move(target), std::move(token), std::move(body));
    co_return response.status;
  }

  asio::io_context io_;
  FixedService service_{io_.get_executor()};
  FixedSnapshot snapshots_;
  MemberApi api_{service_, hash_token("good"), &snapshots_};
  HttpServer server_;
  Endpoint endpoint_;
};

TEST_F(MemberApiTest, NeedsTheTokenUnderV1AndNowhereElse) {
  run([&]() -> asio::awaitable<void> {
    EXPECT_EQ(co_await status_of("GET", "/v1/status", ""), 401);
    EXPECT_EQ(co_await status_of("GET", "/v1/status", "bad"), 401);
    EXPECT_EQ(co_await status_of("POST", "/v1/fence", "", R"({"pair":{"epoch":1}})"), 401);
    EXPECT_EQ(co_await status_of("GET", "/v1/watch", ""), 401);
    EXPECT_EQ(co_await status_of("GET", "/v1/status"), 200);
    EXPECT_EQ(co_await status_of("GET", "/healthz", ""), 200);
    EXPECT_EQ(co_await status_of("GET", "/metrics", ""), 200);
    EXPECT_TRUE(service_.given.empty());
  });
}

TEST_F(MemberApiTest, BadRequestsGetTheirStatusAndReachNobody) {
  run([&]() -> asio::awaitable<void> {
    EXPECT_EQ(co_await status_of("GET", "/v1/nothing"), 404);
    EXPECT_EQ(co_await status_of("GET", "/v1/fence"), 405);
    EXPECT_EQ(co_await status_of("POST", "/v1/status"), 405);
    EXPECT_EQ(co_await status_of("DELETE", "/primary", ""), 405);
    EXPECT_EQ(co_await status_of("POST", "/v1/fence", "good", "{"), 400);
    const HttpResponse missing = co_await ask("POST", "/v1/fence", "good", "{}");
    EXPECT_EQ(missing.status, 400);
    EXPECT_EQ(error_from_response(missing).field, "pair");
    EXPECT_EQ(co_await status_of("GET", "/replica?max_lag=soon", ""), 400);
    EXPECT_TRUE(service_.given.empty());
  });
}

TEST_F(MemberApiTest, AnOrderReachesTheServiceAndIsAnsweredByTheReport) {
  run([&]() -> asio::awaitable<void> {
    MemberClient client(io_.get_executor(), endpoint_, "good");
    json::object secrets{{"admin", "x"}};
    Order setup = order::Setup{};
    EXPECT_TRUE(co_await client.send(setup, kDeadline, secrets));
    Order fence = order::Fence{{2, 0}};
    EXPECT_TRUE(co_await client.send(fence, kDeadline));
    EXPECT_EQ(service_.given.size(), 2U);
    EXPECT_EQ(service_.given.front().second, secrets);

    service_.refusal = Error{Errc::kFenced, "below the promised pair", {}};
    service_.says.promised = {9, 1};
    const HttpResponse refused =
        co_await ask("POST", "/v1/fence", "good", R"({"pair":{"epoch":1,"config":0}})");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(json::parse(refused.body).at("promised").at("epoch").to_number<int>(), 9);
  });
}

TEST_F(MemberApiTest, LoadBalancersSeeAPrimaryOnlyWhereClientsCanWrite) {
  run([&]() -> asio::awaitable<void> {
    EXPECT_EQ(co_await status_of("GET", "/primary", ""), 503);
    service_.says.role = MemberRole::kPrimary;
    service_.says.server = ServerState::kRunning;
    service_.says.writable = true;
    EXPECT_EQ(co_await status_of("GET", "/primary", ""), 503);
    service_.says.user_ready = true;
    EXPECT_EQ(co_await status_of("GET", "/primary", ""), 200);
    service_.says.server = ServerState::kExited;
    EXPECT_EQ(co_await status_of("GET", "/primary", ""), 503);
  });
}

TEST_F(MemberApiTest, WhoMeansAnotherMemberIsToldNo) {
  run([&]() -> asio::awaitable<void> {
    service_.says.member = MemberId("k3x9a2bq-1");
    service_.says.role = MemberRole::kPrimary;
    service_.says.server = ServerState::kRunning;
    service_.says.writable = service_.says.user_ready = true;
    EXPECT_EQ(co_await status_of("GET", "/primary?member=k3x9a2bq-1", ""), 200);
    EXPECT_EQ(co_await status_of("GET", "/primary?member=zzzzzzzz-1", ""), 503);
    EXPECT_EQ(co_await status_of("GET", "/healthz?member=zzzzzzzz-1", ""), 503);
    service_.says.role = MemberRole::kReplica;
    service_.says.receiver_connected = service_.says.applier_running = true;
    service_.says.lag_ms = 0;
    EXPECT_EQ(co_await status_of("GET", "/replica?max_lag=1&member=k3x9a2bq-1", ""), 200);
    EXPECT_EQ(co_await status_of("GET", "/replica?max_lag=1&member=zzzzzzzz-1", ""), 503);
  });
}

TEST_F(MemberApiTest, LoadBalancersSeeNoReplicaWhoseDataMayBeOldOrWrong) {
  run([&]() -> asio::awaitable<void> {
    MemberReport& says = service_.says;
    says.role = MemberRole::kReplica;
    says.server = ServerState::kRunning;
    says.receiver_connected = says.applier_running = true;
    says.lag_ms = 0;
    EXPECT_EQ(co_await status_of("GET", "/replica", ""), 200);
    says.applier_running = false;
    EXPECT_EQ(co_await status_of("GET", "/replica", ""), 503);
    says.applier_running = true;
    says.applier_restarts = 1;
    EXPECT_EQ(co_await status_of("GET", "/replica", ""), 503) << "it is about to stop again";
    says.applier_restarts = 0;
    says.written_on = true;
    EXPECT_EQ(co_await status_of("GET", "/replica", ""), 503);
    says.written_on = false;
    says.logs_reset = true;
    EXPECT_EQ(co_await status_of("GET", "/replica", ""), 503);
  });
}

TEST_F(MemberApiTest, LoadBalancersSeeAReplicaOnlyWhereItIsCloseEnough) {
  run([&]() -> asio::awaitable<void> {
    service_.says.role = MemberRole::kReplica;
    service_.says.server = ServerState::kRunning;
    service_.says.receiver_connected = service_.says.applier_running = true;
    service_.says.lag_ms = -1;
    EXPECT_EQ(co_await status_of("GET", "/replica", ""), 503);
    service_.says.lag_ms = 1500;
    EXPECT_EQ(co_await status_of("GET", "/replica", ""), 200);
    EXPECT_EQ(co_await status_of("GET", "/replica?max_lag=1", ""), 503);
    EXPECT_EQ(co_await status_of("GET", "/replica?max_lag=1.5", ""), 200);
    service_.says.source_silent_ms = 1000;
    EXPECT_EQ(co_await status_of("GET", "/replica?max_lag=2", ""), 503) << "the source may have written on";
    EXPECT_EQ(co_await status_of("GET", "/replica?max_lag=2.5", ""), 200);
    service_.says.receiver_connected = false;
    EXPECT_EQ(co_await status_of("GET", "/replica", ""), 503);
  });
}

TEST_F(MemberApiTest, AWatchHasALineAtOnceOnAChangeAndAtTheInterval) {
  run([&]() -> asio::awaitable<void> {
    MemberClient client(io_.get_executor(), endpoint_, "good");
    MemberWatch watch = client.watch();
    EXPECT_TRUE(co_await watch.open(kDeadline));
    EXPECT_TRUE(co_await watch.next(kDeadline));

    service_.says.problem = "changed";
    const Instant before = steady_now();
    service_.change();
    const auto changed = co_await watch.next(kDeadline);
    EXPECT_TRUE(changed);
    if (changed) EXPECT_EQ(changed->problem, "changed");
    EXPECT_LT(steady_now() - before, kWatchInterval);

    const auto interval = co_await watch.next(kDeadline);
    EXPECT_TRUE(interval);
    EXPECT_EQ(api_.watchers(), 1U);
    watch.close();
    const Instant until = steady_now() + kDeadline;
    while (api_.watchers() > 0 && steady_now() < until)
      co_await sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(api_.watchers(), 0U);
  });
}

TEST_F(MemberApiTest, ASnapshotTakesATokenOfItsOwnAndNoOther) {
  run([this]() -> asio::awaitable<void> {
    for (const char* token : {"", "good", "copx"}) {
      EXPECT_EQ((co_await ask("GET", "/v1/snapshot", token)).status, 401) << token;
    }
    const HttpResponse whole = co_await ask("GET", "/v1/snapshot", "copy");
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body, "data");
    EXPECT_EQ((co_await ask("POST", "/v1/snapshot", "copy")).status, 405);
    EXPECT_EQ((co_await ask("GET", "/v1/status", "copy")).status, 401) << "who may copy a member may not command it";
  });
}

TEST_F(MemberApiTest, ASnapshotThatEndsEarlyIsABrokenAnswer) {
  snapshots_.whole = false;
  run([this]() -> asio::awaitable<void> {
    HttpRequest request;
    request.method = "GET";
    request.target = "/v1/snapshot";
    request.headers.set("Authorization", "Bearer copy");
    const auto answer = co_await http_request(io_.get_executor(), endpoint_, std::move(request), kDeadline);
    EXPECT_FALSE(answer);
  });
}

}  // namespace
}  // namespace mysos
