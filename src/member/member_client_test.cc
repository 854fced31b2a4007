// SPDX-License-Identifier: Apache-2.0
// The client against a server on loopback that says what each test wants said.
#include "member/member_client.h"

#include <gtest/gtest.h>

#include "base/http/server.h"
#include "base/task_group.h"

namespace mysos {
namespace {

constexpr Duration kDeadline = std::chrono::seconds(5);

MemberReport report_with_seq(std::uint64_t seq) {
  MemberReport r;
  r.member = MemberId("m-0");
  r.seq = seq;
  return r;
}

// Runs `body` on a loop of its own, beside a server with this handler.
void with_server(HttpHandler handler, std::function<asio::awaitable<void>(MemberClient&)> body) {
  asio::io_context io;
  TaskGroup tasks(io.get_executor());
  HttpServer server(io.get_executor(), std::move(handler));
  const std::uint16_t port = server.listen("127.0.0.1", 0).value();
  bool done = false;
  auto run = [&]() -> asio::awaitable<void> {
    MemberClient client(io.get_executor(), {"127.0.0.1", port}, "the token");
    co_await body(client);
    co_await server.stop();
    done = true;
  };
  tasks.spawn("test", run());
  io.run_for(std::chrono::seconds(20));
  EXPECT_TRUE(done);
  if (!done) io.stop();
}

TEST(MemberClient, SendsAnOrderWithItsTokenAndReadsTheReport) {
  HttpRequest seen;
  with_server(
      [&](const HttpRequest& request, HttpExchange& exchange) -> asio::awaitable<void> {
        seen = request;
        co_await exchange.reply(json_response(200, encode_report(report_with_seq(4))));
      },
      [](MemberClient& client) -> asio::awaitable<void> {
        Order fence = order::Fence{{3, 0}};
        const auto report = co_await client.send(fence, kDeadline);
        EXPECT_TRUE(report);
        if (report) EXPECT_EQ(report->seq, 4U);
      });
  EXPECT_EQ(seen.method + " " + seen.path, "POST /v1/fence");
  EXPECT_EQ(seen.headers.get("authorization"), "Bearer the token");
}

TEST(MemberClient, ARefusalIsTheProblemsError) {
  with_server(
      [](const HttpRequest&, HttpExchange& exchange) -> asio::awaitable<void> {
        Error error{Errc::kFenced, "promised 7.3 already", {}};
        co_await exchange.reply(order_problem(error, {7, 3}));
      },
      [](MemberClient& client) -> asio::awaitable<void> {
        Order fence = order::Fence{{3, 0}};
        const auto report = co_await client.send(fence, kDeadline);
        EXPECT_FALSE(report);
        if (!report) EXPECT_EQ(report.error().code, Errc::kFenced);
      });
}

TEST(MemberWatch, GivesTheNewestReportThenSilenceThenTheEnd) {
  int streams = 0;
  with_server(
      [&](const HttpRequest&, HttpExchange& exchange) -> asio::awaitable<void> {
        const bool falls_silent = ++streams == 1;
        HttpHeaders headers{{"Content-Type", "application/jsonl"}};
        co_await exchange.start_stream(200, headers);
        std::string lines =
            encode_report(report_with_seq(1)) + "\n" + encode_report(report_with_seq(2)) + "\n";
        co_await exchange.write_chunk(lines);
        if (falls_silent) {
          Signal gone(co_await asio::this_coro::executor);
          exchange.when_closed([&] { gone.notify_all(); });
          co_await gone.wait_for(kDeadline);
        } else {
          co_await exchange.finish();
        }
      },
      [](MemberClient& client) -> asio::awaitable<void> {
        MemberWatch watch = client.watch();
        const auto opened = co_await watch.open(kDeadline);
        EXPECT_TRUE(opened);
        const auto first = co_await watch.next(kDeadline);
        EXPECT_TRUE(first);
        if (first) EXPECT_EQ(first->seq, 2U);
        const auto silent = co_await watch.next(std::chrono::milliseconds(50));
        EXPECT_FALSE(silent);
        if (!silent) EXPECT_EQ(silent.error().code, Errc::kTimeout);

        const auto again = co_await watch.open(kDeadline);
        EXPECT_TRUE(again);
        const auto line = co_await watch.next(kDeadline);
        EXPECT_TRUE(line);
        const auto end = co_await watch.next(kDeadline);
        EXPECT_FALSE(end);
        if (!end) EXPECT_EQ(end.error().code, Errc::kUnavailable);
      });
}

TEST(MemberWatch, ARefusedStreamIsTheProblemsError) {
  with_server(
      [](const HttpRequest&, HttpExchange& exchange) -> asio::awaitable<void> {
        Error error{Errc::kUnauthorized, "a token is needed", {}};
        co_await exchange.reply(problem_response(error));
      },
      [](MemberClient& client) -> asio::awaitable<void> {
        MemberWatch watch = client.watch();
        const auto opened = co_await watch.open(kDeadline);
        EXPECT_FALSE(opened);
        if (!opened) EXPECT_EQ(opened.error().code, Errc::kUnauthorized);
      });
}

TEST(MemberClient, NobodyThereIsUnavailable) {
  asio::io_context io;
  TaskGroup tasks(io.get_executor());
  auto run = [&]() -> asio::awaitable<void> {
    MemberClient client(io.get_executor(), {"127.0.0.1", 1}, "t");
    const auto report = co_await client.status(kDeadline);
    EXPECT_FALSE(report);
    if (!report) EXPECT_EQ(report.error().code, Errc::kUnavailable);
  };
  tasks.spawn("test", run());
  io.run_for(std::chrono::seconds(20));
  EXPECT_EQ(tasks.size(), 0U);
}

}  // namespace
}  // namespace mysos
