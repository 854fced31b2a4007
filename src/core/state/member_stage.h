// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a member is on its way through Mesos: what the scheduler has seen and what it waits for, by stage. The stage itself is
// durable (MemberStage, in the member's record); what is in the alternatives is not, and is found out again after a restart. An
// alternative begins with its stage and ends with it, so nothing of an earlier stage is left behind.
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
  Instant ask_at = kNever;  // silence beyond this is asked about
};
struct Running {
  Instant since = kNever;  // kNever: not known, it ran before this scheduler began
};
struct Down {
  Instant not_before{};     // the next launch
  std::string stuck = {};   // why the next launch cannot be, in words; "" = it can
  bool agent_gone = false;  // marked gone by an operator: its volume will not return
  bool port_taken = false;  // another process has a port of it: the next launch gets others
};
struct Killing {
  Instant since{};
  Instant kill_at{};  // when to (re)send the kill
  Duration backoff{};
};
struct Releasing {
  Instant since{};       // since when its resources should be on their way back
  Instant not_before{};  // the next try
  std::uint32_t failures = 0;
  OperationId unreserve = {};  // the last one that was sent; "" = none
  Instant answer_by = kNever;  // its answer is awaited, and asked for beyond this; kNever: none is awaited
};

using Any = std::variant<Wanted, Launching, Running, Down, Killing, Releasing>;

constexpr MemberStage kind_of(const Any& stage) { return static_cast<MemberStage>(stage.index()); }
template <MemberStage kStage>
using Of = std::variant_alternative_t<static_cast<std::size_t>(kStage), Any>;
static_assert(std::is_same_v<Of<MemberStage::kWanted>, Wanted> && std::is_same_v<Of<MemberStage::kLaunching>, Launching> &&
              std::is_same_v<Of<MemberStage::kRunning>, Running> && std::is_same_v<Of<MemberStage::kDown>, Down> &&
              std::is_same_v<Of<MemberStage::kKilling>, Killing> && std::is_same_v<Of<MemberStage::kReleasing>, Releasing>);

// What is known of a member in this stage when the scheduler begins.
Any first_seen(MemberStage stage, Instant now);

}  // namespace mysos::stage
