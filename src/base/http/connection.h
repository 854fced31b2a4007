// SPDX-License-Identifier: Apache-2.0
#pragma once
// One connection of an HTTP client: connect, send, read the header, read the body, again. Used by
// HttpClient and HttpStream only. It has no deadlines. Its user closes it when the time is up,
// which ends the running operation with an Error.
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/http/message.h"

namespace mysos {

class HttpConnection {
 public:
  HttpConnection(asio::any_io_executor executor, Endpoint to);

  asio::awaitable<Status> connect();
  asio::awaitable<Status> send(const HttpRequest& request, bool keep_alive);
  // Status and headers; the body is read with what follows.
  asio::awaitable<Result<HttpResponse>> read_header();
  asio::awaitable<Result<std::string>> read_some();  // "" at the end
  asio::awaitable<Result<std::string>> read_all(std::size_t limit);
  void close();

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] bool answered() const { return answered_; }  // a byte came since send()
  [[nodiscard]] bool reusable()
      const;  // the response was read whole and the server keeps the connection
  [[nodiscard]] bool
  stale();  // while idle: the server has closed it, or has sent something unasked

 private:
  using Parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;
  enum class Filled { kBytes, kEnd, kFailed };

  asio::awaitable<Filled> fill();
  [[nodiscard]] std::unexpected<Error> broken(std::string_view doing, error_code ec) const;
  void new_parser();

  Endpoint to_;
  asio::ip::tcp::resolver resolver_;
  asio::ip::tcp::socket socket_;
  std::optional<Parser> parser_;
  std::string in_;  // read, not parsed yet
  error_code failure_;
  bool head_ = false;
  bool connected_ = false;
  bool answered_ = false;
  bool closed_ = false;
};

}  // namespace mysos
