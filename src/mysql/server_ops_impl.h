// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the parts of ServerOps.
#include <algorithm>
#include <set>

#include "base/clock.h"
#include "mysql/server_ops.h"

namespace mysos::mysql {

// How long the whole of a step may still take.
struct ServerOps::Budget {
  Instant until;
  [[nodiscard]] Duration left() const { return std::max(until - steady_now(), Duration(0)); }
  [[nodiscard]] bool spent() const { return steady_now() >= until; }
};

inline constexpr Duration kConnectTimeout = std::chrono::seconds(2);

asio::awaitable<Status> ensure_connected(Session& session, Duration at_most);

// As is_client() of client_sessions.h says.
bool is_any_client(const Rows& list, std::size_t row, const std::set<std::string>&);
// ... of one of these names.
bool is_client_named(const Rows& list, std::size_t row, const std::set<std::string>& names);

}  // namespace mysos::mysql
