// SPDX-License-Identifier: Apache-2.0
#include "mysql/session.h"

#include <mysql.h>
#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>

#include "base/clock.h"

namespace mysos::mysql {
namespace {

constexpr unsigned kAccessDenied = 1045;
constexpr unsigned kTooManyConnections = 1040;
constexpr unsigned kClientErrors = 2000;  // CR_...: the connection's, from here on
constexpr unsigned kClientErrorsEnd = 3000;

// The statement that runs has the session to itself until this is destroyed.
class Turn {
 public:
  Turn(bool& busy, Signal& free) : busy_(busy), free_(free) { busy_ = true; }
  ~Turn() {
    busy_ = false;
    free_.notify_one();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  bool& busy_;
  Signal& free_;
};

}  // namespace

struct Session::Impl {
  Impl(asio::any_io_executor e, SessionTarget t)
      : executor(std::move(e)), target(std::move(t)), descriptor(executor), turn(executor) {}
  ~Impl() { close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  asio::any_io_executor executor;
  SessionTarget target;
  asio::posix::stream_descriptor descriptor;  // borrows the library's socket: released, never closed
  Signal turn;
  bool busy = false;
  bool connected = false;
  bool abandoned = false;  // what runs is to end at its next wait
  MYSQL* mysql = nullptr;
  unsigned last_errno = 0;

  // Wakes what runs, to end; it closes the connection itself, since the library's state is on its stack.
  void abandon() {
    abandoned = true;
    connected = false;
    error_code ignored;
    if (descriptor.is_open()) descriptor.cancel(ignored);
  }

  void close() {
    if (descriptor.is_open()) (void)descriptor.release();
    connected = false;
    if (mysql == nullptr) return;
    // mysql_close says goodbye, in a way that blocks; on a socket that is shut down it cannot.
    const auto fd = mysql_get_socket(mysql);
    if (fd >= 0) ::shutdown(fd, SHUT_RDWR);
    mysql_close(mysql);
    mysql = nullptr;
  }

  void prepare() {
    close();
    abandoned = false;
    mysql = mysql_init(nullptr);
    mysql_options(mysql, MYSQL_OPT_NONBLOCK, nullptr);
    const unsigned no_local = 0, seconds = 3600;  // ours are the deadlines; these are a last resort
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_local);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!target.plugin_dir.empty()) mysql_options(mysql, MYSQL_PLUGIN_DIR, target.plugin_dir.c_str());
    std::string init = "SET SESSION sql_mode=''";
    if (!target.write_binlog) init += ", sql_log_bin=0, wait_timeout=31536000";
    mysql_options(mysql, MYSQL_INIT_COMMAND, init.c_str());
  }

  Error error(std::string_view doing) {
    last_errno = mysql_errno(mysql);
    std::string text = std::string(doing) + ": " + mysql_error(mysql);
    if (last_errno == kAccessDenied) return {Errc::kUnauthorized, text, {}};
    if (last_errno >= kClientErrors && last_errno < kClientErrorsEnd) {
      close();
      return {Errc::kUnavailable, text, {}};
    }
    return {Errc::kConflict, text + " (" + std::to_string(last_errno) + ")", {}};
  }

  // Over the socket, or else over TCP. Whoever calls it has the turn.
  asio::awaitable<Status> connect_once(bool local, const Deadline& deadline);

  // Until the library's socket is ready for what it waits for; false: cancelled or closed.
  asio::awaitable<int> wait(int wanted) {
    if (abandoned) co_return 0;
    const auto fd = mysql_get_socket(mysql);
    if (!descriptor.is_open() || descriptor.native_handle() != fd) {
      if (descriptor.is_open()) (void)descriptor.release();
      error_code ec;
      descriptor.assign(fd, ec);
      if (ec) co_return 0;
    }
    const bool write = (wanted & MYSQL_WAIT_WRITE) != 0;
    const auto [ec] = co_await descriptor.async_wait(
        write ? asio::posix::descriptor_base::wait_write : asio::posix::descriptor_base::wait_read, use_tuple);
    if (ec || abandoned) co_return 0;
    co_return write ? MYSQL_WAIT_WRITE : MYSQL_WAIT_READ;
  }
};

namespace {

// Ends a session whose statement was not finished, however that came about: a deadline, a cancelled task.
template <class Impl>
class Abandon {
 public:
  explicit Abandon(Impl& impl) : impl_(&impl) {}
  ~Abandon() {
    if (impl_ != nullptr) impl_->close();
  }
  Abandon(const Abandon&) = delete;
  Abandon& operator=(const Abandon&) = delete;
  void finished() { impl_ = nullptr; }

