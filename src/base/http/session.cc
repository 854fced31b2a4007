// SPDX-License-Identifier: Apache-2.0
#include "base/http/session.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"

namespace mysos {
namespace {
constexpr Logger kLog{"http"};
constexpr std::size_t kReadChunk = std::size_t{16} * 1024;
constexpr std::size_t kMaxLingerBytes = std::size_t{64} << 20;
constexpr Duration kMaxLinger = std::chrono::seconds(5);

// A value never ends its line, whatever it quotes.
void append_field(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  for (const char c : value) head += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  head += "\r\n";
}

bool has_no_body(int status) { return status == 204 || status == 304 || status < 200; }

bool peer_gone(int fd) {
  pollfd p{fd, POLLRDHUP, 0};
  return ::poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}
bool input_waits(int fd) {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, 0) > 0;
}
}  // namespace

namespace {
// A network of IPv6 is one peer: whoever has it has all its addresses.
std::string peer_address(const asio::ip::tcp::socket& socket) {
  error_code ec;
  auto address = socket.remote_endpoint(ec).address();
  if (ec || !address.is_v6()) return ec ? "" : address.to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes).to_string();
}
}  // namespace

struct HttpSession::Watch {
  bool active = true;
  std::function<void()> gone;
};

HttpSession::HttpSession(asio::ip::tcp::socket socket, HttpServerParts& server)
    : socket_(std::move(socket)),
      server_(server),
      options_(server.options),
      place_(server.table, peer_address(socket_), [this] {
        error_code ignored;
        socket_.close(ignored);
      }) {
  error_code ec;
  const auto remote = socket_.remote_endpoint(ec);
  if (!ec) peer_ = to_string(Endpoint{remote.address().to_string(), remote.port()});
}

HttpSession::~HttpSession() { stop_watching(); }

asio::awaitable<void> HttpSession::run() {
  if (!place_.admitted()) {
    co_await turn_away();
    co_return;
  }
  while (keep_alive_) {
    HttpRequest request;
    const Got got = co_await read_request(request);
    if (got == Got::kRefused) co_await linger();
    if (got != Got::kRequest) co_return;
    place_.begin_request();
    co_await handle(request);
    place_.end_request();
    asked_ = true;
    if (phase_ != Phase::kAnswered) co_return;
  }
  co_await linger();
}

asio::awaitable<void> HttpSession::turn_away() {
  ++server_.turned_away;
  keep_alive_ = false;
  HttpResponse response = problem_response({Errc::kUnavailable, "too many connections; try again later", {}});
  co_await reply(std::move(response));
  co_await linger();
}

asio::awaitable<bool> HttpSession::fill() {
  const std::size_t before = in_.size();
  in_.resize(before + kReadChunk);
  const auto [ec, n] =
      co_await socket_.async_read_some(asio::buffer(in_.data() + before, kReadChunk), use_tuple);
  in_.resize(before + n);
  co_return !ec;
}

asio::awaitable<HttpSession::Got> HttpSession::refuse(HttpRefusal refusal) {
  ++server_.refused[refusal.status];
  keep_alive_ = false;
  co_await reply(refusal_response(refusal));
  co_return Got::kRefused;
}

asio::awaitable<HttpSession::Got> HttpSession::read_request(HttpRequest& request) {
  phase_ = Phase::kWaiting;
  head_ = false;
  const auto give_up = [this] { socket_.close(); };
  if (in_.empty()) {
    const Deadline idle(socket_.get_executor(), asked_ ? options_.idle_timeout : options_.head_timeout, give_up);
    if (!co_await fill()) co_return Got::kNothing;
  }
  RequestHead head;
  {
    const Deadline deadline(socket_.get_executor(), options_.head_timeout, give_up);
    if (const Got got = co_await read_head(head); got != Got::kRequest) co_return got;
  }
  if (auto refusal = refuse_host(server_.hosts, head.request.headers)) co_return co_await refuse(*std::move(refusal));
  const Deadline deadline(socket_.get_executor(), options_.read_timeout, give_up);
  if (const Got got = co_await read_body(head); got != Got::kRequest) co_return got;
  keep_alive_ = head.keep_alive;
  http_1_0_ = head.http_1_0;
  request = std::move(head.request);
  request.peer = peer_;
  head_ = request.method == "HEAD";
  co_return Got::kRequest;
}

