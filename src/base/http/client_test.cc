// SPDX-License-Identifier: Apache-2.0
#include "base/http/client.h"

#include "base/http/server.h"
#include "base/test_loop.h"

namespace mysos {
namespace {
using namespace std::chrono_literals;
using asio::ip::tcp;

constexpr std::size_t kBigStream = std::size_t{20} << 20;

struct Fixture : ::testing::Test {
  TestLoop loop;
  std::unique_ptr<HttpServer> server;
  Endpoint to;
  int requests = 0;

  asio::awaitable<void> handle(const HttpRequest& request, HttpExchange& exchange) {
    ++requests;
    if (request.path == "/hang") co_await sleep_for(1h);
    if (request.path == "/big") {
      co_await exchange.start_stream(200, {});
      const std::string part(100'000, 'x');
      std::size_t left = kBigStream;
      while (left > 0 && co_await exchange.write_chunk(part.substr(0, left)))
        left -= std::min(left, part.size());
      co_await exchange.finish();
      co_return;
    }
    if (request.path == "/cut" || request.path == "/silent") {
      co_await exchange.start_stream(200, {});
      co_await exchange.write_chunk("part");
      if (request.path == "/silent") co_await sleep_for(1h);
      co_return;
    }
    co_await exchange.reply(
        text_response(request.path == "/missing" ? 404 : 200, request.method + request.body));
  }
  void serve(HttpServerOptions options = {}, std::uint16_t port = 0) {
    server = std::make_unique<HttpServer>(
        loop.io.get_executor(),
        [this](const HttpRequest& request, HttpExchange& exchange) {
          return handle(request, exchange);
        },
        options);
    to = Endpoint{"127.0.0.1", server->listen("127.0.0.1", port).value()};
  }
  asio::awaitable<Result<HttpResponse>> get(std::string target, Duration deadline = 5s) {
    return http_request(loop.io.get_executor(), to, HttpRequest{.target = std::move(target)},
                        deadline);
  }
  void SetUp() override { serve(); }
  void TearDown() override { loop.run(server->stop()); }
};
using HttpClientTest = Fixture;
using HttpStreamTest = Fixture;

TEST_F(HttpClientTest, AnyStatusIsAResponse) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto found = co_await get("/");
    EXPECT_EQ(found.value().body, "GET");
    const auto missing = co_await get("/missing");
    EXPECT_EQ(missing.value().status, 404);
    const auto head =
        co_await http_request(loop.io.get_executor(), to, HttpRequest{.method = "HEAD"}, 5s);
    EXPECT_EQ(head.value().body, "");
    EXPECT_EQ(head.value().headers.get("content-length"), "4");
    const auto big = co_await get("/big");
    EXPECT_EQ(big.value().body.size(), kBigStream);
  };
  loop.run(test());
}

TEST_F(HttpClientTest, ResolvesLocalhost) {
  const auto test = [&]() -> asio::awaitable<void> {
    to.host = "localhost";
    const auto response = co_await get("/");
    EXPECT_EQ(response.value().status, 200);
  };
  loop.run(test());
}

TEST_F(HttpClientTest, DeadlinesAndBrokenAnswersAreErrors) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto hung = co_await get("/hang", 20ms);
    EXPECT_EQ(hung.error().code, Errc::kTimeout);
    const auto silent = co_await get("/silent", 20ms);
    EXPECT_EQ(silent.error().code, Errc::kTimeout);
    const auto cut = co_await get("/cut");
    EXPECT_EQ(cut.error().code, Errc::kUnavailable);
    const auto nobody = co_await http_request(loop.io.get_executor(), {"127.0.0.1", 1}, {}, 5s);
    EXPECT_EQ(nobody.error().code, Errc::kUnavailable);
    EXPECT_NE(nobody.error().message.find("127.0.0.1:1: Connection refused"), std::string::npos);
    const auto smuggled = co_await get("/ HTTP/1.1\r\nX: y\r\n\r\n");
    EXPECT_EQ(smuggled.error().code, Errc::kInvalid);
  };
  loop.run(test());
}

TEST_F(HttpClientTest, KeepsAConnection) {
  HttpClient client(loop.io.get_executor());
  const auto test = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 5; ++i) {
      const auto response =
          co_await client.request(to, HttpRequest{.method = "POST", .body = "x"}, 5s);
      EXPECT_EQ(response.value().body, "POSTx");
    }
    EXPECT_EQ(client.kept(to), 1U);
    EXPECT_EQ(server->connections(), 1U);
  };
  loop.run(test());
}

TEST_F(HttpClientTest, ARestartedServerIsNoError) {
  HttpClient client(loop.io.get_executor());
  const auto ask = [&]() -> asio::awaitable<void> {
    const auto response = co_await client.request(to, {}, 5s);
    EXPECT_EQ(response.value().status, 200);
  };
  loop.run(ask());
  loop.run(server->stop());
  serve({}, to.port);
  loop.run(ask());
  EXPECT_EQ(requests, 2);
}

