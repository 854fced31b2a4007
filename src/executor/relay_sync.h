// SPDX-License-Identifier: Apache-2.0
#pragma once
// Makes a server's relay log durable. A fence waits for that: an election may count on all that its member says to hold.
//
// The relay log of a replica that acknowledges is durable already. On a disk that stalls a sync takes as long as the disk: one
// try at a time is under way, and nobody waits for it longer than they want to. Belongs to the io_context's thread.
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

class RelaySync : public std::enable_shared_from_this<RelaySync> {  // shared with the try under way, which may end after it
 public:
  RelaySync(TaskGroup& tasks, Pools& pools, std::string datadir);
  // Its server acknowledges no more. What it receives from now on is durable only after a sync.
  void silenced();
  // kTimeout: the disk does not take it.
  asio::awaitable<Status> make_durable(Duration at_most);

 private:
  asio::awaitable<void> try_once(std::shared_ptr<RelaySync> self);

  TaskGroup& tasks_;
  Pools& pools_;
  std::string datadir_;
  Signal ended_;
  bool durable_ = false;         // all that is in the relay log, and will be
  std::uint64_t silenced_ = 0;   // how often that ended
  std::optional<Status> result_ = Status{};  // of the last try; none while one is under way
};

}  // namespace mysos
