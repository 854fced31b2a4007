// SPDX-License-Identifier: Apache-2.0
#pragma once
// Makes a server's relay log durable. A fence waits for that, because an election relies on what its members report.
//
// The relay log of a replica that acknowledges is durable already. On a stalled disk a sync may take any time. One sync at a
// time is under way, and callers wait with a deadline. Belongs to the io_context's thread.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/result.h"
#include "base/task_group.h"
#include "base/time.h"
#include "executor/pools.h"

namespace mysos {

class RelaySync : public std::enable_shared_from_this<RelaySync> {  // shared with the running sync, which may end later
 public:
  RelaySync(TaskGroup& tasks, Pools& pools, std::string datadir);
  // The server acknowledges no more, so what it receives from now on needs a sync.
  void silenced();
  // kTimeout: the disk did not finish in time.
  asio::awaitable<Status> make_durable(Duration at_most);

 private:
  asio::awaitable<void> try_once(std::shared_ptr<RelaySync> self);

  TaskGroup& tasks_;
  Pools& pools_;
  std::string datadir_;
  Signal ended_;
  bool durable_ = false;         // everything in the relay log, now and later
  std::uint64_t silenced_ = 0;   // how often that ended
  std::optional<Status> result_ = Status{};  // of the last try; none while one is under way
};

}  // namespace mysos
