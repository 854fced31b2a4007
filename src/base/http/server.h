// SPDX-License-Identifier: Apache-2.0
#pragma once
// An HTTP/1.1 server on one io_context. A connection is one coroutine: it reads a request whole,
// awaits the handler, answers, and keeps the connection. The handler answers through its
// HttpExchange, once: with a whole response, or with a stream whose chunks leave at once, one chunk
// per call. HttpServerOptions bounds whatever a peer does (slow, silent, oversized, gone). A
// request for a foreign host, or of a foreign web page, does not reach the handler (host_policy.h).
// The executor must be that of a single thread.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/asio.h"
#include "base/http/message.h"
#include "base/result.h"
#include "base/task_group.h"

namespace mysos {

inline constexpr std::size_t kMaxHttpHeaderBytes = 32 * 1024;
inline constexpr std::size_t kMaxHttpRequestBody = 1024 * 1024;
inline constexpr std::size_t kMaxHttpConnections = 1024;
inline constexpr std::size_t kMaxHttpHeldBytes = std::size_t{64} << 20;

struct HttpServerOptions {
  std::size_t max_header_bytes = kMaxHttpHeaderBytes;
  std::size_t max_body_bytes = kMaxHttpRequestBody;
  // With more, the server closes another connection (connection_table.h). At most an eighth of the process's descriptors.
  std::size_t max_connections = kMaxHttpConnections;
  std::size_t max_held_bytes = kMaxHttpHeldBytes;    // of all requests that are not whole yet
  Duration idle_timeout = std::chrono::seconds(75);  // between two requests
  Duration head_timeout = std::chrono::seconds(10);  // for the first byte of a connection; for a head, from its first byte
  Duration read_timeout = std::chrono::seconds(30);  // for a body
  Duration write_timeout = std::chrono::seconds(30);  // for one response or one chunk
  Duration unacknowledged_timeout{};  // what was sent and is not acknowledged for so long ends the connection; 0 = the
                                      // system's own, many minutes (TCP_USER_TIMEOUT of tcp(7))
  std::vector<std::string> allowed_hosts = {};  // names that requests may have in Host, and pages in Origin (host_policy.h)
};

// The answer of a handler. Each call returns false once the peer is gone; then the handler should
// return.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual asio::awaitable<bool> reply(HttpResponse response) = 0;
  virtual asio::awaitable<bool> start_stream(int status, HttpHeaders headers) = 0;
  virtual asio::awaitable<bool> write_chunk(std::string data) = 0;  // "" writes nothing
  // The caller has shown a valid token: its connection is not closed in favour of others.
  virtual void trust() {}
  // What the server counts, in Prometheus' text format.
  virtual std::string server_metrics() { return {}; }
  // Replaces the server's unacknowledged_timeout for this connection, for a peer that reads slowly.
  virtual void allow_silence(Duration) {}
  // Ends the stream. A handler that returns without it cuts the connection, so that the peer sees a
  // broken stream.
  virtual asio::awaitable<bool> finish() = 0;
  // The peer has closed (asked of the kernel now). A half-closed connection counts as closed.
  [[nodiscard]] virtual bool closed() = 0;
  // Calls `gone` once, when the peer closes while the handler still runs: to wake a handler that
  // waits for events.
  virtual void when_closed(std::function<void()> gone) = 0;
};

// The request and the exchange live until the handler's coroutine has ended.
using HttpHandler = std::function<asio::awaitable<void>(const HttpRequest&, HttpExchange&)>;

struct HttpServerParts;

class HttpServer {
 public:
  HttpServer(asio::any_io_executor executor, HttpHandler handler, HttpServerOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Starts to accept; port 0 takes a free one. The port that is listened on, or an Error that names
  // address and port. May be called for several addresses.
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);
  // No new connections, cancels the handlers, waits for them. To be awaited before the server is
  // destroyed.
  asio::awaitable<void> stop();
  [[nodiscard]] std::size_t connections() const;

 private:
  asio::awaitable<void> accept_loop(std::shared_ptr<asio::ip::tcp::acceptor> acceptor);
  asio::awaitable<void> serve(asio::ip::tcp::socket socket);
  void tell_of_closed();

  asio::any_io_executor executor_;
  std::unique_ptr<HttpServerParts> parts_;
  std::vector<std::shared_ptr<asio::ip::tcp::acceptor>> acceptors_;  // shared with their loops
  Instant told_{};         // when the log last said that connections were closed
  std::uint64_t tell_{0};  // how many were by then
  TaskGroup tasks_;
};

}  // namespace mysos
