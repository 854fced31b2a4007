// SPDX-License-Identifier: Apache-2.0
#pragma once
// One part of a member's life: the stages that belong together, and what an input means to a member that is in one of them.
// An input that a part does not override changes nothing there. A part owns no state of its own beside the stages' timers
// (core/state/member_stage.h). To add a step to a member's life, add it to the part of its stage, or write another part.
#include <set>
#include <string>

#include "base/assert.h"
#include "core/provisioning/agent_use.h"
#include "core/provisioning/alarm.h"
#include "core/provisioning/holdings.h"
#include "core/provisioning/placed_members.h"
#include "core/state/member_table.h"

namespace mysos {

// What members need of the next offers.
struct Wants {
  Alarm& alarm;
  Instant now;
  std::set<std::string> keys = {};  // one for each thing that is needed
  // From `not_before` on; until then the provisioner is woken at that time.
  void add(std::string key, Instant not_before) {
    if (now < not_before) return alarm.wake(not_before);
    keys.insert(std::move(key));
  }
};

// The operation of ours that an answer is about.
struct OperationName {
  std::string kind;  // "reserve", "create", "destroy", "unreserve"
  std::string resource_id;
};

// The operation was not done, and will not be.
constexpr bool has_failed(mesos::OperationState s) {
  return s == mesos::OperationState::kFailed || s == mesos::OperationState::kError || s == mesos::OperationState::kDropped;
}

// "OPERATION_FAILED, <message>"
inline std::string words_of(const mesos::UpdateOperation& in) {
  return std::string(enum_text(in.state)) + (in.message.empty() ? "" : ", " + in.message);
}

constexpr bool is_unreachable(const MemberRow& row) { return row.task.told == mesos::TaskState::kUnreachable; }
// Of a member that has a place, in words.
inline std::string agent_of(const Member& m, const MemberRow& row) {
  return m.place().hostname + (is_unreachable(row) ? " (unreachable)" : "");
}

class LifePart {
 public:
  virtual ~LifePart() = default;

  // A new stream to a master: what was on its way before may never have arrived.
  virtual void subscribed(const Owner&, Instant) {}
  // Its agent offers what it holds, so no task holds it.
  virtual void offered(const Owner&, const Holding&, AgentUse&, Instant) {}
  // Its agent offers something, and nothing of what it holds.
  virtual void absent(const Owner&, AgentUse&, Instant) {}
  // Its newest task lives. What is known of the task is in its row.
  virtual void alive(const Owner&, mesos::TaskState, Instant) {}
  // Its newest task is over: the task ended, or (kGoneByOperator) its agent is gone for good.
  virtual void ended(const Owner&, mesos::TaskState, Instant) {}
  virtual void answered(const Owner&, const OperationName&, const mesos::UpdateOperation&, Instant) {}
  // Does what has waited long enough. False: the member is no more.
  virtual bool overdue(const Owner&, Instant) { return true; }
  // What it needs of the next offers, or when it is looked at again.
  virtual void await(const Owner&, Wants&) {}
  // In words, for users; "" = nothing.
  [[nodiscard]] virtual std::string waiting_for(const Member&, const MemberRow&) const { return ""; }
};

// Which part has which stage.
struct LifeParts {
  LifePart& placing;   // wanted
  LifePart& upkeep;    // launching, running, down
  LifePart& stopping;  // killing
  LifePart& release;   // releasing

  [[nodiscard]] LifePart& of(MemberStage stage) const {
    switch (stage) {
      case MemberStage::kWanted:
        return placing;
      case MemberStage::kLaunching:
      case MemberStage::kRunning:
      case MemberStage::kDown:
        return upkeep;
      case MemberStage::kKilling:
        return stopping;
      case MemberStage::kReleasing:
        return release;
    }
    MYSOS_ASSERT(false, "each stage has its part");
  }
};

}  // namespace mysos