asio::awaitable<HttpSession::Got> HttpSession::read_head(RequestHead& head) {
  bool first_line = true;
  for (std::size_t seen = 0;;) {
    if (first_line && in_.starts_with("\r\n")) {  // some clients end a body with a line break of their own
      in_.erase(0, 2);
      first_line = false;
      seen = 0;
    }
    const auto length = find_head(in_, seen);
    if (!length) co_return co_await refuse(length.error());
    if ((*length ? **length : in_.size()) > options_.max_header_bytes) {
      co_return co_await refuse({431, "the request's header is too long"});
    }
    if (*length) {
      auto parsed = parse_request_head(std::string_view(in_).substr(0, **length));
      if (!parsed) co_return co_await refuse(std::move(parsed).error());
      head = *std::move(parsed);
      in_.erase(0, **length);
      co_return Got::kRequest;
    }
    seen = in_.size();
    if (!co_await fill()) co_return Got::kNothing;
  }
}

asio::awaitable<HttpSession::Got> HttpSession::read_body(RequestHead& head) {
  BodyReader body(head, options_.max_body_bytes);
  for (bool told = false;;) {
    const auto taken = body.feed(in_);
    if (!taken) co_return co_await refuse(taken.error());
    in_.erase(0, *taken);
    if (body.done()) break;
    if (head.expects_continue && !told && !co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return Got::kNothing;
    told = true;
    place_.hold(body.size() + in_.size());
    if (!co_await fill()) co_return Got::kNothing;
  }
  head.request.body = body.take();
  co_return Got::kRequest;
}

asio::awaitable<void> HttpSession::handle(const HttpRequest& request) {
  std::exception_ptr failure;
  std::string what = "the handler gave no answer";
  try {
    co_await server_.handler(request, *this);
  } catch (const std::exception& e) {
    failure = std::current_exception();
    what = e.what();
  }
  stop_watching();
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (failure && cancellation.cancelled() != asio::cancellation_type::none)
    std::rethrow_exception(failure);
  if (phase_ == Phase::kWaiting) {
    kLog.error("{} {}: {}", request.method, request.path, what);
    co_await reply(
        problem_response({Errc::kInternal, "the server failed to answer; see its log", {}}));
  } else if (failure) {
    kLog.error("{} {}: {}", request.method, request.path, what);
    phase_ = Phase::kBroken;
  }
}

asio::awaitable<bool> HttpSession::write(std::string bytes) {
  const Deadline deadline(socket_.get_executor(), options_.write_timeout,
                          [this] { socket_.close(); });
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto [ec, n] = co_await socket_.async_write_some(
        asio::buffer(bytes.data() + done, bytes.size() - done), use_tuple);
    if (ec) {
      phase_ = Phase::kBroken;
      keep_alive_ = false;
      co_return false;
    }
    done += n;
  }
  co_return true;
}

// Closing with unread input would reset the connection, and a peer that still sends would lose our answer: what it sends is
// read and dropped for a while.
asio::awaitable<void> HttpSession::linger() {
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  const Deadline deadline(socket_.get_executor(), kMaxLinger, [this] { socket_.close(); });
  for (std::size_t total = 0; total < kMaxLingerBytes; total += in_.size()) {
    in_.clear();
    if (!co_await fill()) co_return;
  }
}

