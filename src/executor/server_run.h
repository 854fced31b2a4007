// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the parts of ServerKeeper: one life of mysqld, and what is under way with it.
#include <optional>
#include <utility>

#include "core/member/event_duty.h"
#include "core/member/stuck_commits.h"
#include "executor/memory_limit.h"
#include "executor/relay_sync.h"
#include "executor/server_keeper.h"
#include "mysql/binlog_index.h"
#include "mysql/port_guard.h"
#include "mysql/server_events.h"

namespace mysos {

struct ServerKeeper::Run {
  Run(const asio::any_io_executor& executor, mysql::ServerProcess p, mysql::ServerOpsConfig config,
      std::shared_ptr<RelaySync> sync)
      : process(std::move(p)),
        events(executor, config),
        port_guard(executor, config),
        ops(executor, std::move(config)),
        relay_sync(std::move(sync)),
        border(executor) {}
  mysql::ServerProcess process;
  mysql::ServerEvents events;
  mysql::PortGuard port_guard;
  mysql::ServerOps ops;
  std::shared_ptr<RelaySync> relay_sync;
  Signal border;            // a plan has left the server
  bool busy = false;        // a plan is at work
  std::uint64_t steps = 0;  // ended ones
  bool restarting = false;  // its receiver, between two tries to connect
  bool up = false;
  std::optional<std::uint64_t> memory_kills = out_of_memory_kills();  // before it
  bool user_made = false;  // the user's account was seen or made
  bool password_changed = false;  // by the user, in SQL
  std::vector<std::string> still_wrong;  // what somebody changed of the server, and could not be repaired
  Instant strangers_told{};              // when it was last told that clients used the admin port
  std::optional<Instant> asked;  // when the read began that is under way
  StuckCommits stuck;
  EventDuty event_duty;
  std::size_t events_told = 0;     // events that were said to run here now
  std::uint32_t events_failed = 0; // attempts in a row
  std::optional<mysql::BinlogIndex> binlogs;  // as last seen
  bool pushing = false;
  bool ending_readers = false;
};

// One plan at a time is at work on a server.
class ServerKeeper::Turn {
 public:
  explicit Turn(Run& run) : run_(run) { run_.busy = true; }
  ~Turn() {
    run_.busy = false;
    run_.border.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Run& run_;
};

}  // namespace mysos
