// SPDX-License-Identifier: Apache-2.0
#include "core/provisioning/members.h"

#include <utility>

#include "base/assert.h"

namespace mysos {

Members::Members(Ledger& ledger, MemberTable& table) : ledger_(ledger), table_(table) {
  for (const Owner& owner : all_placed()) placed_.add(owner.cluster, get(owner));
}

const Cluster& Members::cluster_of(const Owner& owner) const {
  const Cluster* cluster = ledger_.find(owner.cluster);
  MYSOS_ASSERT(cluster != nullptr, "an owner's cluster exists");
  return *cluster;
}

const Member& Members::get(const Owner& owner) const {
  const Member* member = cluster_of(owner).find(owner.member);
  MYSOS_ASSERT(member != nullptr, "an owner exists");
  return *member;
}

Member& Members::edit(const Owner& owner) {
  Member* member = ledger_.edit(owner.cluster).find(owner.member);
  MYSOS_ASSERT(member != nullptr, "an owner exists");
  return *member;
}

void Members::tell(const Owner& owner, EventText text) {
  ledger_.event(cluster_of(owner), owner.member, std::move(text));
}

void Members::forget(const Owner& owner) {
  placed_.remove(get(owner));
  table_.remove(owner.member);
}

std::vector<Owner> Members::unsettled() const {
  std::vector<Owner> out;
  for (const ClusterId& id : ledger_.unsettled()) {
    for (const Member& m : ledger_.find(id)->members) {
      if (m.stage != MemberStage::kRunning) out.push_back({id, m.id});
    }
  }
  return out;
}

std::vector<Owner> Members::all_placed() const {
  std::vector<Owner> out;
  for (const auto& [id, cluster] : ledger_.state().clusters) {
    for (const Member& m : cluster.members) {
      if (m.granted) out.push_back({id, m.id});
    }
  }
  return out;
}

}  // namespace mysos
