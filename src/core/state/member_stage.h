// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the scheduler has seen of a member and waits for, by the member's stage on its way through Mesos. The stage itself is
// durable (MemberStage, in the member's record). The content of the alternatives is not, and is learnt again after a restart.
// An alternative begins and ends with its stage, so nothing of an earlier stage remains.
#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>

#include "base/time.h"
#include "model/cluster.h"
#include "model/ids.h"

namespace mysos::stage {

struct Wanted {
  Instant not_before{};  // the next try of a placement
};
struct Launching {
  Instant ask_at = kNever;  // after this time without news, the scheduler asks Mesos
};
struct Running {
  Instant since = kNever;  // kNever: unknown, it ran before this scheduler started
};
struct Down {
  Instant not_before{};     // the next launch
  std::string stuck = {};   // why the next launch is not possible; "" = it is possible
  bool agent_gone = false;  // an operator marked the agent gone, so the volume will not return
  bool port_taken = false;  // another process has a port of it, so the next launch gets other ports
};
struct Killing {
  Instant since{};
  Instant kill_at{};  // when to (re)send the kill
  Duration backoff{};
};
struct Releasing {
  Instant since{};       // since when its resources should come back
  Instant not_before{};  // the next try
  std::uint32_t failures = 0;
  OperationId unreserve = {};  // the last one that was sent; "" = none
  Instant answer_by = kNever;  // the deadline of its answer, after which the scheduler asks; kNever: none is awaited
};

using Any = std::variant<Wanted, Launching, Running, Down, Killing, Releasing>;

constexpr MemberStage kind_of(const Any& stage) { return static_cast<MemberStage>(stage.index()); }
template <MemberStage kStage>
using Of = std::variant_alternative_t<static_cast<std::size_t>(kStage), Any>;
static_assert(std::is_same_v<Of<MemberStage::kWanted>, Wanted> && std::is_same_v<Of<MemberStage::kLaunching>, Launching> &&
              std::is_same_v<Of<MemberStage::kRunning>, Running> && std::is_same_v<Of<MemberStage::kDown>, Down> &&
              std::is_same_v<Of<MemberStage::kKilling>, Killing> && std::is_same_v<Of<MemberStage::kReleasing>, Releasing>);

// The initial value for a member in this stage when the scheduler starts.
Any first_seen(MemberStage stage, Instant now);

}  // namespace mysos::stage
