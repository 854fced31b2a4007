// SPDX-License-Identifier: Apache-2.0
#include "base/http/client.h"

#include <algorithm>

#include "base/clock.h"
#include "base/http/connection.h"

namespace mysos {
namespace {

using ConnectionPtr = std::shared_ptr<HttpConnection>;  // shared with its deadline

Deadline close_after(const asio::any_io_executor& executor, Duration after,
                     const ConnectionPtr& connection) {
  return Deadline(executor, after, [connection] { connection->close(); });
}

Error timed_out(const Endpoint& to) {
  return Error{Errc::kTimeout, "no answer from " + to_string(to) + " in time", {}};
}

asio::awaitable<Result<HttpResponse>> open_response(ConnectionPtr connection, HttpRequest request,
                                                    bool keep_alive) {
  if (!connection->connected()) MYSOS_CO_TRY_VOID(co_await connection->connect());
  MYSOS_CO_TRY_VOID(co_await connection->send(request, keep_alive));
  co_return co_await connection->read_header();
}

asio::awaitable<Result<HttpResponse>> whole_response(ConnectionPtr connection, HttpRequest request,
                                                     bool keep_alive) {
  MYSOS_CO_TRY(HttpResponse response,
               co_await open_response(connection, std::move(request), keep_alive));
  MYSOS_CO_TRY(response.body, co_await connection->read_all(kMaxHttpResponseBody));
  co_return response;
}

bool is_idempotent(const HttpRequest& request) {
  static constexpr std::string_view kMethods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
  return request.idempotent || std::ranges::find(kMethods, request.method) != std::end(kMethods);
}
}  // namespace

asio::awaitable<Result<HttpResponse>> http_request(asio::any_io_executor executor, Endpoint to,
                                                   HttpRequest request, Duration deadline) {
  const auto connection = std::make_shared<HttpConnection>(executor, to);
  const Deadline timer = close_after(executor, deadline, connection);
  auto response = co_await whole_response(connection, std::move(request), false);
  if (!response && timer.expired()) co_return std::unexpected(timed_out(to));
  co_return response;
}

// The connections to every endpoint. `total` counts the idle and the lent ones.
struct HttpClient::Pool {
  struct Idle {
    ConnectionPtr connection;
    Instant since;
  };
  struct Slot {
    explicit Slot(const asio::any_io_executor& executor) : freed(executor) {}
    std::vector<Idle> idle;
    std::size_t total = 0;
    std::size_t waiting = 0;
    Signal freed;
  };

  // A connection lent to one request; it goes back when the request is over, however that ends.
  struct Lease {
    std::shared_ptr<Pool> pool;
    Endpoint to;
    ConnectionPtr connection;
    Lease(std::shared_ptr<Pool> p, Endpoint e, ConnectionPtr c)
        : pool(std::move(p)), to(std::move(e)), connection(std::move(c)) {}
    Lease(Lease&&) noexcept = default;
    ~Lease() {
      if (connection) pool->give_back(to, std::move(connection));
    }
  };

  Pool(asio::any_io_executor e, std::size_t max) : executor(std::move(e)), max_per_endpoint(max) {}

  Slot& slot(const Endpoint& to) { return slots.try_emplace(to, executor).first->second; }

  ConnectionPtr take_idle(Slot& from) {
    while (!from.idle.empty()) {
      const Idle newest = std::move(from.idle.back());
      from.idle.pop_back();
      if (steady_now() - newest.since < kKeptConnectionIdle && !newest.connection->stale()) {
        return newest.connection;
      }
      --from.total;
    }
    return nullptr;
  }

  void give_back(const Endpoint& to, ConnectionPtr connection) {
    Slot& into = slot(to);
    if (connection->reusable() && !shut) {
      into.idle.push_back(Idle{std::move(connection), steady_now()});
    } else {
      connection->close();
      --into.total;
    }
    into.freed.notify_all();  // not one: the one that is woken may be cancelled just then
    if (into.total == 0 && into.waiting == 0) slots.erase(to);
  }

  // Waits for its turn.
  static asio::awaitable<Result<Lease>> lease(std::shared_ptr<Pool> pool, Endpoint to,
                                              Instant until);