std::string HttpSession::head_of(const HttpResponse& response, bool streaming) const {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, http_reason(response.status));
  for (const auto& [name, value] : response.headers) append_field(head, name, value);
  if (streaming && !http_1_0_) {
    append_field(head, "Transfer-Encoding", "chunked");
  } else if (!streaming && !has_no_body(response.status)) {
    append_field(head, "Content-Length", std::to_string(response.body.size()));
  }
  if (!keep_alive_) {
    append_field(head, "Connection", "close");
  } else if (http_1_0_) {
    append_field(head, "Connection", "keep-alive");
  }
  return head + "\r\n";
}

asio::awaitable<bool> HttpSession::reply(HttpResponse response) {
  MYSOS_ASSERT(phase_ == Phase::kWaiting || phase_ == Phase::kBroken, "a request is answered once");
  if (phase_ == Phase::kBroken) co_return false;
  phase_ = Phase::kAnswered;
  std::string bytes = head_of(response, false);
  if (!head_ && !has_no_body(response.status)) bytes += response.body;
  co_return co_await write(std::move(bytes));
}

asio::awaitable<bool> HttpSession::start_stream(int status, HttpHeaders headers) {
  MYSOS_ASSERT(phase_ == Phase::kWaiting || phase_ == Phase::kBroken, "a request is answered once");
  if (phase_ == Phase::kBroken) co_return false;
  phase_ = Phase::kStreaming;
  if (http_1_0_) keep_alive_ = false;  // the end of the connection is the end of the body
  co_return co_await write(head_of(HttpResponse{status, std::move(headers)}, true));
}

asio::awaitable<bool> HttpSession::write_chunk(std::string data) {
  if (phase_ != Phase::kStreaming) co_return false;
  if (data.empty() || head_) co_return true;
  if (!http_1_0_) {
    data.insert(0, fmt::format("{:x}\r\n", data.size()));
    data += "\r\n";
  }
  co_return co_await write(std::move(data));
}

std::string HttpSession::server_metrics() {
  Metrics all;
  all.gauge("mysos_http_connections", "Open HTTP connections").set(static_cast<double>(server_.table.size()));
  all.counter("mysos_http_connections_closed_total", "Idle or unknown HTTP connections closed to make room for others")
      .inc({}, static_cast<double>(server_.table.closed()));
  all.counter("mysos_http_connections_refused_total", "HTTP connections answered 503: all places belong to known callers")
      .inc({}, static_cast<double>(server_.turned_away));
  auto refused = all.counter("mysos_http_requests_refused_total", "HTTP requests that reached no handler, by status: "
                             "malformed, too long, of a foreign host or web page");
  for (const auto& [status, count] : server_.refused) {
    refused.inc({{"status", std::to_string(status)}}, static_cast<double>(count));
  }
  return all.render();
}

void HttpSession::allow_silence(Duration at_most) {
  const int ms = static_cast<int>(to_ms(at_most));
  (void)::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

asio::awaitable<bool> HttpSession::finish() {
  if (phase_ != Phase::kStreaming) co_return false;
  phase_ = Phase::kAnswered;
  if (head_ || http_1_0_) co_return true;
  co_return co_await write("0\r\n\r\n");
}

bool HttpSession::closed() { return !socket_.is_open() || peer_gone(socket_.native_handle()); }

void HttpSession::when_closed(std::function<void()> gone) {
  stop_watching();
  watch_ = std::make_shared<Watch>();
  watch_->gone = std::move(gone);
  watch_peer(watch_);
}

void HttpSession::watch_peer(std::shared_ptr<Watch> watch) {
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [this, watch](error_code ec) {
    if (!watch->active) return;  // `this` may be gone
    if (ec || closed()) {
      watch->active = false;
      watch->gone();
    } else if (!input_waits(socket_.native_handle())) {
      watch_peer(watch);
    }  // else the next request is here already: such a peer is not watched, a write will tell
  });
}

void HttpSession::stop_watching() {
  if (!watch_) return;
  const bool waiting = watch_->active;
  watch_->active = false;
  watch_.reset();
  error_code ignored;
  if (waiting && socket_.is_open()) socket_.cancel(ignored);
}

}  // namespace mysos
