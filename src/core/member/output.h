// SPDX-License-Identifier: Apache-2.0
#pragma once
// The output of MemberCore. Its shell works in this order: 1. `promise` is written and fsynced; 2. `server` and `plan`;
// 3. `answers`.
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/member/promise.h"
#include "model/order.h"
#include "model/server_step.h"

namespace mysos {

namespace server_action {
// Keeps errant transactions aside, removes the old data, then copies the donor's data, or the template without a donor.
struct MakeDatadir {
  std::uint64_t generation = 0;
  std::optional<Donor> donor = std::nullopt;
  GtidSet errant = {};
  std::uint64_t errant_generation = 0;
  std::uint32_t server_id = 0;
};
// Before a start that throws the relay logs away: reads what they hold, and keeps the files.
struct ReadRelay {
  bool keep_earlier = false;  // files kept before earlier starts are still needed
};
struct DropRelay {};  // kept relay logs are not needed any more
struct Start {
  std::uint32_t server_id = 0;
};                     // read-only, skip-replica-start, semi-sync off
struct Shutdown {};    // SIGTERM, then SIGKILL at the end of the grace
struct Kill {};        // SIGKILL
struct EnsureUser {};  // runs beside plans, because it waits for an acker like any write
struct StartApplier {};  // it has stopped; the receiver runs
struct EndCopies {};   // that others make of this server: its next order must not wait for them
// The applier has executed nothing for a while, or a step takes long. If it still waits for locks of users' sessions after
// `watched`, the shell ends those sessions.
struct EndReaders {
  Duration watched{};
};
// Ends users' sessions that have been idle in a transaction for so long.
struct EndIdleReaders {
  Duration limit{};
};
}  // namespace server_action
using ServerAction =
    std::variant<server_action::MakeDatadir, server_action::ReadRelay, server_action::DropRelay,
                 server_action::Start, server_action::Shutdown, server_action::Kill,
                 server_action::EnsureUser, server_action::StartApplier, server_action::EndCopies,
                 server_action::EndReaders, server_action::EndIdleReaders>;

struct StepPlan {
  std::uint64_t id = 0;
  std::vector<ServerStep> steps;
  Duration deadline{};
  // Done some time after the plan has succeeded, unless a newer plan has come. Nothing depends on these steps. A later plan
  // repeats what they fail to do.
  std::vector<ServerStep> afterwards;
  Duration afterwards_in{};
};
struct Answer {
  std::uint64_t order = 0;
  std::optional<Error> error;  // none: promised and in force, or already so; the report says the rest
};
struct MemberOutput {
  std::optional<MemberPromise> promise;
  std::vector<ServerAction> server;
  std::optional<StepPlan> plan;  // replaces a running plan, which ends after its present step
  std::vector<Answer> answers;
  bool report_changed = false;  // watchers get a new line
  bool finished = false;        // after Stop: mysqld is gone, the executor may end
};

}  // namespace mysos
