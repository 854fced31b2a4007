// SPDX-License-Identifier: Apache-2.0
#pragma once
// The members as the parts of provisioning see them: the record of a member, what was seen of it, and the index by which it is
// found from an offer or an update. It owns the index. Invariant: the index has each member that has a place, under its agent,
// its reservation and its newest task; so these change in change_place() only.
#include <optional>
#include <string>
#include <vector>

#include "core/provisioning/placed_members.h"
#include "core/state/ledger.h"
#include "core/state/member_table.h"

namespace mysos {

class Members {
 public:
  Members(Ledger& ledger, MemberTable& table);

  // The owner exists (asserted), here and below.
  [[nodiscard]] const Cluster& cluster_of(const Owner& owner) const;
  [[nodiscard]] const Member& get(const Owner& owner) const;
  Member& edit(const Owner& owner);
  [[nodiscard]] MemberRow& row(const Owner& owner) { return table_.at(get(owner)); }
  template <class Stage>
  [[nodiscard]] Stage& in(const Owner& owner) {
    return row(owner).in<Stage>();
  }
  void tell(const Owner& owner, EventText text);

  // Changes its agent, its reservation or its newest task by `change(Member&)`.
  template <class Change>
  void change_place(const Owner& owner, Change change) {
    placed_.remove(get(owner));
    Member& member = edit(owner);
    change(member);
    if (member.granted) placed_.add(owner.cluster, member);
  }
  // It is about to be erased from its cluster.
  void forget(const Owner& owner);

  [[nodiscard]] const PlacedMembers& placed() const { return placed_; }
  // All that have a place, cluster by cluster.
  [[nodiscard]] std::vector<Owner> all_placed() const;
  // The members that do not run; a snapshot, so that they may be changed meanwhile.
  [[nodiscard]] std::vector<Owner> unsettled() const;

 private:
  Ledger& ledger_;
  MemberTable& table_;
  PlacedMembers placed_;
};

}  // namespace mysos
