// SPDX-License-Identifier: Apache-2.0
#include "base/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/http/session.h"
#include "base/log.h"

namespace mysos {
namespace {
constexpr Logger kLog{"http"};
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);  // when descriptors have run out

std::unexpected<Error> cannot_listen(const Endpoint& on, error_code ec) {
  const std::string where = "cannot listen on " + to_string(on) + ": ";
  if (ec == asio::error::address_in_use) {
    return fail(Errc::kConflict, where + "port " + std::to_string(on.port) + " is already in use");
  }
  if (ec == asio::error::access_denied) return fail(Errc::kForbidden, where + ec.message());
  return fail(Errc::kIo, where + ec.message());
}
}  // namespace

HttpServer::HttpServer(asio::any_io_executor executor, HttpHandler handler,
                       HttpServerOptions options)
    : executor_(std::move(executor)),
      handler_(std::move(handler)),
      options_(options),
      tasks_(executor_) {}

HttpServer::~HttpServer() = default;

Result<std::uint16_t> HttpServer::listen(const std::string& address, std::uint16_t port) {
  using asio::ip::tcp;
  const Endpoint on{address, port};
  error_code ec;
  const auto ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, ec);
  if (ec) return fail(Errc::kInvalid, "cannot listen on '" + address + "': it is no IP address");
  auto acceptor = std::make_shared<tcp::acceptor>(executor_);
  const tcp::endpoint endpoint(ip, port);
  acceptor->open(endpoint.protocol(), ec);
  if (!ec) acceptor->set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor->bind(endpoint, ec);
  if (!ec) acceptor->listen(tcp::acceptor::max_listen_connections, ec);
  if (ec) return cannot_listen(on, ec);
  const std::uint16_t bound = acceptor->local_endpoint(ec).port();
  acceptors_.push_back(acceptor);
  tasks_.spawn("http accept", accept_loop(std::move(acceptor)));
  return bound;
}

asio::awaitable<void> HttpServer::stop() {
  for (const auto& acceptor : acceptors_) acceptor->close();
  co_await tasks_.cancel_and_join();
}

asio::awaitable<void> HttpServer::accept_loop(std::shared_ptr<asio::ip::tcp::acceptor> acceptor) {
  while (acceptor->is_open()) {
    auto [ec, socket] = co_await acceptor->async_accept(use_tuple);
    if (!ec) {
      tasks_.spawn("http connection", serve(std::move(socket)));
    } else if (ec != asio::error::operation_aborted && ec != asio::error::connection_aborted) {
      kLog.warn("cannot accept a connection: {}", ec.message());
      co_await sleep_for(kAcceptPause);
    }
  }
}

asio::awaitable<void> HttpServer::serve(asio::ip::tcp::socket socket) {
  struct Counted {
    std::size_t& count;
    explicit Counted(std::size_t& c) : count(c) { ++count; }
    ~Counted() { --count; }
  };
  const Counted counted(connections_);
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  if (options_.unacknowledged_timeout > Duration::zero()) {
    const int ms = static_cast<int>(to_ms(options_.unacknowledged_timeout));
    (void)::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
  }
  HttpSession session(std::move(socket), handler_, options_);
  if (connections_ > options_.max_connections) {
    co_await session.turn_away(
        problem_response({Errc::kUnavailable, "too many connections; try again later", {}}));
  } else {
    co_await session.run();
  }
}

}  // namespace mysos
