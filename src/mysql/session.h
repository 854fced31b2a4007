// SPDX-License-Identifier: Apache-2.0
#pragma once
// One connection to a MySQL-family server, driven by the io_context's thread: nothing here blocks. Statements of one session
// run one after the other; a caller that comes while one runs waits for its turn, within its own time. A statement that is
// not answered in time is abandoned: the connection is closed (the server may go on with it), the outcome is unknown. The
// session's sql_mode is empty, so that quote() is right; LOAD DATA LOCAL is off. A name in `host` would be resolved by a
// call that blocks: give an address.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/result.h"
#include "mysql/rows.h"

namespace mysos::mysql {

// Where our sessions come from that take the admin port.
inline constexpr std::string_view kLoopback = "127.0.0.1";

inline constexpr std::uint64_t kMaxRows = 1'000'000;  // of one answer

struct SessionTarget {
  // A unix socket. It wins over host and port; if these are given too, they are used when the socket has no room ("Too many
  // connections"), from kLoopback.
  std::string socket = {};
  std::string host = {};
  std::uint16_t port = 0;
  std::string user = {};
  std::string password = {};
  std::string plugin_dir = {};      // of the client's authentication plugins; "" = MARIADB_PLUGIN_DIR, or the library's
  bool write_binlog = true;         // false: nothing this session does is replicated (sql_log_bin=0)
  bool multi_statements = false;    // query_all may hold several statements, separated by ';'
};

class Session {
 public:
  Session(asio::any_io_executor executor, SessionTarget target);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // kUnavailable: nobody listens there. kUnauthorized: refused. kTimeout.
  asio::awaitable<Status> connect(Duration at_most);
  asio::awaitable<Result<Rows>> query(std::string sql, Duration at_most);
  asio::awaitable<Result<std::vector<Rows>>> query_all(std::string sql, Duration at_most);
  [[nodiscard]] bool connected() const;
  [[nodiscard]] unsigned last_errno() const;       // of the last statement: the server's error number, 0 = none
  [[nodiscard]] std::string server_version() const;  // as the handshake says it
  [[nodiscard]] std::uint64_t connection_id() const;
  // At once, whatever runs: it ends with kUnavailable.
  void close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with a statement that is under way when the session is destroyed
};

}  // namespace mysos::mysql
