// SPDX-License-Identifier: Apache-2.0
#pragma once
// What MemberCore wants done. Its shell does it in this order: 1. `promise` is written and fsynced; 2. `server` and `plan`;
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
// Keep the errant transactions aside, remove what is there, copy the donor's data, or the template where there is none.
struct MakeDatadir {
  std::uint64_t generation = 0;
  std::optional<Donor> donor = std::nullopt;
  GtidSet errant = {};
  std::uint64_t errant_generation = 0;
  std::uint32_t server_id = 0;
};
// The server is about to be started, and will throw its relay logs away: say what is in them, and keep them.
struct ReadRelay {
  bool keep_earlier = false;  // what was kept of earlier lives is needed still
};
struct DropRelay {};  // what was kept of relay logs is not needed any more
struct Start {
  std::uint32_t server_id = 0;
};                     // read-only, skip-replica-start, semi-sync off
struct Shutdown {};    // SIGTERM, then SIGKILL at the end of the grace
struct Kill {};        // SIGKILL
struct EnsureUser {};  // on a lane of its own: it waits for an acker like any write
struct StartApplier {};  // it has stopped; the receiver runs
struct EndCopies {};   // that others make of this server: what it is needed for must not wait for them
// The applier has executed nothing for a while, or a step takes long. Where they wait for locks of users' sessions, and still
// do after `watched`, those are ended.
struct EndReaders {
  Duration watched{};
};
// So are users' sessions that have a transaction open and have said nothing for so long.
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
  // Done some time after the plan has ended well, unless a newer one has come. Nothing depends on them, and nobody waits: what
  // they fail to do is done by a step of a later plan.
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
  std::optional<StepPlan> plan;  // replaces a plan that runs: it is abandoned at its next step's border
  std::vector<Answer> answers;
  bool report_changed = false;  // watchers get a new line
  bool finished = false;        // after Stop: mysqld is gone, the executor may end
};

}  // namespace mysos
