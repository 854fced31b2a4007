// SPDX-License-Identifier: Apache-2.0
#pragma once
// Taking back a cluster that the state does not know (docs/adr/0012-adoption.md). Each of its members says who it is: its
// executor in answer to a message, or the label of its volume. From that the cluster's record is rebuilt: which members there
// are, where they are, the encrypted secrets. None of them says who is primary, so the record is in doubt (core/state/doubt.h).
// It decides nothing until all members have been asked. Pure.
#include <cstdint>
#include <string>
#include <vector>

#include "core/state/member_table.h"
#include "model/cluster.h"

namespace mysos {

// One place of a member: where its volume is, and whether its task holds it.
struct MemberFound {
  MemberSpec spec;  // spec.task is empty where only its volume is there
  AgentId agent;
  std::string sealed_secrets = {};   // as its executor keeps them; "" = it has none, or only its volume is there
  std::uint64_t credentials = 0;     // how often the user's password was changed up to them
  std::string problem = {};          // why its secrets do not open
  [[nodiscard]] bool runs() const { return !spec.task.empty(); }
};

// Places are counted by resource id: a member gets another place only where the one before never held data.
std::uint64_t place_number(const MemberId& member, const std::string& resource_id);
// The newest place of this member among them; nullptr = there is none.
const MemberFound* newest_place(const MemberId& member, const std::vector<MemberFound>& found);

// The record of the one cluster that all of `found` belong to; its members have no place yet. kConflict: its secrets are
// encrypted with another key.
Result<Cluster> rebuilt_record(const std::vector<MemberFound>& found, const std::string& key_id);
// An adopted cluster of which only volumes were left: what must come before its members can be asked anything.
std::string waits_for_secrets(const Cluster& cluster, const MemberTable& table);
// The member is where it was found. Its stage follows from whether its task runs; the caller enters it.
void take_place(Member& member, const MemberFound& found, const Cluster& cluster);

}  // namespace mysos
