// SPDX-License-Identifier: Apache-2.0
// The server against a raw socket, so that what a client may do wrong can be spelled out.
#include "base/http/server.h"

#include <array>

#include "base/test_loop.h"

namespace mysos {
namespace {
using namespace std::chrono_literals;
using asio::ip::tcp;

// A client that sends exactly the given bytes.
class RawClient {
 public:
  RawClient(asio::io_context& io, std::uint16_t port) : socket(io) {
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    socket.non_blocking(true);
  }
  asio::awaitable<bool> send(std::string bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto [ec, n] = co_await socket.async_write_some(
          asio::buffer(bytes.data() + done, bytes.size() - done), use_tuple);
      if (ec) co_return false;
      done += n;
    }
    co_return true;
  }
  // Reads until the text has come; "" when the connection ends first.
  asio::awaitable<std::string> read_until(std::string text) {
    while (in.find(text) == std::string::npos) {
      if (!co_await read_more()) co_return "";
    }
    const auto end = in.find(text) + text.size();
    std::string out = in.substr(0, end);
    in.erase(0, end);
    co_return out;
  }
  asio::awaitable<std::string> read_all() {
    while (co_await read_more()) {
    }
    co_return in;
  }
  asio::awaitable<bool> read_more() {
    std::array<char, 65536> part{};
    const auto [ec, n] = co_await socket.async_read_some(asio::buffer(part), use_tuple);
    in.append(part.data(), n);
    co_return !ec;
  }
  tcp::socket socket;
  std::string in;
};

struct Fixture : ::testing::Test {
  TestLoop loop;
  std::unique_ptr<HttpServer> server;
  std::uint16_t port = 0;

