// SPDX-License-Identifier: Apache-2.0
#include "model/stalled_applier.h"

namespace mysos {
namespace {

std::string next_transaction(const MemberReport& r) {
  const GtidSet rest = r.received.minus(r.executed);
  if (rest.empty()) return "";
  const auto& [source, intervals] = *rest.sources().begin();
  GtidSet next;
  next.add(source, intervals.front().first, intervals.front().first);
  return "; the next transaction is " + next.to_string();
}

}  // namespace

bool is_stalled(const MemberReport& r) {
  return r.server == ServerState::kRunning && r.role != MemberRole::kPrimary && r.applier_running &&
         std::chrono::milliseconds(r.applier_stalled_ms) >= kStalledAfter;
}

bool stuck_for_good(const MemberReport& r) {
  return is_stalled(r) && std::chrono::milliseconds(r.applier_waits_ms) >= kStuckFor;
}

bool drains(const MemberReport& r) {
  return r.executed.contains(r.received) || (r.applier_running && !is_stalled(r));
}

std::string stall_text(const MemberReport& r) {
  std::string out = "its applier is stalled: ";
  if (!r.applier_waits_for.empty()) {
    out += "it waits for " + r.applier_waits_for;
  } else {
    out += "it works on one transaction";
    if (!r.applier_does.empty()) out += " (" + r.applier_does + ")";
  }
  return out + next_transaction(r);
}

}  // namespace mysos
