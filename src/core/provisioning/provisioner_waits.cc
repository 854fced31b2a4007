// SPDX-License-Identifier: Apache-2.0
// What a member waits for on the side of Mesos, in words.
#include "core/provisioning/provisioner.h"

namespace mysos {
namespace {

std::string next_launch_of(const Member& m, const stage::Down& down, const std::string& on) {
  const std::string who = "member " + m.id.value;
  if (down.agent_gone) return who + ": agent " + m.place().hostname + " was marked gone, its volume will not return";
  if (!down.stuck.empty()) return who + ": " + down.stuck;
  return "the volume of " + who + " to be offered by " + on + " for its next launch";
}

// Of a member that has a place.
std::string wait_of(const Member& m, const MemberRow& row) {
  const std::string who = "member " + m.id.value;
  const bool unreachable = row.task.told == mesos::TaskState::kUnreachable;
  const std::string& hostname = m.place().hostname;
  const std::string on = hostname + (unreachable ? " (unreachable)" : "");
  std::string before;
  if (row.failures > 0) before = "; " + std::to_string(row.failures) + " before did not last: " + row.failed_why;
  switch (m.stage) {
    case MemberStage::kWanted:
      return "";
    case MemberStage::kLaunching:
      return "the task of " + who + " to start on " + on + before;
    case MemberStage::kRunning:
      return unreachable ? "agent " + hostname + " of " + who + " to be reachable again" : "";
    case MemberStage::kDown:
      return next_launch_of(m, row.in<stage::Down>(), on) + before;
    case MemberStage::kKilling:
      return "the task of " + who + " to end on " + on;
    case MemberStage::kReleasing:
      return "the volume and reservation of " + who + " to be given back by " + on;
  }
  return "";
}

}  // namespace

// Whoever has no place comes first: the others may run.
std::string Provisioner::waiting_for(const Cluster& cluster) const {
  std::string first;
  for (const Member& m : cluster.members) {
    if (!m.granted) return "member " + m.id.value + " needs " + why_unplaced(want_of(cluster), agents_.all());
    if (first.empty()) first = wait_of(m, table_.at(m));
  }
  return first;
}

}  // namespace mysos
