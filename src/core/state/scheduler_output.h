// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the scheduler's brain wants done after a step. The order in which its shell does it: the records are durable, in one
// transaction, BEFORE anything below leaves; then calls to Mesos and orders to members; then events are logged, and replies
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
// A member whose executor the shell shall keep a watch stream to.
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
  bool resubscribe = false;      // as framework_info() says now, once the records are durable
};

}  // namespace mysos
