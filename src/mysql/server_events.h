// SPDX-License-Identifier: Apache-2.0
#pragma once
// The events that clients have made (CREATE EVENT), on one live server. A replica disables each event that it receives, also
// one whose owner has disabled it, and so a replica that becomes the primary cannot tell the two apart. Therefore a primary
// keeps the names of the events that are not enabled in a table, `mysql.mysos_disabled_events`, which is replicated; the next
// primary enables the others. It does so without binlog, because no client waits for it and no other member needs it. The table
// is made when it gets its first row. One call at a time.
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/asio.h"
#include "base/result.h"
#include "mysql/accounts.h"
#include "mysql/flavour.h"
#include "mysql/server_ops.h"
#include "mysql/session.h"

namespace mysos::mysql {

using EventName = std::pair<std::string, std::string>;  // database, event

// What enables an event that replication disabled, or disables it for good; nothing else of it changes. `event`: a row of
// Flavour::list_events().
std::vector<std::string> settle_event_sql(const Rows& events, std::size_t row, bool enabled);
// What brings the table from `recorded` to `disabled`.
std::vector<std::string> record_events_sql(const std::set<EventName>& recorded, const std::set<EventName>& disabled);

class ServerEvents {
 public:
  ServerEvents(const asio::any_io_executor& executor, const ServerOpsConfig& config);

  // Enables what replication disabled, and switches the scheduler on. An event that cannot be enabled does not keep the others
  // from running, but the call fails, with kInternal. kConflict: the server is read-only.
  asio::awaitable<Status> start(Duration at_most);
  // How many events the last start() found disabled by replication, and left as their owners had.
  [[nodiscard]] std::size_t settled() const { return settled_; }
  asio::awaitable<Status> stop(Duration at_most);
  // Brings the table up to date, where it is not. A commit that waits for an acker, by an account that read-only stops.
  asio::awaitable<Status> record(Duration at_most);
  void close();

 private:
  asio::awaitable<Result<Rows>> sql(std::string text, Instant until);
  asio::awaitable<Result<std::set<EventName>>> read_recorded(Instant until);
  asio::awaitable<Result<std::size_t>> settle_all(Instant until);
  asio::awaitable<Status> write(std::set<EventName> disabled, Instant until);

  const Flavour& flavour_;
  SessionTarget owner_;
  Session session_;
  std::optional<std::set<EventName>> recorded_;  // what the table holds; none: not read yet
  bool table_is_there_ = false;
  std::size_t settled_ = 0;
};

}  // namespace mysos::mysql
