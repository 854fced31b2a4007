// SPDX-License-Identifier: Apache-2.0
#include "base/http/connection.h"

#include <fmt/format.h>
#include <poll.h>

namespace mysos {
namespace {
namespace http = boost::beast::http;
constexpr std::size_t kReadChunk = std::size_t{64} * 1024;
constexpr std::uint32_t kMaxHeaderBytes = 64 * 1024;

bool unfit_for_a_header(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}
// A request smuggled in through a value would be somebody else's request.
Status check_request(const HttpRequest& request) {
  bool bad = unfit_for_a_header(request.method) || unfit_for_a_header(request.target) ||
             request.target.find(' ') != std::string::npos;
  for (const auto& [name, value] : request.headers) {
    bad = bad || unfit_for_a_header(name) || unfit_for_a_header(value);
  }
  if (bad) return fail(Errc::kInvalid, "a line break or a blank is at a place where HTTP allows none");
  return {};
}

std::string to_bytes(const HttpRequest& request, const Endpoint& to, bool keep_alive) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
  if (!request.headers.has("Host")) out += fmt::format("Host: {}\r\n", to_string(to));
  for (const auto& [name, value] : request.headers) out += fmt::format("{}: {}\r\n", name, value);
  const bool says_length = !request.body.empty() || request.method == "POST" ||
                           request.method == "PUT" || request.method == "PATCH";
  if (says_length) out += fmt::format("Content-Length: {}\r\n", request.body.size());
  if (!keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
  return out + request.body;
}
}  // namespace

HttpConnection::HttpConnection(asio::any_io_executor executor, Endpoint to)
    : to_(std::move(to)), resolver_(executor), socket_(executor) {}

std::unexpected<Error> HttpConnection::broken(std::string_view doing, error_code ec) const {
  const std::string why = ec == asio::error::eof ? "the connection was closed" : ec.message();
  return fail(Errc::kUnavailable, fmt::format("{} {}: {}", doing, to_string(to_), why));
}

asio::awaitable<Status> HttpConnection::connect() {
  using asio::ip::tcp;
  std::vector<tcp::endpoint> endpoints;
  error_code ec;
  const auto address = asio::ip::make_address(to_.host, ec);
  if (!ec) {
    endpoints.emplace_back(address, to_.port);
  } else {
    auto [failed, found] =
        co_await resolver_.async_resolve(to_.host, std::to_string(to_.port), use_tuple);
    if (failed) co_return broken("cannot find the address of", failed);
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  ec = asio::error::host_not_found;
  for (const auto& endpoint : endpoints) {
    if (closed_) break;
    error_code ignored;
    socket_.close(ignored);
    std::tie(ec) = co_await socket_.async_connect(endpoint, use_tuple);
    if (!ec) break;
  }
  if (closed_) ec = asio::error::operation_aborted;
  if (ec) {
    close();
    co_return broken("cannot connect to", ec);
  }
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  connected_ = true;
  co_return Status{};
}

asio::awaitable<Status> HttpConnection::send(const HttpRequest& request, bool keep_alive) {
  MYSOS_CO_TRY_VOID(check_request(request));
  answered_ = false;
  head_ = request.method == "HEAD";
  const std::string bytes = to_bytes(request, to_, keep_alive);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto [ec, n] = co_await socket_.async_write_some(
        asio::buffer(bytes.data() + done, bytes.size() - done), use_tuple);
    // A server that refuses a body early closes; what it said is still to be read.
    if (ec && done > 0 && ec == asio::error::broken_pipe) break;
    if (ec) co_return broken("cannot send to", ec);
    done += n;
  }
  co_return Status{};
}

void HttpConnection::new_parser() {
  parser_.emplace();
  parser_->header_limit(kMaxHeaderBytes);
  parser_->body_limit(boost::none);
  parser_->skip(head_);
}

asio::awaitable<HttpConnection::Filled> HttpConnection::fill() {
  const std::size_t before = in_.size();
  in_.resize(before + kReadChunk);
  const auto [ec, n] =
      co_await socket_.async_read_some(asio::buffer(in_.data() + before, kReadChunk), use_tuple);
  in_.resize(before + n);
  if (n > 0) answered_ = true;
  failure_ = ec;
  if (!ec) co_return Filled::kBytes;
  co_return ec == asio::error::eof ? Filled::kEnd : Filled::kFailed;
}

asio::awaitable<Result<HttpResponse>> HttpConnection::read_header() {
  new_parser();
  while (true) {
    if (in_.empty() && co_await fill() != Filled::kBytes) {
      co_return broken("no answer from", failure_);
    }
    error_code ec;
    in_.erase(0, parser_->put(asio::buffer(in_), ec));
    if (ec == http::error::need_more) {
      if (co_await fill() != Filled::kBytes) co_return broken("no whole answer from", failure_);
    } else if (ec) {
      co_return broken("no HTTP answer from", ec);
    }
    if (!parser_->is_header_done()) continue;
    if (parser_->get().result_int() / 100 != 1) break;
    new_parser();  // 100 Continue and its like come before the answer
  }
  parser_->eager(true);
  HttpResponse response;
  response.status = static_cast<int>(parser_->get().result_int());
  for (const auto& field : parser_->get()) {
    response.headers.add(std::string(field.name_string()), std::string(field.value()));
  }
  co_return response;
}

asio::awaitable<Result<std::string>> HttpConnection::read_some() {
  std::string out;
  while (!parser_->is_done()) {
    error_code ec;
    if (in_.empty()) {
      const Filled filled = co_await fill();
      if (filled == Filled::kEnd) {
        parser_->put_eof(ec);
        if (ec) co_return broken("the answer was cut off by", asio::error::eof);
        continue;
      }
      if (filled == Filled::kFailed) co_return broken("the answer was cut off by", failure_);
    }
    out.resize(kReadChunk);
    auto& body = parser_->get().body();
    body.data = out.data();
    body.size = out.size();
    in_.erase(0, parser_->put(asio::buffer(in_), ec));
    out.resize(out.size() - body.size);
    const bool need_more = ec == http::error::need_more;
    if (ec && !need_more && ec != http::error::need_buffer)
      co_return broken("no HTTP body from", ec);
    if (!out.empty()) co_return out;
    if (need_more && !in_.empty() && !parser_->is_done() && co_await fill() == Filled::kFailed) {
      co_return broken("the answer was cut off by", failure_);
    }
    if (need_more && failure_ == asio::error::eof)
      co_return broken("the answer was cut off by", failure_);
  }
  co_return std::string();
}

asio::awaitable<Result<std::string>> HttpConnection::read_all(std::size_t limit) {
  std::string body;
  while (true) {
    MYSOS_CO_TRY(const std::string part, co_await read_some());
    if (part.empty()) co_return body;
    body += part;
    if (body.size() > limit) {
      co_return fail(Errc::kTooLarge, fmt::format("the answer of {} is longer than {} bytes",
                                                  to_string(to_), limit));
    }
  }
}

void HttpConnection::close() {
  closed_ = true;
  connected_ = false;
  resolver_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

bool HttpConnection::reusable() const {
  return connected_ && parser_ && parser_->is_done() && parser_->get().keep_alive() && in_.empty();
}

bool HttpConnection::stale() {
  if (!socket_.is_open()) return true;
  pollfd p{socket_.native_handle(), POLLIN | POLLRDHUP, 0};
  return ::poll(&p, 1, 0) != 0;
}

}  // namespace mysos
