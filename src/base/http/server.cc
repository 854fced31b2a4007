// SPDX-License-Identifier: Apache-2.0
#include "base/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/http/session.h"
#include "base/log.h"

namespace mysos {
namespace {
constexpr Logger kLog{"http"};
constexpr std::uint64_t kDescriptorShare = 8;  // `mysos up` has five servers, and needs descriptors for more
constexpr Duration kTellEvery = std::chrono::minutes(1);
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);  // when descriptors have run out

std::size_t max_connections(const HttpServerOptions& options) {
  return std::min<std::size_t>(options.max_connections, descriptor_limit() / kDescriptorShare);
}

bool out_of_descriptors(error_code ec) {
  return ec == asio::error::no_descriptors || ec == boost::system::errc::too_many_files_open_in_system;
}

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
      parts_(std::make_unique<HttpServerParts>(HttpServerParts{
          .handler = std::move(handler),
          .options = options,
          .hosts = host_policy(options.allowed_hosts),
          .table = HttpConnectionTable(max_connections(options), options.max_held_bytes)})),
      tasks_(executor_) {}

HttpServer::~HttpServer() = default;
std::size_t HttpServer::connections() const { return parts_->table.size(); }

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
      if (out_of_descriptors(ec) && parts_->table.close_one()) continue;
      kLog.warn("cannot accept a connection: {}", ec.message());
      co_await sleep_for(kAcceptPause);
    }
  }
}

void HttpServer::tell_of_closed() {
  const std::uint64_t closed = parts_->table.closed();
  if (closed == tell_ || steady_now() - told_ < kTellEvery) return;
  kLog.warn("{} connections that were idle, or of unknown callers, were closed to make room for others", closed - tell_);
  tell_ = closed;
  told_ = steady_now();
}

asio::awaitable<void> HttpServer::serve(asio::ip::tcp::socket socket) {
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  if (const Duration silence = parts_->options.unacknowledged_timeout; silence > Duration::zero()) {
    const int ms = static_cast<int>(to_ms(silence));
    (void)::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
  }
  HttpSession session(std::move(socket), *parts_);
  tell_of_closed();
  co_await session.run();
}

}  // namespace mysos