 private:
  Impl* impl_;
};

Error cut_off(std::string_view doing, bool expired) {
  if (expired) return {Errc::kTimeout, std::string(doing) + ": no answer in time", {}};
  return {Errc::kUnavailable, std::string(doing) + ": the session was closed", {}};
}

}  // namespace

Session::Session(asio::any_io_executor executor, SessionTarget target)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(target))) {}
Session::~Session() {
  if (impl_) close();
}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&& other) noexcept {
  if (this != &other) {
    if (impl_) close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

bool Session::connected() const { return impl_->connected; }
unsigned Session::last_errno() const { return impl_->last_errno; }
std::string Session::server_version() const {
  return impl_->connected ? std::string(mysql_get_server_info(impl_->mysql)) : std::string();
}
std::uint64_t Session::connection_id() const { return impl_->connected ? mysql_thread_id(impl_->mysql) : 0; }

void Session::close() {
  if (impl_->busy) {
    impl_->abandon();
  } else {
    impl_->close();
  }
}

asio::awaitable<Status> Session::Impl::connect_once(bool local, const Deadline& deadline) {
  prepare();
  Abandon abandon(*this);
  const std::string from(kLoopback);
  if (!local && !target.socket.empty()) mysql_options(mysql, MYSQL_OPT_BIND, from.c_str());
  MYSQL* done = nullptr;
  int status = mysql_real_connect_start(&done, mysql, local ? "localhost" : target.host.c_str(), target.user.c_str(),
                                        target.password.c_str(), nullptr, local ? 0 : target.port,
                                        local ? target.socket.c_str() : nullptr,
                                        target.multi_statements ? CLIENT_MULTI_STATEMENTS : 0);
  while (status != 0) {
    const int ready = co_await wait(status);
    if (ready == 0) co_return std::unexpected(cut_off("connect", deadline.expired()));
    status = mysql_real_connect_cont(&done, mysql, ready);
  }
  const std::string where = local ? target.socket : target.host + ":" + std::to_string(target.port);
  if (done == nullptr) co_return std::unexpected(error("connect to " + where + " as " + target.user));
  connected = true;
  last_errno = 0;
  abandon.finished();
  co_return Status{};
}

asio::awaitable<Status> Session::connect(Duration at_most) {
  const auto self = impl_;
  if (self->busy) co_return fail(Errc::kConflict, "connect: the session is in use");
  const Turn turn(self->busy, self->turn);
  Deadline deadline(self->executor, at_most, [self] { self->abandon(); });
  const bool local = !self->target.socket.empty();
  Status done = co_await self->connect_once(local, deadline);
  if (done || !local || self->target.port == 0 || self->last_errno != kTooManyConnections) co_return done;
  co_return co_await self->connect_once(false, deadline);
}

asio::awaitable<Result<Rows>> Session::query(std::string sql, Duration at_most) {
  MYSOS_CO_TRY(auto all, co_await query_all(std::move(sql), at_most));
  co_return std::move(all.front());
}

namespace {

Rows take_rows(MYSQL* mysql, MYSQL_RES* result) {
  Rows out;
  if (result == nullptr) {
    out.affected = mysql_affected_rows(mysql);
    return out;
  }
  const unsigned n = mysql_num_fields(result);
  const MYSQL_FIELD* fields = mysql_fetch_fields(result);
  for (unsigned i = 0; i < n; ++i) out.columns.emplace_back(fields[i].name, fields[i].name_length);
  while (MYSQL_ROW row = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    auto& values = out.rows.emplace_back();
    for (unsigned i = 0; i < n; ++i) {
      if (row[i] == nullptr) {
        values.emplace_back(std::nullopt);
      } else {
        values.emplace_back(std::string(row[i], lengths[i]));
      }
    }
    if (out.rows.size() > kMaxRows) break;
  }
  mysql_free_result(result);
  return out;
}

}  // namespace

asio::awaitable<Result<std::vector<Rows>>> Session::query_all(std::string sql, Duration at_most) {
  const auto self = impl_;
  const Instant until = steady_now() + at_most;
  while (self->busy) {
    if (steady_now() >= until) co_return fail(Errc::kTimeout, "an earlier statement of the session still runs");
    (void)co_await self->turn.wait_for(until - steady_now());
  }
  if (!self->connected) co_return fail(Errc::kUnavailable, "the session is not connected");
  const Turn turn(self->busy, self->turn);
  Abandon abandon(*self);
  Deadline deadline(self->executor, until - steady_now(), [self] { self->abandon(); });
  MYSQL* const mysql = self->mysql;
  self->last_errno = 0;
  int failed = 0;
  int status = mysql_real_query_start(&failed, mysql, sql.data(), sql.size());
  while (status != 0) {
    const int ready = co_await self->wait(status);
    if (ready == 0) co_return std::unexpected(cut_off("query", deadline.expired()));
    status = mysql_real_query_cont(&failed, mysql, ready);
  }
  std::vector<Rows> out;
  while (failed == 0) {
    MYSQL_RES* result = nullptr;
    status = mysql_store_result_start(&result, mysql);
    while (status != 0) {
      const int ready = co_await self->wait(status);
      if (ready == 0) co_return std::unexpected(cut_off("query", deadline.expired()));
      status = mysql_store_result_cont(&result, mysql, ready);
    }
    if (result == nullptr && mysql_errno(mysql) != 0) {
      failed = 1;
      break;
    }
    out.push_back(take_rows(mysql, result));
    if (!mysql_more_results(mysql)) break;
    status = mysql_next_result_start(&failed, mysql);
    while (status != 0) {
      const int ready = co_await self->wait(status);
      if (ready == 0) co_return std::unexpected(cut_off("query", deadline.expired()));
      status = mysql_next_result_cont(&failed, mysql, ready);
    }
  }
  abandon.finished();
  if (failed != 0) co_return std::unexpected(self->error("query"));
  co_return out;
}

}  // namespace mysos::mysql
