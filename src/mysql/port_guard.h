// SPDX-License-Identifier: Apache-2.0
#pragma once
// Keeps the admin port of a live server for Mysos' own accounts. MariaDB's extra_port lets any account in, has a limited number
// of places, and is easy to find; a client that has not logged in takes a place on both flavours. So this class ends foreign
// sessions on that port: sessions of other accounts at once, sessions without a login after kLoginTime. One call at
// a time, on a session that stays open, because a new session may find no place.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/result.h"
#include "base/tcp_peers.h"
#include "base/time.h"
#include "mysql/rows.h"
#include "mysql/server_ops.h"
#include "mysql/session.h"

namespace mysos::mysql {

inline constexpr Duration kLoginTime = std::chrono::seconds(2);

struct Strangers {
  std::vector<std::uint64_t> logged_in, not_logged_in;  // the ids of their sessions
  std::vector<std::string> users;                       // of those that have logged in, each once
};
// The sessions among `processlist` that are connected from one of `peers` and are not ours.
Strangers strangers(const Rows& processlist, const TcpPeers& peers);

class PortGuard {
 public:
  PortGuard(const asio::any_io_executor& executor, const ServerOpsConfig& config);

  // The sessions to end now.
  asio::awaitable<Result<Strangers>> look(TcpPeers peers, Duration at_most);
  // No step may run meanwhile. While a commit waits for an acker that is not connected, sessions that have logged in are not
  // ended if that could acknowledge the commit.
  asio::awaitable<Status> end(Strangers who, Duration at_most);
  void close() { session_.close(); }

 private:
  asio::awaitable<Status> kill(const std::vector<std::uint64_t>& ids, Instant until);
  asio::awaitable<Status> kill_held(const std::vector<std::uint64_t>& ids, Instant until);

  const Flavour& flavour_;
  Session session_;
  std::map<std::uint64_t, Instant> first_seen_;  // sessions that had not logged in at the last look
};

}  // namespace mysos::mysql
