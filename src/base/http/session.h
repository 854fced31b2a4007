// SPDX-License-Identifier: Apache-2.0
#pragma once
// One connection of the HTTP server: reads requests, hands each to the handler, and writes what the
// handler answers. Used by HttpServer only. Invariant: after a request that was refused before its
// handler, or an answer that was cut short, the connection is not used again.
#include <map>
#include <memory>
#include <string>

#include "base/http/connection_table.h"
#include "base/http/host_policy.h"
#include "base/http/request_head.h"
#include "base/http/server.h"

namespace mysos {

// What the connections of a server share.
struct HttpServerParts {
  HttpHandler handler;
  HttpServerOptions options;
  HttpHostPolicy hosts;
  HttpConnectionTable table;
  std::uint64_t turned_away = 0;
  std::map<int, std::uint64_t> refused = {};  // requests, by status
};

class HttpSession final : private HttpExchange {
 public:
  HttpSession(asio::ip::tcp::socket socket, HttpServerParts& server);
  ~HttpSession() override;

  // Until the connection ends.
  asio::awaitable<void> run();

 private:
  asio::awaitable<void> turn_away();
  enum class Got { kRequest, kRefused, kNothing };
  enum class Phase { kWaiting, kStreaming, kAnswered, kBroken };
  struct Watch;

  asio::awaitable<Got> read_request(HttpRequest& request);
  asio::awaitable<Got> read_head(RequestHead& head);
  asio::awaitable<Got> read_body(RequestHead& head);
  asio::awaitable<Got> refuse(HttpRefusal refusal);
  asio::awaitable<bool> fill();
  asio::awaitable<void> handle(const HttpRequest& request);
  asio::awaitable<bool> write(std::string bytes);
  asio::awaitable<void> linger();
  std::string head_of(const HttpResponse& response, bool streaming) const;
  void watch_peer(std::shared_ptr<Watch> watch);
  void stop_watching();

  asio::awaitable<bool> reply(HttpResponse response) override;
  asio::awaitable<bool> start_stream(int status, HttpHeaders headers) override;
  asio::awaitable<bool> write_chunk(std::string data) override;
  void trust() override { place_.trust(); }
  std::string server_metrics() override;
  void allow_silence(Duration at_most) override;
  asio::awaitable<bool> finish() override;
  bool closed() override;
  void when_closed(std::function<void()> gone) override;

  asio::ip::tcp::socket socket_;
  HttpServerParts& server_;
  const HttpServerOptions& options_;
  std::string peer_;
  HttpConnectionTable::Place place_;
  std::string in_;  // read, not parsed yet
  bool asked_ = false;  // a request came
  Phase phase_ = Phase::kWaiting;
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool head_ = false;             // the request is a HEAD
  std::shared_ptr<Watch> watch_;  // shared with the wait under way
};

}  // namespace mysos
