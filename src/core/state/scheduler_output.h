// SPDX-License-Identifier: Apache-2.0
#pragma once
// The output of the scheduler's brain after a step. Its shell works in this order: the records are durable, in one
// transaction, BEFORE anything else is sent; then calls to Mesos and orders to members; then events are logged, and replies
// go to waiting callers.
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/state/scheduler_state.h"
#include "model/cluster.h"
#include "model/command.h"
#include "model/event.h"
#include "model/mesos.h"
#include "model/order.h"

namespace mysos {

struct SentOrder {
  std::uint64_t id = 0;
  MemberId member;
  Order order;
  Duration deadline{};
};
struct Reply {
  RequestId request;
  Result<ClusterId> result;
};
// A member to whose executor the shell must keep a watch stream.
struct WatchTarget {
  MemberId member;
  ClusterId cluster;
  TaskId task;
  std::string ip;
  std::uint16_t api_port = 0;
  bool operator==(const WatchTarget&) const = default;
};
struct SchedulerOutput {
  std::vector<Record> records;
  std::vector<mesos::Call> calls;
  std::vector<SentOrder> orders;
  std::vector<Reply> replies;
  std::vector<Event> events;
  bool watches_changed = false;  // ask watch_targets() again
  bool resubscribe = false;      // with the present framework_info(), once the records are durable
};

}  // namespace mysos
