// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inputs of the scheduler's brain: from Mesos, users and executors, and time.
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "base/shared_value.h"
#include "model/cluster.h"
#include "model/command.h"
#include "model/member_report.h"
#include "model/mesos.h"

namespace mysos {

namespace scheduler_input {
struct FromMesos { mesos::Event event; };
// An executor's identity. The shell has checked its secrets: how often the password was changed, or why they do not open.
struct Identified {
  AgentId agent;
  ExecutorId executor;
  MemberIdentity identity;
  std::uint64_t credentials = 0;
  std::string problem;
};
struct Reported { SharedValue<MemberReport> report; };  // a line of the member's watch stream
struct WatchLost { MemberId member; std::string why; };  // the stream ended or went silent; the shell tries again by itself
struct OrderDone { std::uint64_t order = 0; MemberId member; std::optional<Error> error; SharedValue<MemberReport> report; };
// The shell noticed that the durable state was put back, so every record may be old. Always the first input.
struct StatePutBack { std::string why; };
struct Tick {};
}  // namespace scheduler_input
using SchedulerInput =
    std::variant<scheduler_input::FromMesos, Command, scheduler_input::Identified, scheduler_input::Reported,
                 scheduler_input::WatchLost, scheduler_input::OrderDone, scheduler_input::StatePutBack, scheduler_input::Tick>;

}  // namespace mysos