  void serve(HttpHandler handler, HttpServerOptions options = {}) {
    server = std::make_unique<HttpServer>(loop.io.get_executor(), std::move(handler), options);
    port = server->listen("127.0.0.1", 0).value();
  }
  RawClient client() { return RawClient(loop.io, port); }
  // Runs the test and stops the server while what the handlers refer to is still there.
  void run(asio::awaitable<void> test) {
    loop.run(std::move(test));
    loop.run(server->stop());
  }
};
using HttpServerTest = Fixture;

asio::awaitable<void> echo(const HttpRequest& request, HttpExchange& exchange) {
  std::string said = request.method + " " + request.path + " [" + request.body + "]";
  co_await exchange.reply(text_response(200, std::move(said)));
}

TEST_F(HttpServerTest, KeepsTheConnectionAndServesPipelinedRequests) {
  serve(echo);
  const auto test = [&]() -> asio::awaitable<void> {
    RawClient c = client();
    co_await c.send("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(co_await c.read_until("GET /a []"), "");
    EXPECT_NE(co_await c.read_until("GET /b []"), "");
    co_await c.send(
        "POST /c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\nxyz");
    const std::string last = co_await c.read_all();
    EXPECT_NE(last.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(last.ends_with("POST /c [xyz]"));
  };
  run(test());
}

TEST_F(HttpServerTest, ReadsAChunkedBodyByteByByte) {
  serve(echo);
  const auto test = [&]() -> asio::awaitable<void> {
    RawClient c = client();
    const std::string all =
        "PUT /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n2;e=1\r\nde\r\n0\r\n\r\n";
    for (const char byte : all) co_await c.send(std::string(1, byte));
    EXPECT_NE(co_await c.read_until("PUT /x [abcde]"), "");
  };
  run(test());
}

TEST_F(HttpServerTest, RefusesWhatIsTooLargeAndSaysSo) {
  serve(echo, {.max_header_bytes = 1000, .max_body_bytes = 100});
  const auto answer_to = [&](std::string bytes) -> asio::awaitable<std::string> {
    RawClient c = client();
    EXPECT_TRUE(co_await c.send(std::move(bytes))) << "the connection was reset";
    co_return co_await c.read_all();
  };
  const auto test = [&]() -> asio::awaitable<void> {
    const std::string post = "POST / HTTP/1.1\r\nHost: localhost\r\n";
    const std::string long_header =
        co_await answer_to(post + "X: " + std::string(5000, 'x') + "\r\n\r\n");
    EXPECT_TRUE(long_header.starts_with("HTTP/1.1 431 ")) << long_header;
    const std::string long_body =
        co_await answer_to(post + "Content-Length: 101\r\n\r\n" + std::string(101, 'x'));
    EXPECT_TRUE(long_body.starts_with("HTTP/1.1 413 ")) << long_body;
    const std::string chunked =
        co_await answer_to(post + "Transfer-Encoding: chunked\r\n\r\n70\r\n" +
                           std::string(0x70, 'x') + "\r\n0\r\n\r\n");
    EXPECT_TRUE(chunked.starts_with("HTTP/1.1 413 ")) << chunked;
    const std::size_t much = std::size_t{20} << 20;  // more than any buffer between the two takes
    const std::string very_long =
        co_await answer_to(post + "Content-Length: " + std::to_string(much) + "\r\n\r\n" + std::string(much, 'x'));
    EXPECT_TRUE(very_long.starts_with("HTTP/1.1 413 ")) << very_long;
    const std::string nonsense = co_await answer_to("what is this\r\n\r\n");
    EXPECT_TRUE(nonsense.starts_with("HTTP/1.1 400 ")) << nonsense;
    EXPECT_NE(nonsense.find("application/problem+json"), std::string::npos);
    const std::string bad_target = co_await answer_to("GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(bad_target.starts_with("HTTP/1.1 400 ")) << bad_target;
  };
  run(test());
}

TEST_F(HttpServerTest, ARefusedRequestIsTheLastOfItsConnection) {
  int served = 0;
  serve([&](const HttpRequest& request, HttpExchange& exchange) -> asio::awaitable<void> {
    ++served;
    co_await echo(request, exchange);
  });
  const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const auto test = [&]() -> asio::awaitable<void> {
    for (const char* field : {"Transfer-Encoding: xchunked", "Transfer-Encoding: gzip, chunked", "Content-Length: +0",
                              "Content-Length: 0\r\nContent-Length: 49", "Host: a", "X : y", " folded"}) {
      RawClient c = client();
      co_await c.send("POST / HTTP/1.1\r\nHost: localhost\r\n" + std::string(field) + "\r\n\r\n" + hidden);
      const std::string answer = co_await c.read_all();
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.1 501 ")) << answer;
      EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
      EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << answer;
    }
    RawClient c = client();
    co_await c.send("POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na\r\n" + hidden);
    EXPECT_NE(co_await c.read_until("POST /a [a]"), "");
    EXPECT_NE(co_await c.read_until("GET /hidden []"), "");  // after a line break too many
  };
  run(test());
  EXPECT_EQ(served, 2);
}

TEST_F(HttpServerTest, LetsGoOfSlowAndSilentClients) {
  serve(echo, {.idle_timeout = 100ms, .head_timeout = 20ms, .read_timeout = 20ms});
  const auto test = [&]() -> asio::awaitable<void> {
    RawClient silent = client();
    RawClient slow_head = client();
    co_await slow_head.send("GET / HTT");
    RawClient slow = client();
    co_await slow.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab");
    EXPECT_EQ(co_await silent.read_all(), "");
    EXPECT_EQ(co_await slow_head.read_all(), "");
    EXPECT_EQ(co_await slow.read_all(), "");
    RawClient good = client();
    co_await good.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(co_await good.read_until("[]"), "");
    EXPECT_EQ(co_await good.read_all(), "");  // silent later
    EXPECT_TRUE(co_await eventually([&] { return server->connections() == 0; }));
  };
  run(test());
}

TEST_F(HttpServerTest, GivesUpOnAClientThatDoesNotRead) {
  bool wrote_all = true;
  const auto flood = [&](const HttpRequest&, HttpExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.start_stream(200, {});
    while (wrote_all) wrote_all = co_await exchange.write_chunk(std::string(1 << 20, 'x'));
  };
  serve(flood, {.write_timeout = 30ms});
  const auto test = [&]() -> asio::awaitable<void> {
    RawClient c = client();
    co_await c.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(co_await eventually([&] { return !wrote_all; }));
    EXPECT_TRUE(co_await eventually([&] { return server->connections() == 0; }));
  };
  run(test());
}

TEST_F(HttpServerTest, StreamsEachRecordAtOnce) {
  Signal next(loop.io.get_executor());
  bool go = false;
  const auto stream = [&](const HttpRequest&, HttpExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.start_stream(200, {{"Content-Type", "text/event-stream"}});
    co_await exchange.write_chunk("one");
    while (!go) co_await next.wait();
    co_await exchange.write_chunk("two");
    co_await exchange.finish();
  };
  serve(stream);
  const auto test = [&]() -> asio::awaitable<void> {
    RawClient c = client();
    co_await c.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(co_await c.read_until("\r\n\r\n3\r\none\r\n"), "");
    go = true;
    next.notify_all();
    EXPECT_NE(co_await c.read_until("3\r\ntwo\r\n0\r\n\r\n"), "");
    co_await c.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");  // the connection is still good
    EXPECT_NE(co_await c.read_until("one"), "");
  };
  run(test());
}

TEST_F(HttpServerTest, TellsAHandlerThatThePeerIsGone) {
  bool told = false;
  bool asked = false;
  const auto wait = [&](const HttpRequest&, HttpExchange& exchange) -> asio::awaitable<void> {
    Signal gone(loop.io.get_executor());
    co_await exchange.start_stream(200, {});
    EXPECT_FALSE(exchange.closed());
    exchange.when_closed([&] { gone.notify_all(); });
    told = co_await gone.wait_for(10s);
    asked = exchange.closed();
  };
  serve(wait);
  const auto test = [&]() -> asio::awaitable<void> {
    RawClient c = client();
    co_await c.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(co_await c.read_until("\r\n\r\n"), "");
    c.socket.close();
    EXPECT_TRUE(co_await eventually([&] { return told; }));
  };
  run(test());
  EXPECT_TRUE(asked);
}

TEST_F(HttpServerTest, SpeaksHttp10AndHeadAnd100Continue) {
  const auto stream = [&](const HttpRequest& request,
                          HttpExchange& exchange) -> asio::awaitable<void> {
    if (request.path != "/stream") {
      co_await echo(request, exchange);
      co_return;
    }
    co_await exchange.start_stream(200, {});
    co_await exchange.write_chunk("all");
    co_await exchange.finish();
  };
  serve(stream);
  const auto test = [&]() -> asio::awaitable<void> {
    RawClient old = client();
    co_await old.send("GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n");
    const std::string plain = co_await old.read_all();
    EXPECT_TRUE(plain.ends_with("\r\n\r\nall")) << plain;
    RawClient head = client();
    co_await head.send("HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::string answer = co_await head.read_all();
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
    EXPECT_NE(answer.find("Content-Length: 9\r\n"), std::string::npos) << answer;
    RawClient polite = client();
    co_await polite.send("POST /p HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(co_await polite.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    co_await polite.send("ok");
    EXPECT_NE(co_await polite.read_until("POST /p [ok]"), "");
  };
  run(test());
}

TEST_F(HttpServerTest, AHandlerThatThrowsOrForgetsIsA500) {
  const auto bad = [&](const HttpRequest& request,
                       HttpExchange& exchange) -> asio::awaitable<void> {
    if (request.path == "/throw") throw std::runtime_error("secret details");
    if (request.path == "/cut") {
      co_await exchange.start_stream(200, {});
      co_await exchange.write_chunk("part");
    }
  };
  serve(bad);
  const auto test = [&]() -> asio::awaitable<void> {
    RawClient c = client();
    co_await c.send("GET /throw HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string thrown = co_await c.read_until("}");
    EXPECT_TRUE(thrown.starts_with("HTTP/1.1 500 "));
    EXPECT_EQ(thrown.find("secret"), std::string::npos);
    co_await c.send("GET /forgets HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(co_await c.read_until("500"), "");
    RawClient cut = client();
    co_await cut.send("GET /cut HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string half = co_await cut.read_all();
    EXPECT_TRUE(half.ends_with("4\r\npart\r\n")) << half;
  };
  run(test());
}

TEST_F(HttpServerTest, AHeaderValueNeverBecomesTwoLines) {
  const auto handler = [&](const HttpRequest&, HttpExchange& exchange) -> asio::awaitable<void> {
    HttpResponse response;
    response.headers.set("Location", "/x\r\nSet-Cookie: evil=1");
    co_await exchange.reply(std::move(response));
  };
  serve(handler);
  const auto test = [&]() -> asio::awaitable<void> {
    RawClient c = client();
    co_await c.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string answer = co_await c.read_until("\r\n\r\n");
    EXPECT_EQ(answer.find("\r\nSet-Cookie"), std::string::npos) << answer;
  };
  run(test());
}

TEST_F(HttpServerTest, ANewConnectionTakesThePlaceOfAnIdleOne) {
  serve(echo, {.max_connections = 8});
  const auto test = [&]() -> asio::awaitable<void> {
    std::vector<std::unique_ptr<RawClient>> crowd;
    for (int i = 0; i < 50; ++i) {
      crowd.push_back(std::make_unique<RawClient>(loop.io, port));
      if (i % 2 == 0) co_await crowd.back()->send("GET / HTTP/1.1\r\nHo");
    }
    RawClient c = client();
    co_await c.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(co_await c.read_until("[]"), "");
    EXPECT_LE(server->connections(), 8u);
    EXPECT_EQ(co_await crowd.front()->read_all(), "");
  };
  run(test());
}

TEST_F(HttpServerTest, KnownCallersKeepTheirPlacesAndOnlyTheyAreTurnedAwayFor) {
  int streams = 0;
  const auto stream = [&](const HttpRequest&, HttpExchange& exchange) -> asio::awaitable<void> {
    exchange.trust();
    ++streams;
    co_await exchange.start_stream(200, {});
    while (co_await exchange.write_chunk("x")) co_await sleep_for(5ms);
    --streams;
  };
  serve(stream, {.max_connections = 4});
  const auto test = [&]() -> asio::awaitable<void> {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(std::make_unique<RawClient>(loop.io, port));
      co_await clients.back()->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      EXPECT_NE(co_await clients.back()->read_until("\r\n\r\n"), "");
    }
    for (int i = 0; i < 3; ++i) {
      RawClient late = client();
      EXPECT_NE(co_await late.read_until("HTTP/1.1 503 "), "");
    }
    EXPECT_EQ(streams, 4);
    clients.clear();
    EXPECT_TRUE(co_await eventually([&] { return streams == 0; }));
  };
  run(test());
}

TEST_F(HttpServerTest, LetsNoForeignHostOrPageReachTheHandler) {
  int served = 0;
  const auto count = [&](const HttpRequest&, HttpExchange& exchange) -> asio::awaitable<void> {
    ++served;
    co_await exchange.reply(text_response(200, exchange.server_metrics()));
  };
  serve(count, {.allowed_hosts = {"mysos.example"}});
  const auto answer_to = [&](std::string fields) -> asio::awaitable<std::string> {
    RawClient c = client();
    co_await c.send("POST / HTTP/1.1\r\nConnection: close\r\n" + fields + "\r\n");
    co_return co_await c.read_all();
  };
  const auto test = [&]() -> asio::awaitable<void> {
    EXPECT_TRUE((co_await answer_to("Host: evil.example\r\n")).starts_with("HTTP/1.1 421 "));
    const std::string page = co_await answer_to("Host: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 9\r\n");
    EXPECT_TRUE(page.starts_with("HTTP/1.1 403 ")) << page;  // the body is not waited for
    EXPECT_EQ(served, 0);
    const std::string good = co_await answer_to("Host: mysos.example\r\nOrigin: https://mysos.example\r\n");
    EXPECT_TRUE(good.starts_with("HTTP/1.1 200 ")) << good;
    EXPECT_NE(good.find("mysos_http_requests_refused_total{status=\"421\"} 1\n"), std::string::npos) << good;
    EXPECT_NE(good.find("mysos_http_connections 1\n"), std::string::npos) << good;
  };
  run(test());
  EXPECT_EQ(served, 1);
}

TEST_F(HttpServerTest, APortInUseIsNamed) {
  serve(echo);
  HttpServer second(loop.io.get_executor(), echo);

  const auto result = second.listen("127.0.0.1", port);

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::kConflict);
  EXPECT_NE(result.error().message.find("port " + std::to_string(port) + " is already in use"),
            std::string::npos);
  EXPECT_FALSE(second.listen("not an address", 1));
  loop.run(server->stop());
}

TEST_F(HttpServerTest, StopEndsHandlersThatWait) {
  bool ended = false;
  const auto handler = [&](const HttpRequest&, HttpExchange&) -> asio::awaitable<void> {
    struct Mark {
      bool& flag;
      ~Mark() { flag = true; }
    };
    const Mark mark{ended};
    co_await sleep_for(1h);
  };
  serve(handler);
  RawClient c = client();
  const auto start = [&]() -> asio::awaitable<void> {
    co_await c.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    co_await eventually([&] { return server->connections() == 1; });
  };
  loop.run(start());
  loop.run(server->stop());
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace mysos
