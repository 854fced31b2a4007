// SPDX-License-Identifier: Apache-2.0
#pragma once
// An HTTP/1.1 server on one io_context. A connection is one coroutine: it reads a request whole,
// awaits the handler, answers, and keeps the connection. The handler answers through its
// HttpExchange, once: with a whole response, or with a stream whose chunks leave at once, one chunk
// per call. Whatever a peer does (slow, silent, oversized, gone) is bounded by HttpServerOptions.
// The executor must be that of a single thread.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/http/message.h"
#include "base/result.h"
#include "base/task_group.h"

namespace mysos {

inline constexpr std::size_t kMaxHttpHeaderBytes = 32 * 1024;
inline constexpr std::size_t kMaxHttpRequestBody = 1024 * 1024;
inline constexpr std::size_t kMaxHttpConnections = 1024;

struct HttpServerOptions {
  std::size_t max_header_bytes = kMaxHttpHeaderBytes;
  std::size_t max_body_bytes = kMaxHttpRequestBody;
  std::size_t max_connections = kMaxHttpConnections;  // one more is answered 503
  Duration idle_timeout = std::chrono::seconds(75);   // between two requests
  Duration read_timeout = std::chrono::seconds(30);   // for one whole request, from its first byte
  Duration write_timeout = std::chrono::seconds(30);  // for one response or one chunk
  Duration unacknowledged_timeout{};  // what was sent and is not acknowledged for so long ends the connection; 0 = the
                                      // system's own, many minutes (TCP_USER_TIMEOUT of tcp(7))
};

// What a handler answers with. Each call is false once the peer is gone; a handler then just
// returns.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual asio::awaitable<bool> reply(HttpResponse response) = 0;
  virtual asio::awaitable<bool> start_stream(int status, HttpHeaders headers) = 0;
  virtual asio::awaitable<bool> write_chunk(std::string data) = 0;  // "" writes nothing
  // For this connection, instead of the server's unacknowledged_timeout: a peer that is slow to take what it asked for.
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
  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  asio::awaitable<void> accept_loop(std::shared_ptr<asio::ip::tcp::acceptor> acceptor);
  asio::awaitable<void> serve(asio::ip::tcp::socket socket);

  asio::any_io_executor executor_;
  HttpHandler handler_;
  HttpServerOptions options_;
  std::vector<std::shared_ptr<asio::ip::tcp::acceptor>> acceptors_;  // shared with their loops
  std::size_t connections_ = 0;
  TaskGroup tasks_;
};

}  // namespace mysos