// A server that closes each connection when the second request arrives on it: what a kept
// connection runs into.
asio::awaitable<void> one_answer_each(std::shared_ptr<tcp::acceptor> acceptor, int& served) {
  while (true) {
    auto [ec, socket] = co_await acceptor->async_accept(use_tuple);
    if (ec) co_return;
    std::string in(4096, '\0');
    co_await socket.async_read_some(asio::buffer(in), use_tuple);
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    co_await socket.async_write_some(asio::buffer(answer), use_tuple);
    ++served;
    co_await socket.async_read_some(asio::buffer(in), use_tuple);
  }
}

TEST_F(HttpClientTest, SendsAnIdempotentRequestOnceMoreWhenAKeptConnectionWasClosed) {
  int served = 0;
  const auto acceptor = std::make_shared<tcp::acceptor>(
      loop.io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  const Endpoint closing{"127.0.0.1", acceptor->local_endpoint().port()};
  TaskGroup tasks(loop.io.get_executor());
  tasks.spawn("closing server", one_answer_each(acceptor, served));
  HttpClient client(loop.io.get_executor());
  const auto test = [&]() -> asio::awaitable<void> {
    const auto first = co_await client.request(closing, {}, 5s);
    EXPECT_TRUE(first);
    const auto second = co_await client.request(closing, {}, 5s);
    EXPECT_TRUE(second);
    EXPECT_EQ(served, 2);
    const auto post = co_await client.request(closing, HttpRequest{.method = "POST"}, 5s);
    EXPECT_EQ(post.error().code, Errc::kUnavailable);
    const auto again =
        co_await client.request(closing, HttpRequest{.method = "POST", .idempotent = true}, 5s);
    EXPECT_TRUE(again);
    co_await tasks.cancel_and_join();
  };
  loop.run(test());
}

TEST_F(HttpClientTest, OpensAtMostSoManyConnectionsAndQueuesTheRest) {
  HttpClient client(loop.io.get_executor(), 2);
  int answered = 0;
  const auto ask = [&](std::string target, Duration deadline) -> asio::awaitable<void> {
    const auto response =
        co_await client.request(to, HttpRequest{.target = std::move(target)}, deadline);
    if (response) ++answered;
  };
  const auto test = [&]() -> asio::awaitable<void> {
    TaskGroup tasks(loop.io.get_executor());
    tasks.spawn("hang", ask("/hang", 50ms));
    for (int i = 0; i < 10; ++i) tasks.spawn("ask", ask("/", 5s));
    EXPECT_TRUE(co_await eventually([&] { return answered == 10; }));
    EXPECT_LE(server->connections(), 2U);
    co_await tasks.join();
  };
  loop.run(test());
}

TEST_F(HttpClientTest, ACancelledRequestGivesItsPlaceBack) {
  HttpClient client(loop.io.get_executor(), 1);
  const auto hang = [&]() -> asio::awaitable<void> {
    co_await client.request(to, HttpRequest{.target = "/hang"}, 1h);
  };
  const auto test = [&]() -> asio::awaitable<void> {
    TaskGroup tasks(loop.io.get_executor());
    tasks.spawn("hang", hang());
    EXPECT_TRUE(co_await eventually([&] { return requests == 1; }));
    co_await tasks.cancel_and_join();
    const auto response = co_await client.request(to, {}, 5s);
    EXPECT_TRUE(response);
  };
  loop.run(test());
}

TEST_F(HttpStreamTest, ReadsABodyOfAnyLengthAsItComes) {
  const auto test = [&]() -> asio::awaitable<void> {
    HttpStream stream(loop.io.get_executor());
    const auto opened = co_await stream.open(to, HttpRequest{.target = "/big"}, 5s);
    EXPECT_EQ(opened.value().status, 200);
    std::size_t total = 0;
    while (true) {
      const auto part = co_await stream.read_some(5s);
      if (!part || part->empty()) break;
      total += part->size();
    }
    EXPECT_EQ(total, kBigStream);
  };
  loop.run(test());
}

TEST_F(HttpStreamTest, SilenceAndACutAreTold) {
  const auto test = [&]() -> asio::awaitable<void> {
    HttpStream stream(loop.io.get_executor());
    EXPECT_TRUE(co_await stream.open(to, HttpRequest{.target = "/silent"}, 5s));
    const auto first = co_await stream.read_some(5s);
    EXPECT_EQ(first.value(), "part");
    const auto second = co_await stream.read_some(20ms);
    EXPECT_EQ(second.error().code, Errc::kTimeout);
    EXPECT_TRUE(co_await stream.open(to, HttpRequest{.target = "/cut"}, 5s));
    const auto cut = co_await stream.read_all(1000, 5s);
    EXPECT_EQ(cut.error().code, Errc::kUnavailable);
  };
  loop.run(test());
}

TEST_F(HttpStreamTest, CloseEndsAReadUnderWay) {
  bool ended = false;
  HttpStream stream(loop.io.get_executor());
  const auto read = [&]() -> asio::awaitable<void> {
    const auto part = co_await stream.read_some(1h);
    ended = !part;
  };
  const auto test = [&]() -> asio::awaitable<void> {
    EXPECT_TRUE(co_await stream.open(to, HttpRequest{.target = "/silent"}, 5s));
    const auto first = co_await stream.read_some(5s);
    EXPECT_TRUE(first);
    TaskGroup tasks(loop.io.get_executor());
    tasks.spawn("read", read());
    stream.close();
    co_await tasks.join();
  };
  loop.run(test());
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace mysos
