// SPDX-License-Identifier: Apache-2.0
#pragma once
// HTTP/1.1 clients: one request (http_request), requests over kept connections (HttpClient), and a
// response that is read incrementally (HttpStream). Every call has one deadline for everything:
// resolving, connecting, writing, reading. Any status is a response, not an Error. An Error means
// that there is no complete response: kUnavailable (could not connect, cut off), kTimeout,
// kTooLarge. Belongs to the thread that runs the executor.
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/http/message.h"
#include "base/result.h"

namespace mysos {

inline constexpr std::size_t kMaxHttpResponseBody = std::size_t{64} << 20;
inline constexpr std::size_t kMaxKeptConnections = 4;
inline constexpr Duration kKeptConnectionIdle = std::chrono::seconds(30);

class HttpConnection;

// One request on a connection of its own. `host` and `connection` headers are added.
asio::awaitable<Result<HttpResponse>> http_request(asio::any_io_executor executor, Endpoint to,
                                                   HttpRequest request, Duration deadline);

// Keeps connections per endpoint, at most `max_per_endpoint` (busy ones included; further requests
// wait their turn). An idempotent request is sent once more when a kept connection turns out to be
// closed before any byte of the response.
class HttpClient {
 public:
  explicit HttpClient(asio::any_io_executor executor,
                      std::size_t max_per_endpoint = kMaxKeptConnections);
  ~HttpClient();  // closes idle connections; running requests keep what they need and end by
                  // themselves
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  asio::awaitable<Result<HttpResponse>> request(Endpoint to, HttpRequest request,
                                                Duration deadline);
  [[nodiscard]] std::size_t kept(const Endpoint& to) const;  // idle connections

 private:
  struct Pool;
  std::shared_ptr<Pool> pool_;  // shared with requests under way
};

// A response read incrementally, of any length: an event stream, a snapshot.
class HttpStream {
 public:
  explicit HttpStream(asio::any_io_executor executor);
  ~HttpStream();
  HttpStream(HttpStream&&) noexcept;
  HttpStream& operator=(HttpStream&&) noexcept;

  // Sends the request; status and headers of the answer, body empty. May be called again after
  // close().
  asio::awaitable<Result<HttpResponse>> open(Endpoint to, HttpRequest request, Duration deadline);
  // The next bytes of the body, as soon as there are any; "" at its end. kTimeout when nothing came
  // for `idle`; a body that is cut off is kUnavailable. The stream is closed after any Error.
  asio::awaitable<Result<std::string>> read_some(Duration idle);
  // The whole rest, for the body of an error answer.
  asio::awaitable<Result<std::string>> read_all(std::size_t limit, Duration idle);
  // Ends a read under way with an Error.
  void close();

 private:
  asio::any_io_executor executor_;
  std::shared_ptr<HttpConnection>
      connection_;  // shared with a read that is under way while close() is called
};

}  // namespace mysos