  asio::any_io_executor executor;
  std::size_t max_per_endpoint;
  bool shut = false;
  std::map<Endpoint, Slot> slots;
};

asio::awaitable<Result<HttpClient::Pool::Lease>> HttpClient::Pool::lease(std::shared_ptr<Pool> pool,
                                                                         Endpoint to,
                                                                         Instant until) {
  struct Waiting {
    std::size_t& count;
    explicit Waiting(std::size_t& c) : count(c) { ++count; }
    ~Waiting() { --count; }
  };
  while (true) {
    Slot& slot = pool->slot(to);
    if (ConnectionPtr kept = pool->take_idle(slot)) co_return Lease(pool, to, std::move(kept));
    if (slot.total < pool->max_per_endpoint) {
      ++slot.total;
      co_return Lease(pool, to, std::make_shared<HttpConnection>(pool->executor, to));
    }
    const Duration left = until - steady_now();
    if (left <= Duration::zero()) co_return std::unexpected(timed_out(to));
    const Waiting waiting(slot.waiting);
    co_await slot.freed.wait_for(left);
  }
}

HttpClient::HttpClient(asio::any_io_executor executor, std::size_t max_per_endpoint)
    : pool_(std::make_shared<Pool>(std::move(executor), max_per_endpoint)) {}

HttpClient::~HttpClient() {
  pool_->shut = true;
  for (auto& [to, slot] : pool_->slots) {
    slot.total -= slot.idle.size();
    slot.idle.clear();
  }
}

std::size_t HttpClient::kept(const Endpoint& to) const {
  const auto found = pool_->slots.find(to);
  return found == pool_->slots.end() ? 0 : found->second.idle.size();
}

asio::awaitable<Result<HttpResponse>> HttpClient::request(Endpoint to, HttpRequest request,
                                                          Duration deadline) {
  const auto pool = pool_;
  const Instant until = steady_now() + deadline;
  for (bool retried = false;; retried = true) {
    MYSOS_CO_TRY(const Pool::Lease lease, co_await Pool::lease(pool, to, until));
    const bool reused = lease.connection->connected();
    const Deadline timer = close_after(pool->executor, until - steady_now(), lease.connection);
    auto response = co_await whole_response(lease.connection, request, true);
    if (response) co_return response;
    if (timer.expired()) co_return std::unexpected(timed_out(to));
    lease.connection->close();
    const bool again =
        reused && !retried && !lease.connection->answered() && is_idempotent(request);
    if (!again || response.error().code != Errc::kUnavailable) co_return response;
  }
}

HttpStream::HttpStream(asio::any_io_executor executor) : executor_(std::move(executor)) {}
HttpStream::~HttpStream() { close(); }
HttpStream::HttpStream(HttpStream&&) noexcept = default;
HttpStream& HttpStream::operator=(HttpStream&& other) noexcept {
  if (this != &other) {
    close();
    executor_ = other.executor_;
    connection_ = std::move(other.connection_);
  }
  return *this;
}

void HttpStream::close() {
  if (connection_) connection_->close();
  connection_.reset();
}

asio::awaitable<Result<HttpResponse>> HttpStream::open(Endpoint to, HttpRequest request,
                                                       Duration deadline) {
  close();
  const auto connection = std::make_shared<HttpConnection>(executor_, to);
  connection_ = connection;
  const Deadline timer = close_after(executor_, deadline, connection);
  auto response = co_await open_response(connection, std::move(request), false);
  if (!response) {
    connection->close();
    if (timer.expired()) co_return std::unexpected(timed_out(to));
  }
  co_return response;
}

asio::awaitable<Result<std::string>> HttpStream::read_some(Duration idle) {
  const auto connection = connection_;
  if (!connection || !connection->connected()) {
    co_return fail(Errc::kUnavailable, "the stream is closed");
  }
  const Deadline timer = close_after(executor_, idle, connection);
  auto part = co_await connection->read_some();
  if (!part) {
    connection->close();
    if (timer.expired()) co_return fail(Errc::kTimeout, "the stream fell silent");
  }
  co_return part;
}

asio::awaitable<Result<std::string>> HttpStream::read_all(std::size_t limit, Duration idle) {
  std::string body;
  while (true) {
    MYSOS_CO_TRY(const std::string part, co_await read_some(idle));
    if (part.empty()) co_return body;
    body += part;
    if (body.size() > limit) co_return fail(Errc::kTooLarge, "the answer is too long");
  }
}

}  // namespace mysos
